"""A streamed response, sent to a Runtime API by hand: what an HTTP client would not do can be done as well."""

from __future__ import annotations

import json
import socket
import struct
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from support.processes import SECONDS
from support.streamed_format import CONTENT_TYPE, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
PRELUDE = json.dumps({"statusCode": 200, "headers": {"content-type": "text/plain"}, "cookies": []}).encode() + SEPARATOR


class Upload:
    """A streamed response on a connection of its own, from its head on."""

    def __init__(
        self,
        address: str,
        request_id: str,
        *,
        mode: str | None = "streaming",
        trailer: str | None = f"{ERROR_TYPE}, {ERROR_BODY}",
        **headers: str,
    ) -> None:
        """Connects, and sends the head; a `mode` or `trailer` of None leaves its header out."""
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=SECONDS)
        given = {
            "Host": address,
            "Content-Type": CONTENT_TYPE,
            "Transfer-Encoding": "chunked",
            "Lambda-Runtime-Function-Response-Mode": mode,
            "Trailer": trailer,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"POST /2018-06-01/runtime/invocation/{request_id}/response HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in given.items() if value is not None]
        self._socket.sendall("\r\n".join([*lines, "\r\n"]).encode())

    def send(self, *chunks: bytes) -> Upload:
        """Sends chunks, each at once."""
        for chunk in chunks:
            self._socket.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        return self

    def send_raw(self, data: bytes) -> Upload:
        """Sends what need not be a chunk."""
        self._socket.sendall(data)
        return self

    def send_what_is_taken(self, chunk: bytes, seconds: float) -> int:
        """Sends a chunk again and again, until none is taken for so long; returns how many bytes were."""
        self._socket.settimeout(seconds)
        sent = 0
        try:
            while True:
                sent += self._socket.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        except TimeoutError:
            return sent

    def end(self, trailers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Sends the last chunk, and returns what `answer` does."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in (trailers or {}).items())
        self._socket.sendall(f"0\r\n{lines}\r\n".encode())
        return self.answer()

    def break_off(self) -> None:
        """Ends the body without its last chunk, where an answer can still be read."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Breaks the connection."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def answer(self) -> tuple[int, Any]:
        """Waits for the answer; returns its status, and the document in it."""
        response = HTTPResponse(self._socket)
        response.begin()
        return response.status, json.loads(response.read())

    def __enter__(self) -> Upload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
