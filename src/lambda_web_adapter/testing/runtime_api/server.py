"""The server of the Runtime API for tests: HTTP and its connections, with a thread for each."""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from io import BufferedReader

    from lambda_web_adapter.testing.runtime_api.calls import Answer
    from lambda_web_adapter.testing.runtime_api.rules import Rules

# As Go's server has them, in which the Runtime Interface Emulator is written (net/http/server.go).
LINGER_SECONDS = 0.5
LINGER_BYTES = 256 * 1024


class Server(ThreadingHTTPServer):
    """Serve the Runtime API on a free port."""

    request_queue_size = 128  # as many workers connect at once

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._handlers: list[Thread] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a connection to a thread, and to who ends it at the end."""
        self.rules.add_connection(request)
        handler = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._handlers.append(handler)
        handler.start()

    def server_close(self) -> None:
        """Close the listener, and wait for the threads; one that is not closed does not keep the interpreter alive."""
        super().server_close()
        for handler in self._handlers:
            handler.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of an error; a client that has gone away is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


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
        answer = self.server.rules.receive(self.command, self.path, headers, self.rfile, self.connection, port)
        if answer.delay:
            self.server.rules.wait_for_close(answer.delay)
        is_last = answer.cut_at is not None or answer.headers.get("Connection") == "close"
        self.close_connection |= answer.closed or answer.reset or is_last
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif not answer.closed:
            self._write(answer)
            if is_last:
                self._linger()

    def _write(self, answer: Answer) -> None:
        headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('-',))[0]}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        self.wfile.write("\r\n".join([*lines, "\r\n"]).encode() + answer.body[: answer.cut_at])

    def _linger(self) -> None:
        """Leave the client a moment to read the answer: for what it has sent meanwhile the kernel would reset it."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(LINGER_SECONDS)
        remaining = LINGER_BYTES
        with suppress(OSError):
            while remaining > 0 and (piece := self.rfile.read1(remaining)):
                remaining -= len(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
        """Write nothing: the calls are recorded."""
