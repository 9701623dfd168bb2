"""The adapter's end of the control channel, a socket pair: a line for each thing that HTTP cannot say.

From the built-in server come `ready`, `failed {json}`, after each request `done PORT` or `closing PORT`, the answers to
what it is asked for, and in the end `stopping`. PORT is this side's port of the connection that a request came on; it
names the request, since a connection carries one at a time.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from lambda_web_adapter.ipc.control_protocol import STOPPING, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# The longest time that the kernel keeps for one call. One that is interrupted, by a freeze or a signal, begins anew
# with all of its time, which must not lead far beyond the deadline; and one that a signal does not interrupt, since it
# came just before, or to another thread, must not keep SIGTERM from its handler for longer.
MAX_WAIT_SECONDS = 0.1  # seconds


class ControlChannel:
    """What the app says of itself, line by line; without a socket it is closed."""

    def __init__(self, channel: socket.socket | None = None, is_gone: Callable[[], bool] | None = None) -> None:
        """Take the socket, and what looks whether the app is gone: a process that it has started may hold its end."""
        self._socket = channel
        self._is_gone = is_gone
        self._buffer = b""

    def fileno(self) -> int:
        """The file descriptor that is readable when there is something to read; -1 when the channel is closed."""
        return self._socket.fileno() if self._socket else -1

    def read_message(self, timeout: float) -> bytes:
        """Waits for the next line.

        Args:
            timeout: seconds to wait.

        Returns:
            The line, or nothing when the channel has closed.

        Raises:
            TimeoutError: no line came in time.
        """
        channel = self._socket
        if channel is None:
            return b""
        deadline = 0.0
        gone = False
        flags = int(socket.MSG_DONTWAIT)  # mostly the line is there already, and one system call is all it takes
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
                flags = int(socket.MSG_DONTWAIT) if gone else 0  # what it has said is here already
                channel.setsockopt(
                    socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(min(deadline - now, MAX_WAIT_SECONDS))
                )
                continue
            except ConnectionError:
                data = b""
            if not data:
                return b""
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def read_available(self) -> list[bytes] | None:
        """Reads the lines that are there, without waiting; None when the channel has closed."""
        try:
            data = self._socket.recv(65536, socket.MSG_DONTWAIT) if self._socket else b""
        except BlockingIOError:
            return []
        except ConnectionError:
            data = b""
        if not data:
            return None
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return lines

    def has_closed(self) -> bool:
        """Return whether the app has closed its end, or says next that its server takes no more requests."""
        if self._socket is None:
            return True
        stopping = encode(STOPPING)
        try:
            data = self._socket.recv(len(stopping), socket.MSG_PEEK | socket.MSG_DONTWAIT)
            return not data or data == stopping
        except BlockingIOError:
            return False
        except ConnectionError:
            return True

    def send(self, line: bytes) -> None:
        """Asks our own server for something; that it has ended is heard when the answer is read."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendall(line)

    def close(self) -> None:
        """Closes the channel."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def timeval(seconds: float) -> bytes:
    """Writes a time as the kernel takes it for SO_RCVTIMEO and SO_SNDTIMEO (socket(7)); zero would mean no limit."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000) or 1)
