"""A command that answers in bytes of its own: `raw.py HOW BYTES ...`, a response for each request of a connection.

HOW says what comes after the last one: `keep`, `close`, `reset`, or `exit` with code 7. `deaf` runs on after the first
connection, but listens no more. It makes each close known by a call of /test/closed of the Runtime API for tests.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys

from telling import tell


def serve(listener: socket.socket, how: str, responses: list[bytes]) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            if how == "deaf":
                listener.close()
                signal.pause()
            answered = all(read_head(connection) and answer(connection, response) for response in responses)
            if answered:
                end(connection, how)
        if answered:
            tell("closed")


def answer(connection: socket.socket, response: bytes) -> bool:
    connection.sendall(response)
    return True


def read_head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            return b""
        data += received
    return data


def end(connection: socket.socket, how: str) -> None:
    if how == "exit":
        os._exit(7)
    if how == "keep":
        connection.recv(1)
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
        serve(
            server,
            sys.argv[1],
            [word.encode("latin-1").decode("unicode_escape").encode("latin-1") for word in sys.argv[2:]],
        )
