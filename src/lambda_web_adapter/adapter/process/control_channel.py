"""The adapter's end of the control channel; `ipc.control_protocol` has the messages."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time

from lambda_web_adapter.ipc.control_protocol import DEBUGGER, STOPPING, encode
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# The longest that one system call waits. A call that a freeze or a signal interrupts begins anew with all of its time,
# and must not exceed the deadline by much. A signal that comes just before the call, or to another thread, does not
# interrupt it, and the handler of SIGTERM must not wait longer than this.
MAX_WAIT_SECONDS = 0.1


class ControlChannel:
    """Reads the app's messages, and sends the adapter's; without a socket, the channel is closed.

    Attributes:
        has_debugger: whether DEBUGGER has come.
    """

    def __init__(self, channel: socket.socket | None = None, is_gone: Callable[[], bool] | None = None) -> None:
        """Create the adapter's end.

        Args:
            channel: the socket.
            is_gone: returns whether the app is gone; a process that the app has started may hold the channel open.
        """
        self._socket = channel
        self._is_gone = is_gone
        self.has_debugger = False
        self._buffer = b""

    def fileno(self) -> int:
        """Return the descriptor to wait on for messages; -1 when the channel is closed."""
        return self._socket.fileno() if self._socket else -1

    def read_message(self, timeout: float) -> bytes:
        """Wait for the next message, and return it.

        Args:
            timeout: seconds to wait.

        Returns:
            The message; empty when the channel has closed.

        Raises:
            TimeoutError: No message came in time.
        """
        channel = self._socket
        if channel is None:
            return b""
        deadline = 0.0
        gone = False
        flags = int(socket.MSG_DONTWAIT)  # mostly the message is there, and one system call is enough
        while b"\n" not in self._buffer:
            try:
                data = channel.recv(65536, flags)
            except BlockingIOError:
                if gone:
                    return b""
                now = time.monotonic()
                deadline = deadline or now + timeout
                if now >= deadline:
                    raise TimeoutError("nothing came on the control channel") from None
                gone = not flags and self._is_gone is not None and self._is_gone()
                flags = int(socket.MSG_DONTWAIT) if gone else 0  # what a dead app has sent has arrived already
                channel.setsockopt(
                    socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(min(deadline - now, MAX_WAIT_SECONDS))
                )
                continue
            except ConnectionError:
                data = b""
            if not data:
                return b""
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\n")
        return message

    def read_available(self) -> list[bytes] | None:
        """Return the messages that have arrived, without waiting; None when the channel has closed."""
        try:
            data = self._socket.recv(65536, socket.MSG_DONTWAIT) if self._socket else b""
        except BlockingIOError:
            return []
        except ConnectionError:
            data = b""
        if not data:
            return None
        *messages, self._buffer = (self._buffer + data).split(b"\n")
        return messages

    def unread(self, message: bytes) -> None:
        """Let the next call of `read_message` return this message."""
        self._buffer = message + b"\n" + self._buffer

    def is_stopping(self) -> bool:
        """Return whether STOPPING is among the messages that have arrived and are not read yet."""
        return encode(STOPPING) in self._unread()

    def is_debugged(self) -> bool:
        """Return whether a debugger may stop the app, so that no timeout applies; asked when one has passed."""
        if not self.has_debugger and os.environ.get(LOCAL_RUN_VARIABLE) and encode(DEBUGGER) in self._unread():
            self.mark_debugged()
        return self.has_debugger

    def mark_debugged(self) -> None:
        """Record that a debugger may stop the app, and report it to the local run, which has a timeout as well."""
        if not self.has_debugger:
            from lambda_web_adapter.adapter.process.debugger import report_debugger  # only in local runs

            self.has_debugger = True
            report_debugger()

    def _unread(self) -> bytes:
        try:
            data = self._socket.recv(65536, socket.MSG_PEEK | socket.MSG_DONTWAIT) if self._socket else b""
        except (BlockingIOError, ConnectionError):
            data = b""
        return self._buffer + data

    def has_closed(self) -> bool:
        """Return whether the app has closed its end, even if messages are not read yet."""
        if self._socket is None:
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLHUP)
        return bool(poll.poll(0))

    def send(self, line: bytes) -> None:
        """Send an encoded message; if the app has ended, that is noticed when its reply is read."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendall(line)

    def close(self) -> None:
        """Close the channel; a second call does nothing."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def timeval(seconds: float) -> bytes:
    """Return a timeout as SO_RCVTIMEO and SO_SNDTIMEO take it (socket(7)), never zero, which would mean none."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000) or 1)
