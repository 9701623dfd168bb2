"""The file for an app's stack dump, so that the adapter can summarize it and log it as one event with the request id.

`faulthandler` writes lines to a file descriptor, whatever the app is stuck in. So this is a file, in memory on Linux:
the adapter can read it even if the app never reports that it has written to it.
"""

from __future__ import annotations

import os
import signal

from lambda_web_adapter.ipc.parent_process import STACK_DUMP_FD_VARIABLE, STACK_DUMP_SIGNAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

# Bytes: CloudWatch takes events of up to 256 KiB ("CloudWatch Logs quotas"), and escapes make the JSON larger.
_MAX_BYTES = 128 * 1024


class StackDumpFile:
    """The stack dump of one run of the app."""

    def __init__(self) -> None:
        """Create the file.

        Raises:
            OSError: the system does not allow it.
        """
        if hasattr(os, "memfd_create"):
            import fcntl

            self._descriptor = os.memfd_create("stack-dump")
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, os.O_APPEND)
        else:  # macOS
            path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"lambda-web-adapter-stack-dump-{os.getpid()}")  # noqa: S108  # O_EXCL
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            os.unlink(path)

    @classmethod
    def create(cls) -> StackDumpFile | None:
        """Return a file; None if the system does not allow one."""
        try:
            return cls()
        except OSError:  # a sandbox forbids it; the app then writes to stderr
            return None

    def pass_to_child(self, environ: MutableMapping[str, str], *, execute: bool) -> None:
        """Pass the file to the app process; called in the forked process.

        It ignores the signal for a stack dump, which would end it, until the built-in server handles that.

        Args:
            environ: the variables, to which the descriptor is added.
            execute: whether the process executes a program next.
        """
        signal.signal(STACK_DUMP_SIGNAL, signal.SIG_IGN)
        os.set_inheritable(self._descriptor, execute)
        environ[STACK_DUMP_FD_VARIABLE] = str(self._descriptor)

    def read(self, *, clear: bool = True) -> str:
        """Return what has been written, and empty the file; return "" if it is closed."""
        if self._descriptor < 0:
            return ""
        text = os.pread(self._descriptor, _MAX_BYTES, 0).decode("utf-8", "replace")
        if clear:
            os.ftruncate(self._descriptor, 0)
        return text

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
