"""The server of the fake Runtime API: HTTP and its connections, with a thread for each."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from io import BufferedReader

    from support.fake_calls import Answer
    from support.fake_runtime_api import FakeRuntimeApi

# As Go's server has them, in which the emulator is written.
SECONDS_TO_LEAVE = 0.5
BYTES_TO_LEAVE = 256 * 1024


class Server(ThreadingHTTPServer):
    """Serves the API on a free port."""

    daemon_threads = False  # joined as the server closes
    request_queue_size = 128  # as many workers connect at once

    def __init__(self, api: FakeRuntimeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.api.connected(request)
        super().process_request(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone away is nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    rfile: BufferedReader

    def do_GET(self) -> None:  # the name that http.server calls
        self._answer()

    def do_POST(self) -> None:  # the name that http.server calls
        self._answer()

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        port = self.client_address[1]
        answer = self.server.api.heard(self.command, self.path, headers, self.rfile, self.connection, port)
        self.close_connection |= answer.closed or answer.reset or answer.headers.get("Connection") == "close"
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif not answer.closed:
            self._write(answer)
            if answer.headers.get("Connection") == "close":
                self._linger()

    def _write(self, answer: Answer) -> None:
        given = {
            "Content-Type": "application/json",
            "Content-Length": str(len(answer.body)),
            **answer.headers,
        }
        lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('-',))[0]}"]
        lines += [f"{name}: {value}" for name, value in given.items() if value is not None]
        self.wfile.write("\r\n".join([*lines, "\r\n"]).encode() + answer.body)

    def _linger(self) -> None:
        """Leaves the client a moment to read the answer: what it has sent meanwhile would have the kernel reset it."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(SECONDS_TO_LEAVE)
        left = BYTES_TO_LEAVE
        with suppress(OSError):
            while left > 0 and (piece := self.rfile.read1(left)):
                left -= len(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
        """The calls are recorded; nothing is written."""
