"""Socket servers that do what a test says: the other end of a connection, byte for byte."""

from __future__ import annotations

import socket
import struct
from threading import Event, Thread
from typing import TYPE_CHECKING

from support.processes import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, ending: Event) -> None:
        self.socket = connection
        self.ending = ending
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read_request(self) -> bytes:
        """Reads a request, its body included, if it says how long that is."""
        data = bytearray()
        while b"\r\n\r\n" not in data:
            received = self.socket.recv(65536)
            if not received:
                return bytes(data)
            data += received
        head, _, body = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in bytes(head).split(b"\r\n")[1:])
        left = int(fields.get(b"content-length", 0)) - len(body)
        while left > 0 and (received := self.socket.recv(65536)):
            data += received
            left -= len(received)
        return bytes(data)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_slowly(self, data: bytes) -> None:
        """Sends each byte on its own; to whoever reads, they mostly come as such."""
        for byte in data:
            self.socket.send(bytes([byte]))

    def reset(self) -> None:
        """Breaks the connection, where `close` would end it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait(self, seconds: float = SECONDS) -> bool:
        """Lets time pass, but no longer than the test takes; says whether that has ended."""
        return self.ending.wait(seconds)


class ScriptedServer:
    """Listens on a free port; each connection is taken by `script`, in a thread, and closed when that returns."""

    def __init__(self, script: Callable[[Peer], object]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.accepted = 0
        self.ending = Event()
        self._sockets: list[socket.socket] = []
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self.ending.is_set():
                connection.close()
                return
            self.accepted += 1
            self._sockets.append(connection)
            self._threads.append(Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._script(Peer(connection, self.ending))
            except OSError:
                return  # the client has gone away, or the test is over

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ending.set()
        for connection in self._sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes up the thread that accepts
        for thread in self._threads:
            thread.join()
        self._listener.close()
