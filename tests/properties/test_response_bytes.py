"""The adapter's HTTP client, fed any bytes in any pieces: it ends in a response or in one of its three errors."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from unittest import mock

import h11
import pytest
from hypothesis import event as note
from hypothesis import example, given
from hypothesis import strategies as st
from support.blocking_client import Connection

from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp
from lambda_web_adapter.http.messages import Response
from properties.strategies import bodies, free_headers

REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
LONG = 900.0  # seconds


class Clock:
    """The monotonic clock of the connections; a socket on which nothing more comes lets the time pass."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


CLOCK = Clock()


@pytest.fixture(autouse=True, scope="module")
def clock() -> Iterator[None]:
    with mock.patch("lambda_web_adapter.adapter.io.blocking_client.time", CLOCK):
        yield


HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
EARLY = b"HTTP/1.1 103 Early Hints\r\nlink: early\r\n\r\n"
METHODS = st.sampled_from(["GET", "HEAD"])


class Pieces:
    """A socket on which these pieces come, and then the end; or no more in time, or a reset."""

    def __init__(self, pieces: list[bytes], end: str) -> None:
        self.pieces = [piece for piece in pieces if piece]
        self._end = end
        self.closed = False

    def recv(self, size: int, flags: int = 0) -> bytes:
        assert not self.closed
        if self.pieces:
            piece = self.pieces.pop(0)
            if len(piece) > size or flags & socket.MSG_PEEK:
                self.pieces.insert(0, piece if flags & socket.MSG_PEEK else piece[size:])
            return piece[:size]
        if self._end == "timeout" or flags & socket.MSG_DONTWAIT:
            CLOCK.now += 0 if flags & socket.MSG_DONTWAIT else LONG
            raise BlockingIOError
        if self._end == "reset":
            raise ConnectionResetError
        return b""

    def send(self, data: bytes, flags: int = 0) -> int:
        assert not self.closed
        return len(data)

    def close(self) -> None:
        self.closed = True

    def settimeout(self, seconds: float | None) -> None:
        """It has no timeouts."""

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """It has no options."""

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 50000)


def connected(*sockets: Pieces) -> Connection:
    """A connection whose `open` takes the next of these sockets."""
    connection = Connection("127.0.0.1", 8080)
    with mock.patch("socket.create_connection", side_effect=sockets):
        connection.open()
    return connection


def outcome(data: list[bytes], *, method: str = "GET", end: str = "close") -> Response | str:
    """What an exchange on a new connection ends in: a response, or the error's name."""
    opened = Pieces(data, end)
    connection = connected(opened)
    try:
        found = connection.exchange(REQUEST, method=method, deadline=CLOCK.now + LONG)
    except (ConnectionClosed, NotHttp, TimeoutError) as error:
        name = type(error).__name__
    else:
        assert bool(connection.port) != opened.closed
        return found
    assert opened.closed != (name == "TimeoutError")  # whoever is late may be looked at
    assert connection.port == 0
    return name


# Bytes that are nearly a response: its parts, as a server writes them, and as none does.
_PARTS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 304 Not Modified\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 999 \r\n",
    b"HTTP/1.1 200\r\n",
    b"HTTP/2 200 OK\r\n",
    b"content-length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"content-length: 99999999999999999999\r\n",
    b"content-length: -1\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"connection: close\r\n",
    b"connection: keep-alive\r\n",
    b"connection: upgrade\r\nupgrade: websocket\r\n",
    b"x-a: b\r\n",
    b"x-a:\r\n",
    b"x-a: \xff\r\n",
    b"x-a: b\r\n folded\r\n",
    b": no name\r\n",
    b"\r\n",
    b"\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"5;a=b\r\nhello\r\n",
    b"0\r\n\r\n",
    b"0\r\ntrailer: 1\r\n\r\n",
    b"FFFFFFFFFFFFFFFFF\r\n",
    b"\0",
]
response_like = st.lists(st.sampled_from(_PARTS) | st.binary(max_size=4), max_size=8).map(b"".join)


@st.composite
def in_pieces(draw: st.DrawFn, data: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(response_like | st.binary(), METHODS, st.sampled_from(["close", "timeout", "reset"]))
@example(HELLO + b"HTTP/1.1 200 OK\r\n\r\n", "GET", "close")
@example(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello", "GET", "close")
@example(b"HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nhello", "GET", "close")
def test_any_bytes_end_in_a_response_or_in_an_error_of_the_connection(data: bytes, method: str, end: str) -> None:
    found = outcome([data], method=method, end=end)

    note(found if isinstance(found, str) else "a response")
    if isinstance(found, Response):
        assert 200 <= found.status <= 999
        assert method == "GET" or found.body == b""


@given(response_like.flatmap(lambda data: st.tuples(st.just(data), in_pieces(data))), METHODS)
@example((HELLO + HELLO, [HELLO[:-1], HELLO[-1:] + HELLO]), "GET")
@example((HELLO, [bytes([byte]) for byte in HELLO]), "HEAD")
def test_how_the_bytes_are_split_makes_no_difference(sent: tuple[bytes, list[bytes]], method: str) -> None:
    data, pieces = sent

    assert outcome(pieces, method=method) == outcome([data], method=method)


def written(status: int, headers: list[tuple[str, str]], body: bytes, framing: str) -> bytes:
    """A response as h11 writes it."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(REQUEST)
    server.next_event()
    length = [("content-length", str(len(body)))] if framing == "length" else []
    lines = [(name.encode(), value.encode()) for name, value in [*headers, *length]]
    data = server.send(h11.Response(status_code=status, headers=lines)) or b""
    data += server.send(h11.Data(data=body)) or b""
    return data + (server.send(h11.EndOfMessage()) or b"")


before = st.just(b"") | st.sampled_from([EARLY, b"HTTP/1.1 100 Continue\r\n\r\n" + EARLY])
behind = st.just(b"") | st.just(HELLO) | response_like


@given(
    st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    free_headers,
    bodies,
    st.sampled_from(["length", "chunks"]),
    st.data(),
)
def test_a_response_is_read_as_it_was_written_whatever_comes_before_and_behind_it(
    status: int, headers: list[tuple[str, str]], body: bytes, framing: str, data: st.DataObject
) -> None:
    whole = data.draw(before) + written(status, headers, body, framing) + data.draw(behind)

    found = outcome(data.draw(in_pieces(whole)))

    assert isinstance(found, Response)
    assert (found.status, found.body) == (status, body)
    read = [(name.decode().lower(), value.decode()) for name, value in found.headers]
    assert [pair for pair in read if pair[0] not in ("content-length", "transfer-encoding")] == [
        (name.lower(), value) for name, value in headers
    ]


@given(response_like | st.just(HELLO), METHODS, in_pieces(HELLO))
@example(HELLO, "GET", [HELLO])
@example(HELLO, "HEAD", [HELLO])
@example(HELLO.removesuffix(b"hello"), "HEAD", [HELLO])
@example(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "GET", [HELLO])
def test_after_whatever_came_the_connection_serves_again(data: bytes, method: str, again: list[bytes]) -> None:
    """A kept connection hands the next request nothing of the last one; a closed one can be opened again."""
    first = Pieces([data], "timeout")
    connection = connected(first)
    with suppress(ConnectionClosed, NotHttp, TimeoutError):
        connection.exchange(REQUEST, method=method, deadline=CLOCK.now + LONG)
    if connection.is_open():
        first.pieces += filter(None, again)
    else:
        with mock.patch("socket.create_connection", return_value=Pieces([*filter(None, again)], "close")):
            connection.open()

    found = connection.exchange(REQUEST, deadline=CLOCK.now + LONG)

    assert (found.status, found.headers, found.body) == (200, [(b"content-length", b"5")], b"hello")
