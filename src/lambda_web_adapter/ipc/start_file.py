"""The start file, read: the code of all modules of a start in one file, and a finder that serves them from there.

`local.start_file_writer` writes the file: three lines, which are `FORMAT`, the interpreter, and the sizes of index and
file with the hash of the index; then the index, and the code, in groups of modules that are imported one after the
other: in a group, strings that several modules have are there only once. The index has the hash of each group.

The code is valid as `unchecked-hash` bytecode is (PEP 552): files that a package installer has written are not
compared. What a start checks is in `StartFinder.check`. Later, `sys.path` is checked after each change, what looks for
modules at each import, and the hash of a group when it is read.
"""

from __future__ import annotations

import os
import sys

from lambda_web_adapter.errors import StartFileRejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_web_adapter.ipc.module_finder import StartFinder

# Also a field of the settings; it is read before them, as most modules of the start come from the file.
VARIABLE = "AWS_LWA_START_FILE"
OFF = "off"
# With the file to which `module_record` writes what a start imports, for `lambda-web-adapter compile`.
RECORD_VARIABLE = "_LWA_MODULE_RECORD"
# The file that is used if the variable is not set.
NAME = "lambda-web-adapter.start"
# It names the version of the file's format.
FORMAT = b"lambda-web-adapter start file 1"

_HEAD_SIZE = 4096  # bytes; more than the first three lines can have


_finder: StartFinder | None = None
_rejection = ""
_is_installed = False


def install(environ: Mapping[str, str]) -> None:
    """Have imports served from the start file, if there is one; a second call does nothing.

    Args:
        environ: the environment variables.
    """
    global _finder, _rejection, _is_installed  # they are the process's, as `sys.meta_path` is
    if _is_installed:
        return
    _is_installed = True
    if record := environ.get(RECORD_VARIABLE):
        from lambda_web_adapter.ipc import module_record  # rarely needed

        module_record.install(record)
    path = environ.get(VARIABLE, "") or _default_path(environ)
    if path in ("", OFF):
        return
    try:
        finder = read(path)
        finder.check()
    except (StartFileRejected, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        _rejection = f"The start file {path} is not used: {reason}. Write it anew with `lambda-web-adapter compile`."
        return
    _finder = finder
    finder.install()


def _default_path(environ: Mapping[str, str]) -> str:
    """Return the path of the file in the app's folder, or beside the bootstrap; empty if there is none."""
    root = environ.get("LAMBDA_TASK_ROOT") or os.getcwd()
    for folder in dict.fromkeys((root, os.path.dirname(os.path.abspath(sys.argv[0])))):
        path = os.path.join(folder, NAME)
        if os.path.exists(path):
            return path
    return ""


def put_in_path(folder: str) -> None:
    """Put the app's folder first in `sys.path`, unless it is there: its own modules come before others of their names.

    Whatever imports before the app, or looks where its modules are, does so with the same path.
    """
    if folder not in sys.path:
        sys.path.insert(0, folder)


def rejection() -> str:
    """Return why the start file was not used, for the log; empty if it was, or if there is none."""
    return _rejection


def doubt() -> str:
    """Return why this process no longer uses the start file, for its log; empty if it does, or if another logs it."""
    if _finder is None or _finder.stopped_in != os.getpid():
        return ""
    return f"The start file is no longer used: {_finder.doubt}."


def read(path: str) -> StartFinder:
    """Return the finder of a start file, which is not checked yet.

    Raises:
        OSError: The file cannot be read.
        StartFileRejected: It is of another interpreter, not complete, damaged, or not a regular file.
    """
    import marshal
    import stat

    from lambda_web_adapter.ipc.module_finder import StartFinder, source_hash  # most starts have no use for it

    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # else a FIFO would wait for a writer
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise StartFileRejected("it is not a regular file")
        file_format, *lines = os.read(descriptor, _HEAD_SIZE).split(b"\n", 3)
        if file_format != FORMAT or len(lines) < 3:
            raise StartFileRejected("it is not a start file of this version")
        if lines[0] != interpreter():
            raise StartFileRejected(f"it was written by another Python: {lines[0].decode(errors='replace')}")
        index_size, size, digest = map(int, lines[1].split())
        if status.st_size != size:
            raise StartFileRejected(f"it has {status.st_size} bytes of {size}")
        start = sum(map(len, (file_format, *lines[:2]))) + 3
        data = os.pread(descriptor, min(index_size, size), start)
    except ValueError:
        raise StartFileRejected("it is damaged") from None
    finally:
        os.close(descriptor)
    if source_hash(data) != digest:
        raise StartFileRejected("it is damaged")
    index = marshal.loads(data)  # noqa: S302  # it is code, like bytecode
    return StartFinder(os.path.abspath(path), start + index_size, index)


def interpreter() -> bytes:
    """Return the line that identifies this interpreter, how it compiles, and what it calls its files."""
    from importlib._bootstrap_external import MAGIC_NUMBER  # `importlib.util` has it too, and imports more
    from importlib.machinery import EXTENSION_SUFFIXES

    fields = MAGIC_NUMBER.hex(), sys.version, EXTENSION_SUFFIXES[0], sys.flags.optimize, sys.pycache_prefix
    return ascii(fields).encode()
