"""Which files of an app restart its environments when they change, and which folders are watched for them."""

from __future__ import annotations

import os
import re
from fnmatch import translate
from typing import TYPE_CHECKING

from lambda_web_adapter.ipc import start_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# What an app reads once and keeps: its code, its settings, templates (which Flask and Django cache unless they debug)
# and translations. What it reads from disk for each response (CSS, JavaScript, images) needs no restart, and JSON, CSV
# or text files are often what the app itself writes.
INCLUDED = (
    *("*.py", "*.so"),
    *(".env", ".env.*", ".flaskenv", "*.toml", "*.yaml", "*.yml", "*.ini", "*.cfg"),
    *("*.html", "*.htm", "*.jinja", "*.jinja2", "*.j2", "*.mako", "templates/*"),
    "*.mo",
)
# Never, even if a pattern of the user matches: temporary files of editors (Emacs, Vim, JetBrains, GNOME, flycheck), and
# what the app or this program writes.
EXCLUDED = (
    *(".#*", "#*#", "*~", "*.sw?", "*.tmp", "4913", "*___jb_*___", ".goutputstream-*", "flycheck_*"),
    *("*.pyc", "*.db", "*.db-*", "*.sqlite", "*.sqlite-*", "*.sqlite3", "*.sqlite3-*", "*-journal", "*.log"),
    start_file.NAME,
)
# Folders that others write: those whose names begin with a dot (.git, .venv, .tox, .mypy_cache, .idea) and these; also
# virtual environments of any name.
EXCLUDED_FOLDERS = (".*", "__pycache__", "node_modules", "site-packages", "*.egg-info", "htmlcov", "_build", "cdk.out")
# The file that makes a folder a virtual environment (PEP 405).
_OF_VIRTUAL_ENVIRONMENT = "pyvenv.cfg"


class WatchedFiles:
    """The files that count, below some folders.

    Patterns are as in a shell. One such as `*.py` is for the name; one with a slash, such as `templates/*`, is for the
    path below the folder, or the end of that path; its `*` also stands for several folders.
    """

    def __init__(self, roots: Iterable[Path], include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        """Prepare.

        Args:
            roots: the folders.
            include: patterns of files that count besides the usual ones.
            exclude: patterns of files and folders that do not count.
        """
        excluded = tuple(exclude)
        self._roots = [os.path.abspath(root) for root in roots]
        self._includes = _Patterns((*INCLUDED, *include))
        self._excludes = _Patterns((*EXCLUDED, *excluded))
        self._excludes_folder = _Patterns((*EXCLUDED_FOLDERS, *excluded))

    def has(self, path: str) -> bool:
        """Return whether a file counts."""
        relative = self._relative(path)
        return self._includes.match(relative) and not self._excludes.match(relative)

    def is_folder(self, path: str) -> bool:
        """Return whether a path is a folder that may have files that count."""
        return os.path.isdir(path) and self._enters(path)

    def folders(self) -> Iterator[str]:
        """Return the folders that may have files that count, each once; symbolic links are followed."""
        seen = set()
        for root in self._roots:
            for folder, names, _ in os.walk(root, followlinks=True):
                identity = _identity(folder)
                if identity is None or identity in seen:  # deleted, or two links to it, or a link to a folder above
                    names.clear()
                    continue
                seen.add(identity)
                names[:] = [name for name in names if self._enters(os.path.join(folder, name))]
                yield folder

    def _enters(self, folder: str) -> bool:
        return not self._excludes_folder.match(self._relative(folder)) and not _is_virtual_environment(folder)

    def _relative(self, path: str) -> str:
        for root in self._roots:
            if path.startswith(f"{root}/"):
                return path[len(root) + 1 :]
        return path


class _Patterns:
    """Patterns of names, and patterns of paths."""

    def __init__(self, patterns: Iterable[str]) -> None:
        stripped = [pattern.removeprefix("./").rstrip("/") for pattern in patterns]
        self._names = _alternatives(pattern for pattern in stripped if "/" not in pattern)
        self._paths = _alternatives(pattern for pattern in stripped if "/" in pattern)

    def match(self, path: str) -> bool:
        """Return whether one of the patterns matches a path."""
        name = path.rpartition("/")[2]
        return any(regex.fullmatch(name) for regex in self._names) or any(
            regex.fullmatch(end) for regex in self._paths for end in _ends(path)
        )


def _alternatives(patterns: Iterable[str]) -> list[re.Pattern[str]]:
    """Return one expression for all patterns, in a list; an empty list for no pattern."""
    expression = "|".join(map(translate, patterns))
    return [re.compile(expression)] if expression else []


def _ends(path: str) -> Iterator[str]:
    """Return the path and what is left of it without its first folders."""
    while path:
        yield path
        path = path.partition("/")[2]


def _identity(folder: str) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _is_virtual_environment(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, _OF_VIRTUAL_ENVIRONMENT))
