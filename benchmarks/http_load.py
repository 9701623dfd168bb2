"""Send HTTP requests at little cost: one after the other, or many clients at once in a process of its own.

    python benchmarks/http_load.py PORT PATH --clients 50 --seconds 3

It prints how many responses came, how many were not 200, and the median and the 99th percentile of their times.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import statistics
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMEOUT = 60  # seconds
RECEIVE_SIZE = 256 * 1024


@dataclass(frozen=True)
class Load:
    """What many clients have got in a while: responses a second, others than 200, and times in milliseconds."""

    per_second: float
    failed: int
    p50: float
    p99: float


class Client:
    """A connection that is kept. Responses must have a content-length."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.status = 0
        self.body = b""
        self._buffer = b""
        self._host = f"127.0.0.1:{port}"

    def get(self, path: str) -> bytes:
        """Return the body of the response; its status is in `status`."""
        self.send(path)
        while not self.receive():
            pass
        return self.body

    def send(self, path: str) -> None:
        """Send a request."""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept: */*\r\n\r\n".encode())

    def receive(self) -> bool:
        """Read what has come; return whether the response is complete.

        Raises:
            ConnectionError: The server has closed the connection.
        """
        part = self.socket.recv(RECEIVE_SIZE)
        if not part:
            raise ConnectionError("The server has closed the connection.")
        self._buffer += part
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return False
        length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length:
            return False
        self.status, self.body, self._buffer = int(head[9:12]), body, b""
        return True

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


def get_all(port: int, paths: Iterable[str], connections: int) -> float:
    """Request paths on so many new connections, each the next path when it is free, and return the seconds.

    Raises:
        ConnectionError: A response is not 200.
    """
    waiting = deque(paths)
    started_at = time.perf_counter()
    clients: dict[int, Client] = {}
    poll = select.poll()
    while (waiting and len(clients) < connections) or clients:
        if waiting and len(clients) < connections:
            client = Client(port)
            client.send(waiting.popleft())
            clients[client.socket.fileno()] = client
            poll.register(client.socket, select.POLLIN)
            continue
        for descriptor, _ in poll.poll(TIMEOUT * 1000):
            client = clients[descriptor]
            if not client.receive():
                continue
            if client.status != 200:
                raise ConnectionError(f"A response has status {client.status}: {client.body[:500]!r}")
            if waiting:
                client.send(waiting.popleft())
            else:
                poll.unregister(descriptor)
                clients.pop(descriptor).close()
    return time.perf_counter() - started_at


def keep_busy(port: int, path: str, number: int, seconds: float) -> Load:
    """Let a number of clients send one request after the other for a while."""
    clients = {client.socket.fileno(): client for client in (Client(port) for _ in range(number))}
    sent_at: dict[int, float] = {}
    poll = select.epoll()
    started_at = time.perf_counter()
    for descriptor, client in clients.items():
        poll.register(descriptor, select.EPOLLIN)
        client.send(path)
        sent_at[descriptor] = started_at
    times, failed, now = [], 0, started_at
    while now < started_at + seconds:
        for descriptor, _ in poll.poll(TIMEOUT):
            client = clients[descriptor]
            if client.receive():
                now = time.perf_counter()
                times.append(now - sent_at[descriptor])
                failed += client.status != 200
                client.send(path)
                sent_at[descriptor] = now
    for client in clients.values():
        client.close()
    times.sort()
    p50, p99 = statistics.median(times) * 1000, times[int(len(times) * 0.99)] * 1000
    return Load(len(times) / (now - started_at), failed, p50, p99)


def keep_busy_from_outside(port: int, path: str, number: int, seconds: float) -> Load:
    """Do the same in a process of its own, and return what that prints."""
    command = [sys.executable, __file__, str(port), path, "--clients", str(number), "--seconds", str(seconds)]
    return Load(**json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def main() -> None:
    """Parse the arguments, send, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    print(json.dumps(asdict(keep_busy(options.port, options.path, options.clients, options.seconds))))


if __name__ == "__main__":
    main()
