"""Both of the adapter's HTTP clients, where body or request goes part by part, against scripted servers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from threading import Event
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from adapter.scripted import Peer, ScriptedServer
from support.processes import SECONDS

from lambda_web_adapter.adapter.concurrent_workers import _new_loop
from lambda_web_adapter.adapter.io.asyncio_client import AsyncioClient
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from lambda_web_adapter.adapter.io.backend import HttpClient

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
HELLO = OK + b"content-length: 5\r\n\r\nhello"
LENGTH_5 = [(b"content-length", b"5")]
MEGABYTE = 1024 * 1024
LARGE = 16 * MEGABYTE

KINDS = {
    "blocking": (BlockingClient, asyncio.new_event_loop),
    "loop": (AsyncioClient, asyncio.new_event_loop),
    "uvloop": (AsyncioClient, _new_loop),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def talk(kind: str, script: Callable[[Peer], object], test: Callable[[HttpClient], Coroutine[Any, Any, None]]) -> int:
    """Runs a test on an open connection to a server; returns how many connections there were."""
    make, new_loop = KINDS[kind]

    async def connected() -> None:
        connection = make("127.0.0.1", server.port)
        await connection.connect(SECONDS)
        try:
            await test(connection)
        finally:
            connection.close()

    with ScriptedServer(script) as server, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(connected())
        return server.accepted


def soon() -> float:
    """A deadline that no test that passes reaches."""
    return time.monotonic() + SECONDS


async def rest_of(connection: HttpClient) -> bytes:
    parts = []
    while part := await connection.read_chunk(soon()):
        parts.append(part)
    assert connection.complete
    return b"".join(parts)


async def posts(connection: HttpClient, until: float) -> None:
    """Posts on and on, until the peer is gone."""
    while await connection.send_chunk(bytes(1_000_000), until):
        pass


def answering(*responses: bytes) -> Callable[[Peer], None]:
    """Makes a script: for each request the next response, and the connection stays open."""

    def script(peer: Peer) -> None:
        for response in responses:
            if not peer.read_request():
                return
            peer.send(response)
        peer.socket.recv(1)

    return script


class GoOn(Event):
    """Has a script go on, which says when it has sent what it was to send."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = Event()

    async def until_read(self) -> None:
        """Goes on, and waits until an event loop has read what was sent, though nobody asked for it."""
        self.set()
        while not self.sent.is_set():  # noqa: ASYNC110  # it is set by a thread
            await asyncio.sleep(0.001)
        await look_around()


async def look_around() -> None:
    """Lets the event loop read what there is."""
    for _ in range(20):
        await asyncio.sleep(0)


def late(begin: bytes, rest: bytes, *after: bytes) -> tuple[Callable[[Peer], None], GoOn]:
    """Makes a script that sends the rest of its first response when the event is set."""
    go_on = GoOn()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(begin)
        go_on.wait(SECONDS)
        peer.send(rest)
        go_on.sent.set()
        answering(*after)(peer)

    return script, go_on


def test_each_part_is_given_when_it_comes_and_then_the_end(kind: str) -> None:
    script, go_on = late(CHUNKED + b"3\r\none\r\n", b"3\r\ntwo\r\n0\r\n\r\n", HELLO)

    async def test(connection: HttpClient) -> None:
        response = await connection.send_request(GET, deadline=soon(), whole=False)
        assert (response.status, response.body, connection.complete) == (200, b"one", False)
        go_on.set()

        assert await rest_of(connection) == b"two"

        assert await connection.read_chunk(soon()) == b""
        assert (await connection.send_request(GET, deadline=soon())).body == b"hello"

    assert talk(kind, script, test) == 1


def test_a_large_response_whose_reader_is_slow_is_whole_and_the_connection_goes_on(kind: str) -> None:
    async def test(connection: HttpClient) -> None:
        for size in (LARGE, 262144, 5):
            response = await connection.send_request(GET, deadline=soon(), whole=False)
            await look_around()
            assert len(response.body + await rest_of(connection)) == size
        assert (await connection.send_request(GET, deadline=soon())).body == bytes(LARGE)

    large = OK + b"content-length: %d\r\n\r\n" % LARGE + bytes(LARGE)
    assert talk(kind, answering(large, OK + b"content-length: 262144\r\n\r\n" + bytes(262144), HELLO, large), test) == 1


def test_a_peer_waits_while_nobody_takes_what_it_sends(kind: str) -> None:
    sent = [0]

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK + b"content-length: %d\r\n\r\n" % (LARGE * 8))
        while sent[0] < LARGE * 8:
            sent[0] += peer.socket.send(bytes(65536))
        peer.socket.recv(1)

    async def test(connection: HttpClient) -> None:
        response = await connection.send_request(GET, deadline=soon(), whole=False)
        before = -1
        while sent[0] != before:  # that nothing more is sent can only be waited for
            before = sent[0]
            await asyncio.sleep(0.3)
        assert sent[0] < LARGE
        assert len(response.body + await rest_of(connection)) == LARGE * 8

    talk(kind, script, test)


def test_a_response_that_is_the_last_on_its_connection_ends_it_also_if_it_came_before_it_was_read(kind: str) -> None:
    """The peer may close only later; a request that is sent on it meanwhile would be lost."""
    begin = OK + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n"
    script, go_on = late(begin, b"3\r\ntwo\r\n0\r\n\r\n")

    async def test(connection: HttpClient) -> None:
        await connection.send_request(GET, deadline=soon(), whole=False)
        await go_on.until_read()
        assert await rest_of(connection) == b"two"
        assert not connection.port
        assert not connection.is_open()

    talk(kind, script, test)


@pytest.mark.parametrize("surplus", [b"garbage", HELLO], ids=["garbage", "a response"])
def test_what_comes_behind_a_response_in_parts_is_no_part_of_the_next(surplus: bytes, kind: str) -> None:
    script, go_on = late(CHUNKED + b"3\r\none\r\n", b"3\r\ntwo\r\n0\r\n\r\n" + surplus)

    async def test(connection: HttpClient) -> None:
        await connection.send_request(GET, deadline=soon(), whole=False)
        await go_on.until_read()
        assert await rest_of(connection) == b"two"
        assert not connection.is_open()

    talk(kind, script, test)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "in parts"])
def test_trailers_are_no_headers(whole: bool, kind: str) -> None:
    sent = CHUNKED + b"5\r\nhello\r\n0\r\ncontent-encoding: gzip\r\nset-cookie: a=b\r\n\r\n"

    async def test(connection: HttpClient) -> None:
        response = await connection.send_request(GET, deadline=soon(), whole=whole)
        assert response.body + await rest_of(connection) == b"hello"
        assert response.headers == [(b"transfer-encoding", b"chunked")]
        assert (await connection.send_request(GET, deadline=soon(), whole=whole)).headers == LENGTH_5

    assert talk(kind, answering(sent, HELLO), test) == 1


def test_a_large_head_and_large_trailers_do_not_stop_the_reader(kind: str) -> None:
    large = b"".join(b"x-%d: %b\r\n" % (number, bytes(1000).hex().encode()) for number in range(400))
    script, go_on = late(CHUNKED[:-2] + large, b"\r\n3\r\none\r\n0\r\n" + large + b"\r\n", HELLO)
    go_on.set()

    async def test(connection: HttpClient) -> None:
        response = await connection.send_request(GET, deadline=time.monotonic() + 3, whole=False)
        assert len(response.headers) == 401
        assert response.body + await rest_of(connection) == b"one"
        assert (await connection.send_request(GET, deadline=soon())).body == b"hello"

    assert talk(kind, script, test) == 1


@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
def test_what_has_come_before_the_end_is_given_before_the_error(reset: bool, kind: str) -> None:
    go_on = Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED + b"3\r\none\r\n")
        go_on.wait(SECONDS)
        if reset:
            peer.reset()

    async def test(connection: HttpClient) -> None:
        response = await connection.send_request(GET, deadline=soon(), whole=False)
        assert response.body == b"one"
        go_on.set()
        with pytest.raises(ConnectionClosed) as caught:
            await connection.read_chunk(soon())
        assert caught.value.received
        assert not connection.complete
        assert not connection.port

    talk(kind, script, test)


def test_a_body_that_ends_with_its_connection_is_whole(kind: str) -> None:
    go_on = Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.0 200 OK\r\n\r\none")
        go_on.wait(SECONDS)
        peer.send(b"two")

    async def test(connection: HttpClient) -> None:
        response = await connection.send_request(GET, deadline=soon(), whole=False)
        assert (response.body, connection.complete) == (b"one", False)
        go_on.set()
        assert await rest_of(connection) == b"two"
        assert not connection.port

    talk(kind, script, test)


def test_nonsense_in_the_middle_is_refused(kind: str) -> None:
    script, go_on = late(CHUNKED + b"3\r\none\r\n", b"nonsense")

    async def test(connection: HttpClient) -> None:
        await connection.send_request(GET, deadline=soon(), whole=False)
        go_on.set()
        with pytest.raises(NotHttp):
            await connection.read_chunk(soon())
        assert not connection.port

    talk(kind, script, test)


@pytest.mark.parametrize("left", [0.1, 0, -1], ids=["soon", "now", "over"])
def test_a_part_that_does_not_come_is_given_up_at_the_deadline(left: float, kind: str) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED + b"3\r\none\r\n")
        peer.wait()

    async def test(connection: HttpClient) -> None:
        await connection.send_request(GET, deadline=soon(), whole=False)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await connection.read_chunk(began + left)
        assert time.monotonic() - began < 1
        assert not connection.port
        with pytest.raises(ConnectionClosed):
            await connection.send_request(GET, deadline=soon())

    talk(kind, script, test)


def test_the_response_to_head_needs_no_more(kind: str) -> None:
    async def test(connection: HttpClient) -> None:
        response = await connection.send_request(GET, method="HEAD", deadline=soon(), whole=False)
        assert (response.headers, response.body, connection.complete) == (LENGTH_5, b"", True)
        assert (await connection.send_request(GET, deadline=soon(), whole=False)).body == b"hello"

    assert talk(kind, answering(HELLO[:-5], HELLO), test) == 1


POST = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"


def test_a_request_is_posted_part_by_part(kind: str) -> None:
    came = bytearray()

    def script(peer: Peer) -> None:
        while not came.endswith(b"0\r\n\r\n") and (data := peer.socket.recv(65536)):
            came.extend(data)
        peer.send(HELLO)
        peer.wait()

    part = b"10000\r\n" + bytes(65536) + b"\r\n"

    async def test(connection: HttpClient) -> None:
        for data in (POST, b"", part, *[part] * 100, b"0\r\n\r\n"):
            assert await connection.send_chunk(data, soon())
        response = await connection.read_response(soon())
        assert (response.status, response.body) == (200, b"hello")

    talk(kind, script, test)
    assert bytes(came) == POST + part * 101 + b"0\r\n\r\n"


def test_an_answer_before_the_end_of_a_request_is_read(kind: str) -> None:
    go_on = GoOn()

    def script(peer: Peer) -> None:
        peer.socket.recv(10)
        peer.send(b"HTTP/1.1 413 No\r\nconnection: close\r\ncontent-length: 5\r\n\r\nlarge")
        go_on.sent.set()

    async def test(connection: HttpClient) -> None:
        assert await connection.send_chunk(POST, soon())
        await go_on.until_read()
        until = soon()
        while await connection.send_chunk(b"5\r\nhello\r\n", until):  # noqa: ASYNC110  # nobody else says that the peer is gone
            await asyncio.sleep(0.01)
        try:
            response = await connection.read_response(until)
        except ConnectionClosed:
            assert kind == "blocking"  # the kernel has dropped it
        else:
            assert (response.status, response.body) == (413, b"large")

    talk(kind, script, test)


@pytest.mark.parametrize("answer", [b"", HELLO], ids=["end", "answer"])
def test_who_has_answered_or_closed_need_not_take_more(answer: bytes, kind: str) -> None:
    """Neither does the peer read on, nor does it break the connection."""

    def script(peer: Peer) -> None:
        peer.wait(0.2)
        peer.send(answer)
        if not answer:
            peer.socket.shutdown(socket.SHUT_WR)
        peer.wait()

    async def test(connection: HttpClient) -> None:
        until = soon()
        await posts(connection, until)
        if answer:
            assert (await connection.read_response(until)).body == b"hello"
        else:
            with pytest.raises(ConnectionClosed):
                await connection.read_response(until)
        assert time.monotonic() < until - 5

    talk(kind, script, test)


def test_a_request_that_is_not_taken_is_given_up_at_the_deadline(kind: str) -> None:
    async def test(connection: HttpClient) -> None:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await posts(connection, began + 0.3)
        assert 0.29 <= time.monotonic() - began < 1.5  # a loop's timers are as exact as its clock, a millisecond
        assert not connection.port

    talk(kind, lambda peer: peer.wait(), test)


def test_who_waits_for_a_peer_to_take_more_hears_of_its_end(kind: str) -> None:
    def script(peer: Peer) -> None:
        peer.wait(0.3)
        peer.reset()

    async def test(connection: HttpClient) -> None:
        until = soon()
        await posts(connection, until)
        assert time.monotonic() < until - 5
        with pytest.raises(ConnectionClosed):
            await connection.read_response(until)

    talk(kind, script, test)


def test_answers_are_awaited_no_longer_than_until_the_deadline(kind: str) -> None:
    async def test(connection: HttpClient) -> None:
        assert await connection.send_chunk(POST, soon())
        with pytest.raises(TimeoutError):
            await connection.read_response(time.monotonic() + 0.1)
        assert not connection.port

    talk(kind, lambda peer: peer.wait(), test)


@pytest.mark.parametrize("unasked", [b"garbage", HELLO, b"\r\n"], ids=["garbage", "a response", "a line"])
def test_what_comes_unasked_is_no_answer_to_the_next_request(unasked: bytes, kind: str) -> None:
    """Also where the event loop has read it before anybody looks at the connection."""
    go_on = GoOn()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED + b"3\r\none\r\n0\r\n\r\n")
        go_on.wait(SECONDS)
        peer.send(unasked)
        go_on.sent.set()
        peer.wait()

    async def test(connection: HttpClient) -> None:
        response = await connection.send_request(GET, deadline=soon(), whole=False)
        assert response.body + await rest_of(connection) == b"one"
        assert connection.is_open()
        await go_on.until_read()
        assert not connection.is_open()

    talk(kind, script, test)


def test_no_timer_outlives_what_it_was_for() -> None:
    """With deadlines of minutes, they would add up to what was asked for in that time."""
    timers: list[asyncio.TimerHandle] = []

    async def test(connection: HttpClient) -> None:
        loop = asyncio.get_running_loop()
        later = loop.call_later

        def noted(*arguments: Any) -> asyncio.TimerHandle:
            timers.append(later(*arguments))
            return timers[-1]

        with mock.patch.object(loop, "call_later", noted):
            await connection.send_request(GET, deadline=soon())
            await connection.send_request(GET, deadline=soon(), whole=False)
            await rest_of(connection)

    talk("loop", answering(HELLO, HELLO), test)
    assert timers
    assert all(timer.cancelled() for timer in timers)


# A request of which the peer takes no more before it can send.


def test_a_peer_that_sends_its_response_while_it_reads_gets_the_whole_request(kind: str) -> None:
    """As `req.pipe(res)` does in Node: it reads no more while nobody takes what it sends."""

    def echo(peer: Peer) -> None:
        for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            peer.socket.setsockopt(socket.SOL_SOCKET, buffer, 65536)
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            head += peer.socket.recv(1)
        peer.send(OK + b"content-length: %d\r\n\r\n" % LARGE)
        left = LARGE
        while left and (data := peer.socket.recv(65536)):
            peer.send(data)
            left -= len(data)
        answering(HELLO)(peer)

    async def test(connection: HttpClient) -> None:
        head = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\ncontent-length: %d\r\n\r\n" % LARGE)
        body = bytes(range(256)) * (LARGE // 256)
        response = await connection.send_request(head, body, method="POST", deadline=soon())
        assert response.body == body
        assert (await connection.send_request(GET, deadline=soon())).body == b"hello"

    assert talk(kind, echo, test) == 1


def test_a_response_ends_a_request_that_the_peer_reads_no_more_of(kind: str) -> None:
    """The peer does not close the connection either, which cannot be used again."""

    def reject(peer: Peer) -> None:
        peer.socket.recv(1000)
        peer.send(b"HTTP/1.1 413 No\r\ncontent-length: 5\r\n\r\nlarge")
        peer.wait()

    async def test(connection: HttpClient) -> None:
        head = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\ncontent-length: %d\r\n\r\n" % LARGE)
        response = await connection.send_request(head, bytes(LARGE), method="POST", deadline=soon())
        assert (response.status, response.body) == (413, b"large")

    talk(kind, reject, test)


@pytest.mark.parametrize("whole", [True, False])
def test_of_a_response_to_a_request_that_is_not_read_no_more_is_kept_than_there_may_be(whole: bool, kind: str) -> None:
    """A peer may send without end, and read nothing meanwhile."""
    sent = [0]

    def endless(peer: Peer) -> None:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        peer.socket.recv(1000)
        peer.send(OK + b"transfer-encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while sent[0] < 200 * MEGABYTE:
                peer.send(b"10000\r\n" + bytes(65536) + b"\r\n")
                sent[0] += 65536

    async def test(connection: HttpClient) -> None:
        connection.limit = MEGABYTE
        head = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\ncontent-length: %d\r\n\r\n" % LARGE)
        response = await connection.send_request(head, bytes(LARGE), method="POST", deadline=soon(), whole=whole)
        assert response.status == 200
        assert not connection.complete
        assert len(response.body) < 50 * MEGABYTE
        connection.close()

    talk(kind, endless, test)
    assert sent[0] < 100 * MEGABYTE
