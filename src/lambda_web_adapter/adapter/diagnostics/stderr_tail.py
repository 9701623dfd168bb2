"""The stderr tail: what an app wrote to stderr last, for the error about its end.

Until the built-in server is ready, and as long as an external command runs, its stderr is a pipe that is read here:
what comes is forwarded at once, and its tail is kept. Once it is ready, a built-in server gets its own stderr back.
"""

from __future__ import annotations

import os
import re
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Collection

    from lambda_web_adapter.ipc.log_output import LogOutput

_TAIL_BYTES = 16 * 1024
_TAIL_LINES = 20
_STDERR = 2
# What precedes a message in the app's log (`app/logging_setup.py`). Not compiled yet: few environments need it.
_LOG_LINE_PREFIX = r"\[[A-Z]+\]\t[\dT:.-]+Z\t[^\t]*\t"
_LINE_SECONDS = 0.02  # to wait for the rest of a line, lest others write in its middle; less than `_END_SECONDS`
_MAX_LINE_BYTES = 256 * 1024  # the size of a CloudWatch event; a longer line is forwarded in pieces
_END_SECONDS = 0.05  # to wait for the end of an ended app's pipe, which a process that it started may hold open


class StderrTail:
    """A pipe in place of one process's stderr."""

    def __init__(self) -> None:
        """Open the pipe; programs that are executed do not inherit its ends."""
        self._reader, self._writer = os.pipe()
        self._tail = b""
        self._thread: threading.Thread | None = None

    def replace_stderr(self) -> int:
        """Put the pipe in place of stderr, in the process whose tail is to be kept.

        Returns:
            A copy of the former stderr, which programs that are executed do not inherit.
        """
        os.close(self._reader)
        original = os.dup(_STDERR)
        os.dup2(self._writer, _STDERR)
        os.close(self._writer)
        return original

    def start_relay(self) -> None:
        """Forward what comes, in a thread.

        What the thread needs is imported before it starts: a fork for another app process, during an import, would copy
        the module's lock, for which the new process would wait forever.
        """
        import threading  # here, so that it does not delay the fork

        from lambda_web_adapter.adapter.diagnostics.log import relay  # as above

        os.close(self._writer)
        self._thread = threading.Thread(target=self._relay, args=(relay(),), name="stderr", daemon=True)
        self._thread.start()

    def text(self, excluded: Collection[str] = ()) -> str:
        """Return the last lines of a process that has ended, up to 20.

        Args:
            excluded: lines to omit, since the error shows them elsewhere.
        """
        if self._thread is not None:
            self._thread.join(_END_SECONDS)
        lines = self._tail.decode("utf-8", "replace").splitlines()
        messages = [message for line in lines for message in _message_lines(line) if message not in excluded]
        return "\n".join(messages[-_TAIL_LINES:]).strip()

    def _relay(self, output: LogOutput) -> None:
        try:
            while data := self._read_lines():
                self._tail = (self._tail + data)[-_TAIL_BYTES:]
                output.write(data, data.count(b"\n"))
        finally:
            os.close(self._reader)

    def _read_lines(self) -> bytes:
        """Return the next complete lines; the last is cut if it is too long, or if its end does not come in time."""
        lines = os.read(self._reader, 65536)
        poll, deadline = select.poll(), time.monotonic() + _LINE_SECONDS
        poll.register(self._reader, select.POLLIN)
        while lines and not lines.endswith(b"\n") and poll.poll(max(deadline - time.monotonic(), 0.0) * 1000):
            data = os.read(self._reader, 65536)
            lines += data
            if not data or len(lines) >= _MAX_LINE_BYTES:
                break
        return lines


def _message_lines(line: str) -> list[str]:
    """Return the lines of the message in a line of the app's log; a line of another form is returned unchanged."""
    if not line.startswith('{"timestamp":'):
        return [re.sub(_LOG_LINE_PREFIX, "", line)]
    import orjson  # this module is imported before the fork

    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return [line]
    message, stack = record.get("message"), record.get("stackTrace", [])
    return [*message.splitlines(), *map(str, stack)] if isinstance(message, str) and isinstance(stack, list) else [line]
