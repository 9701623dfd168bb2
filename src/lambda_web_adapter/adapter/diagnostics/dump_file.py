"""Where an app writes its stacks, so that they become one event of the log, with the request id.

`faulthandler` writes lines, to a file descriptor, whatever the app is stuck in. So it is a file in memory, which the
adapter can read even if the app never comes to say that it has written.
"""

from __future__ import annotations

import os

from lambda_web_adapter.ipc.log_config import LogConfig
from lambda_web_adapter.ipc.parent_process import STACK_DUMP_FD_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

# Bytes: CloudWatch takes events of up to 256 KiB ("CloudWatch Logs quotas"), and JSON has escapes in it.
_MAX_BYTES = 128 * 1024


class StackDumpFile:
    """The file of one run of the app."""

    def __init__(self) -> None:
        """Makes it."""
        import fcntl  # a laptop has no use for it

        self._descriptor = os.memfd_create("stack-dump")
        fcntl.fcntl(self._descriptor, fcntl.F_SETFL, os.O_APPEND)

    @classmethod
    def create_if_needed(cls, environ: Mapping[str, str]) -> StackDumpFile | None:
        """Makes one where each line of stderr becomes an event, and the system has such files; people read stderr."""
        if not LogConfig(environ).one_line or not hasattr(os, "memfd_create"):
            return None
        try:
            return cls()
        except OSError:  # a sandbox that forbids it: the lines are events of their own then
            return None

    def pass_to_child(self, environ: MutableMapping[str, str], *, execute: bool) -> None:
        """Tells the process that this one becomes of it, by a fork, or by executing a program besides."""
        os.set_inheritable(self._descriptor, execute)
        environ[STACK_DUMP_FD_VARIABLE] = str(self._descriptor)

    def read_and_clear(self) -> str:
        """Return what has been written, and empty the file; of one that is closed there is nothing."""
        if self._descriptor < 0:
            return ""
        text = os.pread(self._descriptor, _MAX_BYTES, 0).decode("utf-8", "replace")
        os.ftruncate(self._descriptor, 0)
        return text

    def close(self) -> None:
        """Lets go of it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
