"""Where a path in a source leads: below /tmp, elsewhere, or nobody can see."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.source_values import Constant, Name, Text, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_web_adapter.doctor.source_values import Value

CODE_FOLDER = "/var/task"
# Where functions may write. File systems are mounted below /mnt.
_WRITABLE = ("/tmp", "/mnt", "/proc", "/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/fd", "/dev/tty")  # noqa: S108  # as Lambda has them
_URL = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
_LONGEST = 4096  # the longest path of Linux
_UNREAD = re.compile(r"[{%]")  # where a format has what is not known
_JOINS = ("os.path.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath")
_PATHS = _JOINS[1:]
_SAME = ("os.fspath", "str", "os.path.realpath", "os.path.normpath", "os.path.abspath", "os.path.normcase")
_CURRENT_FOLDERS = ("pathlib.Path.cwd", "os.getcwd")
_EXISTENCE = ("os.path.exists", "os.path.isdir", "os.path.isfile", "os.path.lexists")
_SAME_PLACE = ("absolute", "resolve", "as_posix", "strip", "rstrip", "__fspath__")
_SAME_FOLDER = ("with_suffix", "with_name", "with_stem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a module meets when it runs in a function.

    Attributes:
        file: its own path there.
        folder: the folder in which the app is started.
        variables: values of variables; None for those that are set to what nobody knows.
        exists: whether there is a file or a folder with an absolute path; None if nobody knows.
        changes_folder: whether the app leaves the folder in which it is started.
        used_names: the names that other modules of the app use.
        is_started: whether each start imports the module.
    """

    file: str = f"{CODE_FOLDER}/main.py"
    folder: str = CODE_FOLDER
    variables: Mapping[str, str | None] = field(default_factory=dict)
    exists: Callable[[str], bool | None] = lambda _: None
    changes_folder: bool = False
    used_names: frozenset[str] = frozenset()
    is_started: bool = True

    def absolute(self, text: str) -> str:
        """Return the absolute path that a path leads to."""
        return posixpath.normpath(posixpath.join(self.folder, text))

    def is_outside(self, value: Value) -> bool:
        """Return whether a path leads to where a function cannot write."""
        if not isinstance(value, Text) or not value.text or value.text.startswith("~") or _URL.match(value.text):
            return False
        if not value.text.startswith("/") and self.changes_folder:
            return False
        path = self.absolute(value.text)
        for folder in _WRITABLE:
            if path == folder or path.startswith(f"{folder}/"):
                return False
            if not value.is_whole and folder.startswith(value.text):
                return False
        return True

    def is_there(self, value: Value) -> bool | None:
        """Return whether a path leads to a file or a folder; None if nobody knows."""
        if not isinstance(value, Text) or not value.is_whole or self.changes_folder:
            return None
        return self.exists(self.absolute(value.text))


def join(parts: Sequence[Value], *, is_path: bool) -> Value:
    """Return a path of several parts."""
    result: Text | None = None
    for part in parts:
        if not isinstance(part, Text):
            # What is not known may be absolute, and then replaces what is before it.
            return replace(result, is_whole=False, is_sure=False, is_path=is_path) if result and result.text else None
        if result is None or part.text.startswith("/"):
            result = part
        elif not result.is_whole:
            break
        else:
            result = replace(part, text=posixpath.join(result.text, part.text), is_sure=result.is_sure)
    return replace(result, is_path=is_path) if result else Text(".", is_path=True) if is_path else None


def concatenate(parts: Sequence[Value]) -> Value:
    """Return a text of several parts, as f-strings and `+` make it; None if its beginning is not known."""
    text, is_sure = "", True
    for part in parts:
        if isinstance(part, Constant):
            text += str(part.value)
            continue
        if not isinstance(part, Text):
            return Text(text, is_whole=False, is_sure=is_sure) if text else None
        text, is_sure = text + part.text, is_sure and part.is_sure
        if not part.is_whole or len(text) > _LONGEST:
            return Text(text, is_whole=False, is_sure=is_sure)
    return Text(text, is_sure=is_sure)


def formatted(value: Value) -> Value:
    """Return what `%` and `format` make of a format; None if it begins with what is not known."""
    if not isinstance(value, Text) or value.is_path:
        return None
    start = _UNREAD.split(value.text)[0]
    return replace(value, text=start, is_whole=start == value.text and value.is_whole) if start else None


def parent(value: Value) -> Value:
    """Return the folder that a path is in."""
    if not isinstance(value, Text) or (not value.is_whole and "/" not in value.text):
        return None
    folder = posixpath.dirname(value.text)
    return replace(value, text=folder or ("." if value.is_path else ""))


def parents(value: Value, count: int) -> Value:
    """Return one of a path's `parents`, counted from 0."""
    for _ in range(count + 1):
        value = parent(value)
    return value


def call_function(name: str, arguments: Sequence[Value], surroundings: Surroundings) -> Value:
    """Return what a function of paths returns; what another one returns is known only by its name."""
    first = arguments[0] if arguments else None
    if name in _JOINS:
        return join(arguments, is_path=name in _PATHS)
    if name in _CURRENT_FOLDERS:
        text = None if surroundings.changes_folder else surroundings.folder
        return Text(text, is_path=name.startswith("pathlib")) if text else None
    if name in _EXISTENCE:
        return _known(surroundings.is_there(first))
    if name in _SAME:
        return _absolute(first, name, surroundings)
    if name == "os.path.dirname":
        return parent(replace(first, is_path=False)) if isinstance(first, Text) else None
    return Name(f"{name}()")


def call_method(owner: Text, name: str, arguments: Sequence[Value], surroundings: Surroundings) -> Value:
    """Return what a method of a string or a path returns."""
    if name in ("exists", "is_dir", "is_file") and owner.is_path:
        return _known(surroundings.is_there(owner))
    if name == "joinpath":
        return join([owner, *arguments], is_path=True)
    if name == "format":
        return formatted(owner)
    if name in _SAME_FOLDER:
        folder = parent(owner)
        return replace(folder, is_whole=False) if isinstance(folder, Text) else None
    if name == "absolute" or name == "resolve":
        return _absolute(owner, name, surroundings)
    return owner if name in _SAME_PLACE else None


def _absolute(value: Value, name: str, surroundings: Surroundings) -> Value:
    if not isinstance(value, Text):
        # str(1) and the like; what os.fspath makes of an unknown path is unknown.
        return Text(str(plain(value))) if isinstance(value, Constant) and name == "str" else None
    if name in ("str", "os.fspath"):
        return replace(value, is_path=False)
    if value.text.startswith("/") or not value.is_whole:
        return value
    if surroundings.changes_folder or not value.is_sure:
        return None
    return replace(value, text=surroundings.absolute(value.text))


def _known(is_there: bool | None) -> Value:
    return None if is_there is None else Constant(is_there)
