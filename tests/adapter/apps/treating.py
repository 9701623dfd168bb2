"""A command that treats its connections as a request's path says, and tells of each request that it has read.

`/WHAT/MARKER`: the call of /test/MARKER of the Runtime API for tests says that the request arrived. WHAT is one of

    answer              answer, and keep the connection
    answer-and-close    answer, and close the connection without having announced it
    answer-and-reset    answer, and break the connection
    answer-and-408      answer, and end the connection with a 408 that nobody has asked for, as servers do in time;
                        /test/ended says that one of these has ended it
    close, reset, 408   no answer, or that one, and the connection's end
    cut                 a reset after the request's head, while its body still comes
    spoil               answer and close; the next connection is broken before anything was read from it
    spoil-all           the same for all connections that come

With the word `impatient`, a connection on which a request is awaited is closed after a thaw (SIGCONT), before anything
is read, as by a server whose keep-alive time has passed meanwhile, and whose event loop looks at its timers first.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys

from telling import tell

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
waiting = False


class Thawed(Exception):
    """The process goes on after it was stopped."""


def thawed(number: int, frame: object) -> None:
    if waiting:
        raise Thawed


def read(connection: socket.socket) -> bytes:
    """Reads a request, its body included; nothing when the connection has ended."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = receive(connection)
        if not received:
            return b""
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    if b"/cut/" in head.split(b"\r\n")[0]:
        return data
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = int(lengths[0]) - len(body) if lengths else 0
    while left > 0:
        left -= len(receive(connection)) or left
    return data


def receive(connection: socket.socket) -> bytes:
    global waiting
    waiting = True
    try:
        return connection.recv(1024)
    finally:
        waiting = False


def broken(connection: socket.socket) -> None:
    """Closes the connection by a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def serve(connection: socket.socket) -> str:
    """Treats requests until the connection's end; returns how the next connections are to be treated."""
    while request := read(connection):
        what, _, marker = request.split(b" ")[1].decode().strip("/").partition("/")
        tell(marker)
        if what.startswith(("answer", "spoil")):
            connection.sendall(ANSWER)
        if what.endswith("408"):
            connection.sendall(TIMEOUT)
        if what.endswith("reset") or what == "cut":
            broken(connection)
        if what != "answer":
            return what
    return ""


def main(listener: socket.socket) -> None:
    what = ""
    while True:
        connection, _ = listener.accept()
        if what.startswith("spoil"):
            broken(connection)
            tell("spoiled")
            what = what if what == "spoil-all" else ""
            continue
        with connection:
            try:
                what = serve(connection)
            except Thawed:
                continue
        if what.startswith(("answer-and", "spoil")):
            tell("ended")


if __name__ == "__main__":
    if "impatient" in sys.argv:
        signal.signal(signal.SIGCONT, thawed)
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
        main(server)
