"""SQLite in a function: databases that the app opens for writing, and those in the artifact."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.findings import Group, Rule, Severity
from lambda_web_adapter.doctor.source_paths import is_outside, start_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.source_calls import Source, SourceCall
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
_SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3", ".db3")


def check_call(call: SourceCall, source: Source) -> Finding | None:
    """Return what is wrong with a call that opens a database; None if it opens none."""
    start: str | None = None
    if call.name == "sqlite3.connect":
        start = start_of(call.argument(0, "database"), source)
        if start == ":memory:" or "mode=ro" in ast.unparse(call.node):
            return None
        start = start.removeprefix("file:") if start else start
    elif call.name.rpartition(".")[2] in ("create_engine", "create_async_engine"):
        url = start_of(call.argument(0, "url"), source) or ""
        path = url.partition("://")[2].removeprefix("/")
        start = path if url.startswith("sqlite") and path and path != ":memory:" else None
    if not is_outside(start):
        return None
    return SQLITE_WRITE.broken(f"The database {start!r} is in the read-only file system.", source.path, call.line)


def check_django(source: Source) -> Iterator[Finding]:
    """Yield the SQLite databases in the settings of Django."""
    databases = source.constants.get("DATABASES")
    for node in ast.walk(databases) if databases else ():
        if not isinstance(node, ast.Dict):
            continue
        values = {
            key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
        }
        engine = values.get("ENGINE")
        is_sqlite = isinstance(engine, ast.Constant) and str(engine.value).endswith("sqlite3")
        start = start_of(values.get("NAME"), source)
        if is_sqlite and start != ":memory:" and is_outside(start):
            message = "Django's database is an SQLite file in the read-only file system."
            yield SQLITE_WRITE.broken(message, source.path, node.lineno)


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
