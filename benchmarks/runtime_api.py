"""The Runtime API and the Extensions API of one environment, on plain sockets and one thread.

It does little for each invocation, so that the time that is measured is the contender's: one wait, one receive and one
send for each message.
"""

from __future__ import annotations

import os
import re
import select
import socket
import time
from collections import deque
from dataclasses import dataclass

TIMEOUT = 60  # seconds; a start under a small CPU share takes several
RECEIVE_SIZE = 1 << 18  # bytes
MOST_OF_PRELUDE = 1 << 16  # bytes in which the end of the prelude is looked for
ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"OK"}'
REGISTERED = (
    b"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: b8d1d6c0-0000-4000-8000-000000000001\r\n"
    b"Content-Type: application/json\r\nContent-Length: 70\r\n\r\n"
    b'{"functionName":"benchmark","functionVersion":"1","handler":"handler"}'
)
END_OF_PRELUDE = bytes(8)  # of a streamed reply: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html


class Failed(Exception):
    """A contender did not do what is measured."""


@dataclass
class Exchange:
    """An event and its reply, with their times in seconds."""

    sent_at: float
    first_byte_at: float  # of a streamed reply's payload; else as ended_at
    ended_at: float
    body: bytes
    next_at: float = 0.0  # the request for the next event, where there is one worker

    @property
    def microseconds(self) -> float:
        """The time from the event's first byte to the reply's last byte."""
        return (self.ended_at - self.sent_at) * 1e6


def head_of_event(number: int, length: int) -> bytes:
    """Return the head that precedes an event in the response to GET /next."""
    return (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Lambda-Runtime-Aws-Request-Id: 8d8ac8e9-7fd9-4a54-96d7-{number:012}\r\n"
        f"Lambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 60_000}\r\n"
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:benchmark\r\n"
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


class Connection:
    """A connection of a contender, and the request that arrives on it."""

    _incoming = memoryview(bytearray(RECEIVE_SIZE))  # for all: it takes time to allocate

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.body = bytearray()
        self.received_at = 0.0  # the last bytes
        self.first_byte_at = 0.0  # of a streamed reply's payload
        self._buffer = bytearray()
        self._path = ""
        self._length: int | None = None  # None: chunked
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self) -> bool:
        """Read what has come; return False if the other end has closed the connection."""
        try:
            size = self.sock.recv_into(self._incoming)
        except ConnectionResetError:
            return False
        self.received_at = time.perf_counter()
        self._buffer += self._incoming[:size]
        return size > 0

    def take_request(self) -> str | None:
        """Return the path of the request if all of it has come; its body is then in `body`."""
        if not self._path and not self._take_head():
            return None
        if not (self._take_chunks() if self._length is None else self._take_body(self._length)):
            return None
        path, self._path = self._path, ""
        return path

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + 4]
        self._path = head.split(" ", 2)[1]
        length = re.search(r"(?i)\r\ncontent-length: *(\d+)", head)
        self._length = int(length[1]) if length else 0
        if re.search(r"(?i)\r\ntransfer-encoding: *chunked", head):
            self._length = None
        if re.search(r"(?i)\r\nexpect: *100-continue", head):
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.body = bytearray()
        self.first_byte_at = 0.0
        return True

    def _take_body(self, length: int) -> bool:
        if len(self._buffer) < length:
            return False
        self.body = self._buffer[:length]
        del self._buffer[:length]
        return True

    def _take_chunks(self) -> bool:
        while (end := self._buffer.find(b"\r\n")) >= 0:
            size = int(self._buffer[:end].split(b";")[0], 16)
            if not size:  # what follows are trailers, if any, and an empty line
                end = self._buffer.find(b"\r\n\r\n", end)
                if end >= 0:
                    del self._buffer[: end + 4]
                return end >= 0
            if len(self._buffer) < end + size + 4:
                return False
            self.body += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + size + 4]
            if not self.first_byte_at and self._has_payload():
                self.first_byte_at = self.received_at
        return False

    def _has_payload(self) -> bool:
        end = self.body.find(END_OF_PRELUDE, 0, MOST_OF_PRELUDE)
        return -1 < end < len(self.body) - len(END_OF_PRELUDE)


class RuntimeApi:
    """Hands out events and times the replies."""

    def __init__(self, *, quick_ack: bool = False) -> None:
        """Listen.

        Args:
            quick_ack: Whether the kernel acknowledges at once what comes. Else it may take 40 ms, for which a sender
                without TCP_NODELAY waits (Nagle's algorithm).
        """
        self.first_next_at = 0.0
        self._quick_ack = quick_ack
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "{}:{}".format(*self._listener.getsockname())
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._connections: dict[int, Connection] = {}
        self._requests: deque[tuple[str, Connection, float]] = deque()
        self._waiting: deque[Connection] = deque()  # those that have requested an event
        self._processes: set[int] = set()
        self._number = 0

    def watch(self, pid: int) -> None:
        """Let every wait fail as soon as a process ends."""
        descriptor = os.pidfd_open(pid)
        self._processes.add(descriptor)
        self._epoll.register(descriptor, select.EPOLLIN)

    def wait_for_next(self, number: int = 1) -> None:
        """Wait until so many events are requested at the same time."""
        while len(self._waiting) < number:
            path, connection, _ = self._next_request()
            if not path.endswith("/invocation/next"):
                raise Failed(f"This request came without an event: {path}")
            self._waiting.append(connection)

    def invoke(self, event: bytes, number: int) -> list[Exchange]:
        """Send an event so many times, to each that requests one, and return the exchanges."""
        exchanges: list[Exchange] = []
        sent_at: dict[str, float] = {}
        unsent = number
        while len(exchanges) < number:
            while unsent and self._waiting:
                unsent -= 1
                request_id, time_sent = self._send(self._waiting.popleft(), event)
                sent_at[request_id] = time_sent
            path, connection, received_at = self._next_request()
            if path.endswith("/invocation/next"):
                self._waiting.append(connection)
                if exchanges:
                    exchanges[-1].next_at = received_at
                continue
            _, request_id, kind = path.rsplit("/", 2)
            reply = bytes(connection.body)
            first_byte_at = connection.first_byte_at or received_at
            if kind != "response" or request_id not in sent_at:
                raise Failed(f"Instead of a response, this came: {path} {reply[:500]!r}")
            exchanges.append(Exchange(sent_at.pop(request_id), first_byte_at, received_at, reply))
            connection.sock.sendall(ACCEPTED)
        return exchanges

    def close(self) -> None:
        """Close all sockets."""
        for connection in self._connections.values():
            connection.sock.close()
        for descriptor in self._processes:
            os.close(descriptor)
        self._listener.close()
        self._epoll.close()

    def _send(self, connection: Connection, event: bytes) -> tuple[str, float]:
        self._number += 1
        data = head_of_event(self._number, len(event)) + event
        sent_at = time.perf_counter()  # before: the contender may run on this processor before `sendall` returns
        connection.sock.sendall(data)
        return f"8d8ac8e9-7fd9-4a54-96d7-{self._number:012}", sent_at

    def _next_request(self) -> tuple[str, Connection, float]:
        """Return the next request of a runtime: its path, its connection, and when it was complete."""
        while not self._requests:
            ready = self._epoll.poll(TIMEOUT)
            if not ready:
                raise Failed(f"Nothing came for {TIMEOUT} s.")
            for descriptor, _ in ready:
                if connection := self._connections.get(descriptor):
                    self._read(connection)
                elif descriptor in self._processes:
                    raise Failed("The process has ended.")
                else:
                    self._accept()
        return self._requests.popleft()

    def _accept(self) -> None:
        sock = self._listener.accept()[0]
        if self._quick_ack:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self._connections[sock.fileno()] = Connection(sock)
        self._epoll.register(sock, select.EPOLLIN)

    def _read(self, connection: Connection) -> None:
        if not connection.receive():
            self._epoll.unregister(connection.sock)
            del self._connections[connection.sock.fileno()]
            connection.sock.close()
            return
        if self._quick_ack:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # it lasts until the next one
        path = connection.take_request()  # there is at most one: a client waits for the response before the next
        if path is None:
            return
        if path.endswith("/extension/register"):
            connection.sock.sendall(REGISTERED)
        elif path.endswith("/init/error"):
            raise Failed(f"The start failed: {bytes(connection.body)!r:.500}")
        elif not path.endswith("/extension/event/next"):  # which has no response, as there is no event
            self.first_next_at = self.first_next_at or connection.received_at
            self._requests.append((path, connection, connection.received_at))
