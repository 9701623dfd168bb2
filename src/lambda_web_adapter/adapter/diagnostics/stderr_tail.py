"""What an app wrote to stderr last, for the error that tells of its end.

Until our own server is ready, and for the whole life of a command, stderr is a pipe whose other end is here: what comes
is written on at once, and its end is kept. A server that is ready takes its own stderr back.
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

_TAIL_BYTES = 16 * 1024  # bytes
_TAIL_LINES = 20
_STDERR = 2
# What stands in front of a message in the app's log (`app/logging_setup.py`).
_LOG_LINE_PREFIX = re.compile(r"\[[A-Z]+\]\t[\dT:.-]+Z\t[^\t]*\t")
_LINE_SECONDS = 0.02  # for the rest of a line, in whose middle others would be written; less than `_SECONDS`
_MOST = 256 * 1024  # bytes that wait for it: the size of a CloudWatch event
_SECONDS = 0.05  # from the end of an app to the end of its pipe, unless a process of its own still holds it


class StderrTail:
    """A pipe in place of one process's stderr."""

    def __init__(self) -> None:
        """Opens the pipe; both ends are closed in programs that are executed."""
        self._reader, self._writer = os.pipe()
        self._tail = b""
        self._thread: threading.Thread | None = None

    def replace_stderr(self) -> int:
        """Puts the pipe in place of stderr, in the process that is to be heard.

        Returns:
            A copy of what stderr was, which is not handed on to programs that are executed.
        """
        os.close(self._reader)
        original = os.dup(_STDERR)
        os.dup2(self._writer, _STDERR)
        os.close(self._writer)
        return original

    def start_relay(self) -> None:
        """Write on what comes, in a thread of its own.

        What the thread needs is imported before it begins: a fork meanwhile, for another app process, would copy the
        lock of a module that is being imported, and that process would wait for it for ever.
        """
        import threading  # after the fork, which it must not delay

        from lambda_web_adapter.adapter.diagnostics.log import relay  # as above

        os.close(self._writer)
        self._thread = threading.Thread(target=self._relay, args=(relay(),), name="stderr", daemon=True)
        self._thread.start()

    def text(self, excluded: Collection[str] = ()) -> str:
        """Says what came last, up to 20 lines; for a process that has ended.

        Args:
            excluded: lines that are told in another place, and left out here.
        """
        if self._thread is not None:
            self._thread.join(_SECONDS)
        lines = self._tail.decode("utf-8", "replace").splitlines()
        messages = [each for line in lines for each in _message_lines(line) if each not in excluded]
        return "\n".join(messages[-_TAIL_LINES:]).strip()

    def _relay(self, output: LogOutput) -> None:
        try:
            while data := self._read_lines():
                self._tail = (self._tail + data)[-_TAIL_BYTES:]
                output.write(data, data.count(b"\n"))
        finally:
            os.close(self._reader)

    def _read_lines(self) -> bytes:
        """Return what comes next, which ends with a line, unless that line's end keeps us waiting."""
        lines = os.read(self._reader, 65536)
        poll, until = select.poll(), time.monotonic() + _LINE_SECONDS
        poll.register(self._reader, select.POLLIN)
        while lines and not lines.endswith(b"\n") and poll.poll(max(until - time.monotonic(), 0.0) * 1000):
            data = os.read(self._reader, 65536)
            lines += data
            if not data or len(lines) >= _MOST:
                break
        return lines


def _message_lines(line: str) -> list[str]:
    """Takes the app's words out of a line of its log; what looks like none of ours is as it is."""
    if not line.startswith('{"timestamp":'):
        return [_LOG_LINE_PREFIX.sub("", line)]
    import orjson  # this stands before the fork

    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return [line]
    message, stack = record.get("message"), record.get("stackTrace", [])
    return [*message.splitlines(), *map(str, stack)] if isinstance(message, str) and isinstance(stack, list) else [line]
