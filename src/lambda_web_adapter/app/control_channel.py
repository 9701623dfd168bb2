"""The app's end of the control channel: a line for each thing that the adapter waits for."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import traceback
from _thread import start_new_thread as start_new_thread  # bound before an app can replace it

from lambda_web_adapter.errors import AdapterError
from lambda_web_adapter.ipc.control_protocol import (
    CANCELLED,
    CLOSING,
    COMPLETED,
    DONE,
    READY,
    STACKS_DUMPED,
    STOPPING,
    encode,
    encode_failure,
)
from lambda_web_adapter.ipc.parent_process import end_with_parent


class AdapterChannel:
    """Tells the adapter what cannot be seen from the HTTP connection; without a channel it tells nobody."""

    def __init__(self, channel: socket.socket | None = None, stderr: int | None = None) -> None:
        """Takes the channel, and what stderr is to be when the app is ready; the adapter is the parent process."""
        self._channel = channel
        self._stderr = stderr
        self._adapter = os.getppid()

    def ready(self) -> None:
        """Says that the app takes requests: it is imported, and its lifespan startup is complete."""
        if self._stderr is not None:
            os.dup2(self._stderr, 2)
            os.close(self._stderr)
            self._stderr = None
        self._send(encode(READY))
        if self._channel is not None:
            end_with_parent(self._adapter)

    def done(self, port: int) -> None:
        """Says that the app's call has returned, for the request on the connection from this port."""
        self._send(encode(DONE, port))

    def closing(self, port: int) -> None:
        """Says the same, and that the connection is about to be closed."""
        self._send(encode(CLOSING, port))

    def fileno(self) -> int:
        """The file descriptor that is readable when the adapter asks for something, or has ended; -1 without one."""
        return self._channel.fileno() if self._channel is not None else -1

    def read_messages(self) -> list[bytes]:
        """Reads what the adapter asks for, a line for each thing; nothing when the adapter has ended.

        `snapshot` and `restore` have hooks called, `cancel PORT` the call for the request on that connection cancelled,
        `stacks` the stacks written to the log.
        """
        if self._channel is None:
            return []
        data = b""
        while not data.endswith(b"\n"):
            try:
                part = self._channel.recv(4096)
            except BlockingIOError:  # an event loop that watches the channel has it so
                select.select([self._channel], [], [])
                continue
            except ConnectionError:
                part = b""
            if not part:
                return []  # also in the middle of a line
            data += part
        return data.split(b"\n")[:-1]

    def cancelled(self, port: int) -> None:
        """Says that a request's end was taken note of, whether its call has returned or not."""
        self._send(encode(CANCELLED, port))

    def completed(self) -> None:
        """Says that what was asked for is done."""
        self._send(encode(COMPLETED))

    def stacks_dumped(self) -> None:
        """Says that the stacks were written to the log."""
        self._send(encode(STACKS_DUMPED))

    def failed(self, error: BaseException) -> None:
        """Says that the app cannot be served, and why."""
        if isinstance(error, AdapterError):
            line = encode_failure(str(error), error.error_type)
        else:
            kind = type(error)
            raised = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
            stack = [_encodable(line) for line in traceback.format_exception(error)]
            line = encode_failure(_encodable(str(error)), _encodable(raised), stack)
        self._send(line)

    def stopping(self) -> None:
        """Let the adapter know that the server takes no more requests; what it has, it may still answer."""
        self._send(encode(STOPPING))
        self._have_adapter_look()

    def close(self) -> None:
        """Let the adapter know that nothing will be answered any more, although the process may go on for long.

        The channel is shut down, and not just closed, since processes that the app has started may hold it too.
        """
        if self._channel is not None:
            with contextlib.suppress(OSError):  # the adapter has ended before
                self._channel.shutdown(socket.SHUT_RDWR)
            self._have_adapter_look()

    def _have_adapter_look(self) -> None:
        """Signal the adapter, which reads the channel only where it waits for a line."""
        if self._channel is not None and os.getppid() == self._adapter:
            os.kill(self._adapter, signal.SIGCHLD)

    def _send(self, line: bytes) -> None:
        if self._channel is None:
            return
        while line:
            try:
                line = line[self._channel.send(line) :]
            except BlockingIOError:  # an event loop that watches the channel has it so; hundreds of lines fill it
                select.select([], [self._channel], [])
            except BrokenPipeError:  # nobody waits for it any more: the server has stopped, or the adapter has ended
                return


def _encodable(text: str) -> str:
    """Escapes what no UTF-8 can hold: half of a surrogate pair, as file names may have."""
    return text.encode("utf-8", "backslashreplace").decode()
