"""Which calls of a source write files, and to which paths."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.source_values import Constant, Dictionary, Text, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.source_calls import SourceCall
    from lambda_web_adapter.doctor.source_paths import Surroundings
    from lambda_web_adapter.doctor.source_values import Value

# Functions that write to the path in an argument if the mode in another one says so: the position of the mode.
_OPENERS = {
    "open": 1,
    "io.open": 1,
    "gzip.open": 1,
    "bz2.open": 1,
    "lzma.open": 1,
    "codecs.open": 1,
    "aiofiles.open": 1,
    "anyio.open_file": 1,
    "tarfile.open": 1,
    "zipfile.ZipFile": 1,
}
# Functions that write to the path in an argument: its position and its name.
_WRITERS = {
    **{f"os.{name}": (0, "path") for name in ("remove", "unlink", "rmdir", "mkfifo", "chmod", "truncate", "utime")},
    **{f"os.{name}": (0, "name" if name == "makedirs" else "path") for name in ("mkdir", "makedirs")},
    **{f"os.{name}": (1, "dst") for name in ("rename", "replace", "symlink", "link")},
    **{f"shutil.{name}": (1, "dst") for name in ("copy", "copy2", "copyfile", "copytree", "move")},
    "shutil.rmtree": (0, "path"),
    "shutil.make_archive": (0, "base_name"),
    "shelve.open": (0, "filename"),
    "urllib.request.urlretrieve": (1, "filename"),
    "logging.basicConfig": (-1, "filename"),
    **{
        f"{module}.{name}FileHandler": (0, "filename")
        for module in ("logging", "logging.handlers")
        for name in ("", "Rotating", "TimedRotating", "Watched")
    },
}
_PATH_METHODS = (".write_text", ".write_bytes", ".mkdir", ".touch", ".unlink", ".rmdir", ".chmod")
_TARGET_METHODS = (".rename", ".replace")
# Methods of data frames, figures, images and uploads: what they write to is their first argument.
_SAVERS = (".to_csv", ".to_parquet", ".to_excel", ".to_pickle", ".to_feather", ".savefig", ".save")
_LOGGING_CONFIGS = ("logging.config.dictConfig",)


def written_paths(call: SourceCall, surroundings: Surroundings) -> Iterator[Value]:
    """Yield the paths that a call writes to, if it does not succeed or fail without writing."""
    if _needs_no_write(call, surroundings):
        return
    if call.name in _OPENERS and is_writing(call.argument(_OPENERS[call.name], "mode")):
        yield call.argument(0, "name" if call.name == "tarfile.open" else "file")
    elif call.name in _WRITERS:
        yield call.argument(*_WRITERS[call.name])
    elif call.name in _LOGGING_CONFIGS:
        yield from logged_files(call.argument(0, "config"))
    elif isinstance(call.owner, Text):
        yield from _written_by_method(call, call.owner)
    elif call.name in _SAVERS and call.owner is None and len(call.arguments) == 1 and _is_file_name(call.arguments[0]):
        yield call.arguments[0]


def _written_by_method(call: SourceCall, owner: Text) -> Iterator[Value]:
    if not owner.is_path:
        return
    if call.name in _PATH_METHODS or (call.name == ".open" and is_writing(call.argument(0, "mode"))):
        yield owner
    elif call.name in _TARGET_METHODS:
        yield call.argument(0, "target")


def is_late(call: SourceCall) -> bool:
    """Return whether a call only writes later, or perhaps."""
    return call.is_true("delay") or call.name in _SAVERS


def logged_files(config: Value) -> Iterator[Value]:
    """Yield the files of the handlers in a dictionary that configures logging."""
    handlers = config.values.get("handlers") if isinstance(config, Dictionary) else None
    for handler in handlers.values.values() if isinstance(handlers, Dictionary) else ():
        if isinstance(handler, Dictionary) and str(plain(handler.values.get("class"))).endswith("FileHandler"):
            yield handler.values.get("filename")


def is_writing(mode: Value) -> bool:
    """Return whether a mode of `open` is one for writing."""
    text = plain(mode)
    return isinstance(text, str) and bool(set(text.partition(":")[0]) & set("wax+"))


def _needs_no_write(call: SourceCall, surroundings: Surroundings) -> bool:
    path = call.owner if isinstance(call.owner, Text) else call.argument(0, "name")
    is_there = surroundings.is_there(path)
    if call.is_true("exist_ok"):
        return is_there is True
    if call.is_true("ignore_errors") or (call.name == "shutil.rmtree" and call.argument(1, "") == Constant(value=True)):
        return True
    return call.is_true("missing_ok") and is_there is False


def _is_file_name(value: Value) -> bool:
    return isinstance(value, Text) and bool("/" in value.text or posixpath.splitext(value.text)[1])
