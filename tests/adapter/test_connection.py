"""The adapter's HTTP client against scripted servers; for whole responses, httpx is the independent reference."""

from __future__ import annotations

import signal
import time
import tracemalloc
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING
from unittest import mock

import httpx
import pytest
from adapter.scripted import Peer, ScriptedServer
from support.blocking_client import Connection
from support.processes import SECONDS, wait_until

from lambda_web_adapter.adapter import lifecycle
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp, ResponseParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _pytest.mark import ParameterSet

    Connect = Callable[[ScriptedServer], Connection]
    Seen = tuple[int, tuple[tuple[bytes, bytes], ...], bytes]  # status, headers with names in lower case, body
    See = Callable[[ScriptedServer, str], Seen]

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nhost: localhost\r\n\r\n"
LARGE = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 20000000\r\n\r\n" + bytes(20_000_000)
HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@dataclass(frozen=True)
class Case:
    """What a server sends, and what of it a client must see."""

    sent: bytes
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    method: str = "GET"
    closes: bool = False  # the server closes after it, because that is the end of the body
    kept: bool = True  # the connection can take another request


LENGTH_5 = ((b"content-length", b"5"),)
CHUNKED = ((b"transfer-encoding", b"chunked"),)
CASES = {
    "length": Case(HELLO, headers=LENGTH_5, body=b"hello"),
    "length of zero": Case(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", headers=((b"content-length", b"0"),)),
    "chunks": Case(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n02\r\nlo\r\n0\r\n\r\n",
        headers=CHUNKED,
        body=b"hello",
    ),
    "chunk extension": Case(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
        headers=CHUNKED,
        body=b"hello",
    ),
    "trailers": Case(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\ncontent-encoding: gzip\r\n\r\n",
        headers=CHUNKED,
        body=b"hello",
    ),
    "no chunk": Case(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", headers=CHUNKED),
    "until the end": Case(b"HTTP/1.1 200 OK\r\n\r\nhello", body=b"hello", closes=True, kept=False),
    "nothing until the end": Case(b"HTTP/1.1 200 OK\r\n\r\n", closes=True, kept=False),
    "HTTP/1.0": Case(
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        headers=LENGTH_5,
        body=b"hello",
        closes=True,
        kept=False,
    ),
    "says that it closes": Case(
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
        headers=((b"connection", b"close"), *LENGTH_5),
        body=b"hello",
        closes=True,
        kept=False,
    ),
    "204": Case(b"HTTP/1.1 204 No Content\r\na: b\r\n\r\n", 204, ((b"a", b"b"),)),
    "304 with a length": Case(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304, LENGTH_5),
    "interim response": Case(b"HTTP/1.1 100 Continue\r\nearly: 1\r\n\r\n" + HELLO, headers=LENGTH_5, body=b"hello"),
    "two interim responses": Case(
        2 * b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + HELLO, headers=LENGTH_5, body=b"hello"
    ),
    "HEAD with a length": Case(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", headers=LENGTH_5, method="HEAD"),
    "HEAD with chunks": Case(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", headers=CHUNKED, method="HEAD"),
    "HEAD without a length": Case(
        b"HTTP/1.1 404 Not Found\r\na: b\r\n\r\n", 404, ((b"a", b"b"),), method="HEAD", kept=False
    ),
    "HEAD with an interim response": Case(
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + HELLO[:-5], headers=LENGTH_5, method="HEAD"
    ),
    "headers in their order": Case(
        b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nX-Mixed: Case\r\nset-cookie: b=2\r\ncontent-length: 0\r\n\r\n",
        headers=(
            (b"set-cookie", b"a=1"),
            (b"x-mixed", b"Case"),
            (b"set-cookie", b"b=2"),
            (b"content-length", b"0"),
        ),
    ),
    "bytes in headers": Case(
        b"HTTP/1.1 200 OK\r\nempty:\r\nname: caf\xe9 \xc3\xa9\r\ncontent-length: 0\r\n\r\n",
        headers=(
            (b"empty", b""),
            (b"name", b"caf\xe9 \xc3\xa9"),
            (b"content-length", b"0"),
        ),
    ),
    "spaces around a value": Case(
        b"HTTP/1.1 200 OK\r\npadded: \t b \t\r\ncontent-length: 0\r\n\r\n",
        headers=((b"padded", b"b"), (b"content-length", b"0")),
    ),
    "no reason": Case(b"HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n", 299, ((b"content-length", b"0"),)),
    "a status of its own": Case(HELLO.replace(b"200 OK", b"599 "), 599, LENGTH_5, b"hello"),
}


def chosen(choose: Callable[[Case], bool]) -> list[ParameterSet]:
    return [pytest.param(case, id=name) for name, case in CASES.items() if choose(case)]


def answering(*responses: bytes, slowly: bool = False, close: bool = True) -> Callable[[Peer], None]:
    """Makes a script: for each request the next response, then the end, or nothing more."""

    def script(peer: Peer) -> None:
        for response in responses:
            if not peer.read_request():
                return
            (peer.send_slowly if slowly else peer.send)(response)
        if not close:
            peer.socket.recv(1)  # waits for the other side to close

    return script


def client_to(server: ScriptedServer) -> Connection:
    return Connection("127.0.0.1", server.port)


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def connected(server: ScriptedServer) -> Connection:
            connection = client_to(server)
            connection.open(SECONDS)
            stack.callback(connection.close)
            return connection

        yield connected


def soon() -> float:
    """A deadline that no test that passes reaches."""
    return time.monotonic() + SECONDS


def exchanged(server: ScriptedServer, method: str) -> Seen:
    """What the adapter's client sees."""
    connection = client_to(server)
    connection.open(SECONDS)
    try:
        response = connection.exchange(HEAD if method == "HEAD" else GET, method=method, deadline=soon())
    finally:
        connection.close()
    return response.status, tuple((name.lower(), value) for name, value in response.headers), response.body


def seen_by_httpx(server: ScriptedServer, method: str) -> Seen:
    """What httpx sees."""
    with (
        httpx.Client(trust_env=False, timeout=SECONDS) as client,
        client.stream(method, server.url) as response,
    ):
        body = b"".join(response.iter_raw())
        return response.status_code, tuple((name.lower(), value) for name, value in response.headers.raw), body


CLIENTS = [pytest.param(exchanged, id="adapter"), pytest.param(seen_by_httpx, id="httpx")]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("slowly", [pytest.param(False, id="at once"), pytest.param(True, id="byte by byte")])
@pytest.mark.parametrize("case", chosen(lambda case: True))
def test_a_response_is_seen_as_it_was_sent(case: Case, slowly: bool, client: See) -> None:
    with ScriptedServer(answering(case.sent, slowly=slowly, close=case.closes)) as server:
        assert client(server, case.method) == (case.status, case.headers, case.body)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_long_body_arrives_whole(client: See) -> None:
    body = bytes(range(256)) * 20_000
    sent = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)

    with ScriptedServer(answering(sent, close=False)) as server:
        assert client(server, "GET")[2] == body


@pytest.mark.parametrize("case", chosen(lambda case: case.kept))
def test_after_a_response_with_an_end_of_its_own_the_connection_takes_another_request(
    case: Case, connect: Connect
) -> None:
    with ScriptedServer(answering(case.sent, HELLO, close=False)) as server:
        connection = connect(server)
        connection.exchange(HEAD if case.method == "HEAD" else GET, method=case.method, deadline=soon())

        assert connection.is_open()
        second = connection.exchange(GET, deadline=soon())

        assert (second.status, second.headers, second.body) == (200, list(LENGTH_5), b"hello")
        assert server.accepted == 1


@pytest.mark.parametrize("case", chosen(lambda case: not case.kept and case.method == "GET"))
def test_after_a_response_that_ends_the_connection_it_is_closed(case: Case, connect: Connect) -> None:
    with ScriptedServer(answering(case.sent, close=True)) as server:
        connection = connect(server)

        connection.exchange(GET, deadline=soon())

        assert not connection.is_open()


def test_a_connection_can_be_opened_again(connect: Connect) -> None:
    with ScriptedServer(answering(HELLO.replace(b"OK\r\n", b"OK\r\nconnection: close\r\n"))) as server:
        connection = connect(server)
        connection.exchange(GET, deadline=soon())

        connection.open(SECONDS)

        assert connection.is_open()
        assert connection.exchange(GET, deadline=soon()).body == b"hello"
        assert server.accepted == 2


def test_a_request_is_sent_as_it_is(connect: Connect) -> None:
    body = bytes(range(256)) * 20_000
    request = b"POST /a?b HTTP/1.1\r\nHost: localhost\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    came: list[bytes] = []

    def script(peer: Peer) -> None:
        came.append(peer.read_request())
        peer.send(HELLO)

    with ScriptedServer(script) as server:
        connect(server).exchange(request, method="POST", deadline=soon())

    assert came == [request]


def test_a_connection_that_was_closed_meanwhile_is_not_open(connect: Connect) -> None:
    with ScriptedServer(answering(HELLO)) as server:
        connection = connect(server)
        connection.exchange(GET, deadline=soon())

        wait_until(lambda: not connection.is_open(), "the end of the connection is seen")


def test_a_connection_that_was_reset_meanwhile_is_not_open(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        answering(HELLO)(peer)
        peer.reset()

    with ScriptedServer(script) as server:
        connection = connect(server)
        connection.exchange(GET, deadline=soon())

        wait_until(lambda: not connection.is_open(), "the reset is seen")


def test_a_connection_on_which_something_came_unasked_is_not_open(connect: Connect) -> None:
    go_on = Event()

    def script(peer: Peer) -> None:
        answering(HELLO)(peer)
        go_on.wait(SECONDS)
        peer.send(HELLO)
        peer.wait()

    with ScriptedServer(script) as server:
        connection = connect(server)
        connection.exchange(GET, deadline=soon())
        assert connection.is_open()
        go_on.set()

        wait_until(lambda: not connection.is_open(), "the bytes that nobody asked for are seen")


@pytest.mark.parametrize(
    "surplus",
    [
        pytest.param(b"garbage", id="garbage"),
        pytest.param(b"HTTP/1.1 500 No\r\na: b\r\ncontent-length: 3\r\n\r\nbad", id="a whole response"),
        pytest.param(b"HTTP/1.1 500 No\r\na: b\r\ncontent-length: 30\r\n\r\nbad", id="a part of a response"),
    ],
)
def test_what_comes_behind_a_response_is_no_part_of_it_nor_of_the_next(surplus: bytes, connect: Connect) -> None:
    with ScriptedServer(answering(HELLO + surplus, HELLO, close=False)) as server:
        connection = connect(server)

        first = connection.exchange(GET, deadline=soon())

        assert (first.status, first.headers, first.body) == (200, list(LENGTH_5), b"hello")
        assert not connection.is_open()


def test_a_body_that_a_head_request_gets_nevertheless_is_no_part_of_the_response(connect: Connect) -> None:
    with ScriptedServer(answering(HELLO, HELLO, close=False)) as server:
        connection = connect(server)

        first = connection.exchange(HEAD, method="HEAD", deadline=soon())

        assert (first.status, first.headers, first.body) == (200, list(LENGTH_5), b"")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-le", id="half a head"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="an interim response"),
        pytest.param(HELLO[:-2], id="half a body"),
        pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel", id="half a chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nhello", id="a body without an end"),
    ],
)
def test_a_response_that_does_not_come_is_given_up_at_the_deadline(sent: bytes, connect: Connect) -> None:
    with ScriptedServer(answering(sent, close=False)) as server:
        connection = connect(server)
        began = time.monotonic()

        with pytest.raises(TimeoutError):
            connection.exchange(GET, deadline=began + 0.05)

        assert 0.05 <= time.monotonic() - began < 1
        assert not connection.is_open()


@pytest.mark.parametrize("milliseconds", [0, 1, 10, 19, 21])
def test_a_deadline_may_be_near(milliseconds: int, connect: Connect) -> None:
    with ScriptedServer(answering(b"", close=False)) as server:
        connection = connect(server)
        began = time.monotonic()

        with pytest.raises(TimeoutError):
            connection.exchange(GET, deadline=began + milliseconds / 1000)

        assert time.monotonic() - began < 1


def test_a_response_that_trickles_is_given_up_at_the_deadline(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while not peer.wait(0.01):
            peer.send(b"x")

    with ScriptedServer(script) as server:
        connection = connect(server)
        began = time.monotonic()

        with pytest.raises(TimeoutError):
            connection.exchange(GET, deadline=began + 0.15)

        assert 0.15 <= time.monotonic() - began < 1


def take_slowly(peer: Peer) -> None:
    """Takes 2 MB a second: always enough to go on, never enough to come to an end."""
    while not peer.wait(0.05):
        peer.socket.recv(100_000)


@pytest.mark.parametrize(
    "script", [pytest.param(lambda peer: peer.wait(), id="not at all"), pytest.param(take_slowly, id="slowly")]
)
def test_a_request_that_is_not_taken_is_given_up_at_the_deadline(
    script: Callable[[Peer], object], connect: Connect
) -> None:
    with ScriptedServer(script) as server:
        connection = connect(server)
        began = time.monotonic()

        with pytest.raises(TimeoutError):
            connection.exchange(LARGE, method="POST", deadline=began + 0.2)

        assert 0.2 <= time.monotonic() - began < 1.5


def test_time_that_the_request_has_taken_is_not_given_to_the_response(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        peer.wait(0.7)
        peer.read_request()
        peer.wait()

    with ScriptedServer(script) as server:
        connection = connect(server)
        began = time.monotonic()

        with pytest.raises(TimeoutError):
            connection.exchange(LARGE, method="POST", deadline=began + 0.9)

        assert 0.9 <= time.monotonic() - began < 1.5


def test_after_the_deadline_nothing_is_awaited(connect: Connect) -> None:
    with ScriptedServer(answering(HELLO)) as server, pytest.raises(TimeoutError):
        connect(server).exchange(GET, deadline=time.monotonic() - 1)


def test_a_deadline_holds_for_one_exchange_only(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        answering(HELLO)(peer)
        peer.read_request()
        peer.wait(0.3)
        peer.send(HELLO)

    with ScriptedServer(script) as server:
        connection = connect(server)
        connection.exchange(GET, deadline=time.monotonic() + 0.2)

        assert connection.exchange(GET).body == b"hello"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"no HTTP at all\r\n\r\n", id="garbage"),
        pytest.param(b"\x16\x03\x01\x00\x01", id="TLS"),
        pytest.param(HELLO.replace(b"HTTP/1.1", b"HTTP/9.9"), id="version"),
        pytest.param(HELLO.replace(b"200", b"2x0"), id="status"),
        pytest.param(HELLO.replace(b"content-length: 5", b"content length 5"), id="header without a colon"),
        pytest.param(HELLO.replace(b"h: 5", b"h: -5"), id="negative length"),
        pytest.param(HELLO.replace(b"h: 5", b"h: 5\r\ncontent-length: 4"), id="two lengths"),
        pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", id="size of a chunk"),
        pytest.param(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", id="upgrade"),
    ],
)
def test_what_is_not_http_is_refused(sent: bytes, connect: Connect) -> None:
    with ScriptedServer(answering(sent, close=False)) as server:
        connection = connect(server)

        with pytest.raises(NotHttp):
            connection.exchange(GET, deadline=soon())

        assert not connection.is_open()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-le", id="half a head"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="an interim response"),
        pytest.param(HELLO[:-2], id="half a body"),
        pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", id="no last chunk"),
    ],
)
def test_a_response_that_breaks_off_is_said_to(sent: bytes, connect: Connect) -> None:
    with ScriptedServer(answering(sent)) as server:
        connection = connect(server)

        with pytest.raises(ConnectionClosed) as caught:
            connection.exchange(GET, deadline=soon())

        assert caught.value.received == bool(sent)
        assert not connection.is_open()


def test_a_reset_instead_of_a_response_is_said_to_be_one(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.reset()

    with ScriptedServer(script) as server:
        connection = connect(server)

        with pytest.raises(ConnectionClosed, match="reset") as caught:
            connection.exchange(GET, deadline=soon())

        assert not caught.value.received
        assert not connection.is_open()


@pytest.mark.parametrize("reporting", [False, True], ids=["alone", "while an error is reported"])
def test_a_signal_that_ends_the_process_is_not_lost_while_a_response_is_read(reporting: bool) -> None:
    """Its handler raises SystemExit wherever Python code runs, inside the parser too, which turns it into its own."""

    def interrupted(self: ResponseParser, name: bytes, value: bytes) -> None:
        lifecycle._exit(signal.SIGTERM, None)

    before = signal.getsignal(signal.SIGTERM)
    with ScriptedServer(answering(HELLO)) as server, mock.patch.object(ResponseParser, "on_header", interrupted):
        connection = client_to(server)
        connection.open(SECONDS)

        try:
            if reporting:
                raise ValueError("this is what is reported")
            with pytest.raises(SystemExit):
                connection.exchange(GET, deadline=soon())
        except ValueError:
            with pytest.raises(SystemExit):
                connection.exchange(GET, deadline=soon())
        finally:
            signal.signal(signal.SIGTERM, before)

        assert not connection.is_open()


def test_a_connection_that_is_not_open_takes_no_request() -> None:
    with ScriptedServer(answering()) as server, pytest.raises(ConnectionClosed, match="not open"):
        client_to(server).exchange(GET)


def test_opening_fails_where_nobody_listens() -> None:
    with ScriptedServer(answering()) as server:
        connection = client_to(server)

    with pytest.raises(ConnectionRefusedError):
        connection.open(SECONDS)

    assert not connection.is_open()


def sent_by_adapter(server: ScriptedServer) -> int:
    connection = client_to(server)
    connection.open(SECONDS)
    try:
        return connection.exchange(LARGE, method="POST", deadline=soon()).status
    finally:
        connection.close()


def sent_by_httpx(server: ScriptedServer) -> int:
    return httpx.post(server.url, content=bytes(20_000_000), trust_env=False, timeout=SECONDS).status_code


@pytest.mark.parametrize(
    "client", [pytest.param(sent_by_adapter, id="adapter"), pytest.param(sent_by_httpx, id="httpx")]
)
def test_a_response_that_comes_before_the_request_was_taken_is_seen(client: Callable[[ScriptedServer], int]) -> None:
    """Servers with a limit for bodies answer 413 and close, without reading on."""

    def script(peer: Peer) -> None:
        peer.socket.recv(1000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")

    with ScriptedServer(script) as server:
        assert client(server) == 413


@pytest.mark.parametrize("length", [1_000_000, 1_000_001], ids=["whole", "broken off"])
def test_nothing_of_a_body_is_kept(length: int) -> None:
    """A connection to an app that has died can outlive it, until the garbage collector comes by."""
    response = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length + bytes(1_000_000)

    def serve(peer: Peer) -> None:
        peer.read_request()
        peer.send(response)

    with ScriptedServer(serve) as server:
        connection = Connection("127.0.0.1", server.port)
        connection.open()
        tracemalloc.start()
        try:
            with suppress(ConnectionClosed):
                connection.exchange(GET)
            kept, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        connection.close()

    assert most > 1_000_000
    assert kept < 100_000


# Lengths that are said more than once (RFC 9110 §8.6).


@pytest.mark.parametrize("slowly", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(
    "lengths",
    [
        "content-length: 5\r\nContent-Length: 5",
        "content-length: 5, 5",
        "Content-Length: 5\r\na: b\r\ncontent-length: 5,5",
    ],
)
@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"], ids=["alone", "interim"])
def test_equal_lengths_count_as_one(before: bytes, lengths: str, slowly: bool, connect: Connect) -> None:
    sent = before + f"HTTP/1.1 200 OK\r\n{lengths}\r\n\r\nhello".encode()

    with ScriptedServer(answering(sent, HELLO, slowly=slowly, close=False)) as server:
        connection = connect(server)
        responses = [connection.exchange(GET, deadline=soon()) for _ in range(2)]

        assert [response.body for response in responses] == [b"hello"] * 2
        assert responses[0].headers[-1] == (b"content-length", b"5")


@pytest.mark.parametrize("lengths", ["content-length: 5\r\ncontent-length: 6", "content-length: 5, 6"])
def test_different_lengths_are_the_app_s_fault_and_named(lengths: str, connect: Connect) -> None:
    with ScriptedServer(answering(f"HTTP/1.1 200 OK\r\n{lengths}\r\n\r\nhello".encode())) as server:
        connection = connect(server)

        with pytest.raises(NotHttp, match="the app sent different Content-Lengths: 5, 6"):
            connection.exchange(GET, deadline=soon())
