"""SQLite in a function: databases that the app opens for writing, and those in the artifact."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.findings import Group, Rule, Severity
from lambda_web_adapter.doctor.source_values import Dictionary, Text, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.source_calls import Assignment, Source, SourceCall
    from lambda_web_adapter.doctor.source_values import Value
    from lambda_web_adapter.doctor.subject import Subject

SQLITE_WRITE = Rule(
    id="sqlite-write",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="The app opens an SQLite database outside of /tmp for writing.",
    advice="Use a database server or DynamoDB. To read only, open `file:PATH?mode=ro&immutable=1` with uri=True.",
)
SQLITE_FILE = Rule(
    id="sqlite-file",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="There is an SQLite database in the artifact: it is read-only, and in WAL mode cannot even be read.",
    advice="Use a database server. To read only: `PRAGMA journal_mode=DELETE` before it is packaged, then open it with "
    "`mode=ro&immutable=1`.",
)
RULES = (SQLITE_WRITE, SQLITE_FILE)

_SQLITE_MAGIC = b"SQLite format 3\0"
_WAL = 2  # "file format write version" at offset 18 of the header (SQLite, "Database File Format")
# What opens an SQLite file by its path, and what does by an URL.
_FILE_OPENERS = ("sqlite3.connect", "aiosqlite.connect", "sqlite_utils.Database")
_FILE_CLASSES = ("SqliteDatabase", "SqliteExtDatabase", "SqliteQueueDatabase", "APSWDatabase", "CSqliteExtDatabase")
_URL_OPENERS = ("databases.Database", "dataset.connect")
_ENGINES = ("create_engine", "create_async_engine")
_TORTOISE = ("init", "register_tortoise", "RegisterTortoise")
_SQLITE_URL = re.compile(r"sqlite(\+\w+)?://")
_FLASK_SQLALCHEMY = "SQLALCHEMY_DATABASE_URI"
# Databases that are not written to a file: `:memory:`, `file::memory:`, `file:name?mode=memory`, `file:name?mode=ro`.
_NOT_WRITTEN = (":memory:", "mode=memory", "mode=ro", "immutable=1")
_SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3", ".db3")


def check_call(call: SourceCall, source: Source) -> Finding | None:
    """Return what is wrong with a call that opens a database; None if it opens none."""
    name = call.name.rpartition(".")[2]
    path: Value = None
    if call.name in _FILE_OPENERS or name in _FILE_CLASSES:
        path = _without_scheme(call.argument(0, "database"))
    elif call.name in _URL_OPENERS or name in _ENGINES:
        path = _path_of_url(call.argument(0, "url"), slashes=1)
    elif name in _TORTOISE:
        path = _path_of_url(call.argument(-1, "db_url"), slashes=0)
    elif _FLASK_SQLALCHEMY in call.keywords:
        path = _path_of_url(call.keywords[_FLASK_SQLALCHEMY], slashes=1)
    finding = _finding(path, source, call.line)
    # The mode may be in a part of the name that begins with what is not known.
    return None if finding and "mode=" in ast.unparse(call.node) else finding


def check_assignments(source: Source) -> Iterator[Finding]:
    """Yield the SQLite databases in the configuration of Flask-SQLAlchemy and of Django."""
    for assignment in source.assignments:
        if assignment.name == _FLASK_SQLALCHEMY:
            finding = _finding(_path_of_url(assignment.value, slashes=1), source, assignment.line)
            yield from [finding] if finding else []
        elif assignment.name == "DATABASES" and source.names.get("DATABASES") == assignment.value:
            yield from _check_django(assignment, source)


def _check_django(assignment: Assignment, source: Source) -> Iterator[Finding]:
    values = assignment.value.values if isinstance(assignment.value, Dictionary) else {}
    for database in values.values():
        if not isinstance(database, Dictionary):
            continue
        is_sqlite = str(plain(database.values.get("ENGINE"))).endswith("sqlite3")
        name = database.values.get("NAME")
        if is_sqlite and not _is_not_written(name) and source.surroundings.is_outside(name):
            message = "Django's database is an SQLite file in the read-only file system."
            yield SQLITE_WRITE.broken(message, source.path, assignment.line)


def _finding(path: Value, source: Source, line: int) -> Finding | None:
    if not isinstance(path, Text) or _is_not_written(path) or not source.surroundings.is_outside(path):
        return None
    return SQLITE_WRITE.broken(f"The database {path.text!r} is in the read-only file system.", source.path, line)


def _is_not_written(path: Value) -> bool:
    return isinstance(path, Text) and any(mark in path.text for mark in _NOT_WRITTEN)


def _without_scheme(value: Value) -> Value:
    """Return the path in a name as SQLite has them; None for an URI whose parameters are not known."""
    if not isinstance(value, Text) or (value.text.startswith("file:") and not value.is_whole):
        return None
    return replace(value, text=value.text.removeprefix("file:"))


def _path_of_url(url: Value, slashes: int) -> Value:
    """Return the path in an URL, without the slashes before it; None if it names no file."""
    if not isinstance(url, Text) or not (match := _SQLITE_URL.match(url.text)):
        return None
    path = url.text[match.end() :]
    return _without_scheme(replace(url, text=path.removeprefix("/" * slashes)))


def check_files(subject: Subject) -> Iterator[Finding]:
    """Yield the databases in an artifact."""
    for path, entry in subject.own_files.items():
        if not path.endswith(_SQLITE_SUFFIXES) or entry.size < 100:
            continue
        header = subject.artifact.read(path)[:20]
        if not header.startswith(_SQLITE_MAGIC) or subject.is_project:
            continue
        if header[18] == _WAL:
            message = "It is in WAL mode: even to read it, SQLite has to write a file beside it, which is not possible."
            yield SQLITE_FILE.broken(message, path, severity=Severity.ERROR)
        else:
            yield SQLITE_FILE.broken("It can be read, but each write fails.", path)
