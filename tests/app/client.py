"""A client that takes HTTP/1.1 literally: it writes bytes and reads responses one by one from a kept connection.

It is meant to be strict and shares no code with what it tests, nor a parser (RFC 9112 §2.2, §6.3, §7.1).
"""

import re
import socket
from dataclasses import dataclass
from types import TracebackType

SECONDS = 20.0

_STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ([^\r\n]*)\r\n")
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\0]*?)[ \t]*\r\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]+)\r\n")


class Broken(Exception):
    """The connection ended before the response did, or what came is not HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response: the head, and the body when it was read."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found.lower() == name]


class Client:
    """One connection to a server on this machine.

    Attributes:
        name: what the control channel calls this connection: this side's port.
    """

    def __init__(self, port: int) -> None:
        """Connect to a port of this machine."""
        self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.name = str(self._socket.getsockname()[1])
        self._reader = self._socket.makefile("rb")

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def head(self) -> Response:
        """Read the head of a response, interim ones included."""
        status = _STATUS_LINE.fullmatch(self._line())
        if not status:
            raise Broken("this is no status line")
        headers = []
        while (line := self._line()) != b"\r\n":
            field = _FIELD_LINE.fullmatch(line)
            if not field:
                raise Broken(f"this is no header: {line!r}")
            headers.append((field[1].decode("ascii"), field[2].decode("latin-1")))
        return Response(status=int(status[1]), reason=status[2].decode("latin-1"), headers=headers)

    def chunk(self) -> bytes:
        """Read one chunk of a chunked body; the last one is empty."""
        size = _CHUNK_LINE.fullmatch(self._line())
        if not size:
            raise Broken("this is no chunk")
        data = self._exactly(int(size[1], 16))
        if self._line() != b"\r\n":
            raise Broken("the chunk is longer than it says")
        return data

    def read(self, size: int) -> bytes:
        """Read a part of a body of known length."""
        return self._exactly(size)

    def response(self, method: str = "GET") -> Response:
        """Read a whole response to a request with this method."""
        head = self.head()
        body = b"" if method == "HEAD" or head.status in (204, 304) else self._body(head)
        return Response(status=head.status, reason=head.reason, headers=head.headers, body=body)

    def ask(self, method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> Response:
        """Send a request as the adapter would, and read the response."""
        self.send(request(method, target, *headers, body=body))
        return self.response(method)

    def is_closed_by_peer(self) -> bool:
        """Wait until the server has closed the connection."""
        try:
            return self._reader.read(1) == b""
        except ConnectionResetError:
            return True

    def _body(self, head: Response) -> bytes:
        lengths = head.values("content-length")
        codings = head.values("transfer-encoding")
        if len(lengths) + len(codings) > 1:
            raise Broken("the body's length is said twice")
        if lengths:
            return self._exactly(int(lengths[0]))
        if codings:
            parts = iter(self.chunk, b"")
            return b"".join(parts)
        if head.values("connection") != ["close"]:
            raise Broken("the body's end is not said")
        return self._reader.read()

    def _exactly(self, size: int) -> bytes:
        try:
            data = self._reader.read(size)
        except ConnectionResetError:
            data = b""
        if len(data) < size:
            raise Broken("the connection ended in the middle of a body")
        return data

    def _line(self) -> bytes:
        try:
            line = self._reader.readline()
        except ConnectionResetError:
            line = b""
        if not line:
            raise Broken("the connection ended")
        return line


def request(method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> bytes:
    """A request's bytes; Host and Content-Length are added where they are not given and make sense."""
    names = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append("Host: app.test")
    lines += [f"{name}: {value}" for name, value in headers]
    if body and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + body
