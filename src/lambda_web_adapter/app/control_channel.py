"""The app's end of the control channel; `ipc.control_protocol` has the messages."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import traceback
from _thread import start_new_thread as start_new_thread  # bound before an app can replace it
from select import POLLIN
from select import poll as new_poll  # eventlet removes it

from lambda_web_adapter.errors import AdapterError
from lambda_web_adapter.ipc.control_protocol import (
    CANCELLED,
    CLOSING,
    COMPLETED,
    DEBUGGER,
    DONE,
    READY,
    STACKS_DUMPED,
    STOPPING,
    encode,
    encode_failure,
)
from lambda_web_adapter.ipc.garbage_collection import resume_collection
from lambda_web_adapter.ipc.parent_process import end_with_parent


class AdapterChannel:
    """Sends the app's messages to the adapter, and reads the adapter's; without a socket, it does nothing."""

    def __init__(self, channel: socket.socket | None = None, stderr: int | None = None) -> None:
        """Create the app's end.

        Args:
            channel: the socket, if an adapter has started this process; the adapter is the parent process.
            stderr: the descriptor to use for stderr from READY on.
        """
        self._channel = channel
        self._stderr = stderr
        self._adapter = os.getppid()
        self._is_debugged = False

    def ready(self) -> None:
        """Send READY, and take stderr back; the start is over."""
        if self._stderr is not None:
            os.dup2(self._stderr, 2)
            os.close(self._stderr)
            self._stderr = None
        resume_collection()
        self._send(encode(READY))
        if self._channel is not None:
            end_with_parent(self._adapter)

    def done(self, port: int) -> None:
        """Send DONE for the request on the connection from this port."""
        self._send(encode(DONE, port))

    def closing(self, port: int) -> None:
        """Send CLOSING for the request on the connection from this port."""
        self._send(encode(CLOSING, port))

    def fileno(self) -> int:
        """Return the descriptor to wait on for messages and the adapter's end; -1 without a channel."""
        return self._channel.fileno() if self._channel is not None else -1

    def read_messages(self) -> list[bytes]:
        """Wait for messages of the adapter, and return them; none when the adapter has ended."""
        if self._channel is None:
            return []
        data = b""
        # A thread that waits in `recv` would wake up each time the adapter reads a message from the other end.
        poll = new_poll()
        poll.register(self._channel, POLLIN)
        while not data.endswith(b"\n"):
            poll.poll()
            try:
                part = self._channel.recv(4096)
            except BlockingIOError:  # an event loop that watches the channel makes it non-blocking
                continue
            except ConnectionError:
                part = b""
            if not part:
                return []  # also in the middle of a message
            data += part
        return data.split(b"\n")[:-1]

    def cancelled(self, port: int) -> None:
        """Send CANCELLED for a request, even if its call has not returned."""
        self._send(encode(CANCELLED, port))

    def completed(self) -> None:
        """Send COMPLETED."""
        self._send(encode(COMPLETED))

    def stacks_dumped(self) -> None:
        """Send STACKS_DUMPED."""
        self._send(encode(STACKS_DUMPED))

    def debugger(self) -> None:
        """Send DEBUGGER, unless it has been sent."""
        if not self._is_debugged:
            self._is_debugged = True
            self._send(encode(DEBUGGER))

    def failed(self, error: BaseException, *, is_logged: bool = False) -> None:
        """Send FAILED with an exception, its traceback, and whether the log has it already."""
        if isinstance(error, AdapterError):
            line = encode_failure(str(error), error.error_type)
        else:
            kind = type(error)
            raised = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
            stack = [_encodable(line) for line in traceback.format_exception(error)]
            line = encode_failure(_encodable(str(error)), _encodable(raised), stack, is_logged=is_logged)
        self._send(line)

    def stopping(self) -> None:
        """Send STOPPING, and wake the adapter; requests that have come may still get a response."""
        self._send(encode(STOPPING))
        self._wake_adapter()

    def close(self) -> None:
        """Shut the channel down, and wake the adapter: no request gets a response any more.

        Closing it is not enough, since processes that the app has started may hold it open. And this process may run
        for long after that.
        """
        if self._channel is not None:
            with contextlib.suppress(OSError):  # the adapter has ended
                self._channel.shutdown(socket.SHUT_RDWR)
            self._wake_adapter()

    def _wake_adapter(self) -> None:
        """Signal the adapter, which does not read the channel between two events."""
        if self._channel is not None and os.getppid() == self._adapter:
            os.kill(self._adapter, signal.SIGCHLD)

    def _send(self, line: bytes) -> None:
        if self._channel is None:
            return
        while line:
            try:
                line = line[self._channel.send(line) :]
            except BlockingIOError:  # see `read_messages`; hundreds of messages fill the channel
                select.select([], [self._channel], [])
            except BrokenPipeError:  # the server has stopped, or the adapter has ended
                return


def _encodable(text: str) -> str:
    """Return text with each half of a surrogate pair escaped, which UTF-8 cannot hold; file names may have them."""
    return text.encode("utf-8", "backslashreplace").decode()
