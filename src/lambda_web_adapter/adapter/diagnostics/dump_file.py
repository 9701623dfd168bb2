"""The file for an app's stack dump, so that the dump becomes one log event with the request id.

`faulthandler` writes lines to a file descriptor, whatever the app is stuck in. So this is a file in memory: the adapter
can read it even if the app never reports that it has written to it.
"""

from __future__ import annotations

import os

from lambda_web_adapter.ipc.log_config import LogConfig
from lambda_web_adapter.ipc.parent_process import STACK_DUMP_FD_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

# Bytes: CloudWatch takes events of up to 256 KiB ("CloudWatch Logs quotas"), and escapes make the JSON larger.
_MAX_BYTES = 128 * 1024


class StackDumpFile:
    """The stack dump of one run of the app."""

    def __init__(self) -> None:
        """Create the file.

        Raises:
            OSError: the system does not allow it.
        """
        import fcntl  # a laptop does not need it

        self._descriptor = os.memfd_create("stack-dump")
        fcntl.fcntl(self._descriptor, fcntl.F_SETFL, os.O_APPEND)

    @classmethod
    def create_if_needed(cls, environ: Mapping[str, str]) -> StackDumpFile | None:
        """Return a file if each line of stderr becomes a log event, and if the system has such files; else None."""
        if not LogConfig(environ).one_line or not hasattr(os, "memfd_create"):
            return None
        try:
            return cls()
        except OSError:  # a sandbox forbids it; each line is an event of its own then
            return None

    def pass_to_child(self, environ: MutableMapping[str, str], *, execute: bool) -> None:
        """Pass the file to the app process; called in the forked process.

        Args:
            environ: the variables, to which the descriptor is added.
            execute: whether the process executes a program next.
        """
        os.set_inheritable(self._descriptor, execute)
        environ[STACK_DUMP_FD_VARIABLE] = str(self._descriptor)

    def read_and_clear(self) -> str:
        """Return what has been written, and empty the file; return "" if it is closed."""
        if self._descriptor < 0:
            return ""
        text = os.pread(self._descriptor, _MAX_BYTES, 0).decode("utf-8", "replace")
        os.ftruncate(self._descriptor, 0)
        return text

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
