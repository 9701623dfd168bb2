"""An app that keeps every byte it gets, and answers with the bytes it is told to, behind a real adapter process."""

from __future__ import annotations

import socket
import socketserver
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from adapter.conftest import bootstrap
from adapter.scripted import Peer
from support.processes import free_port

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_web_adapter.http.messages import Response
    from lambda_web_adapter.testing.runtime_api import Call

APPS = Path(__file__).parent / "apps"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def response_bytes(response: Response, method: str) -> bytes:
    """Writes a response as a server does; a length is said where there can be one, and is not said yet."""
    lines = [b"HTTP/1.1 %d -" % response.status, *(b"%s: %s" % line for line in response.headers)]
    says_length = any(name.lower() == b"content-length" for name, _ in response.headers)
    if not says_length and method != "HEAD" and response.status not in (204, 304):
        lines.append(b"content-length: %d" % len(response.body))
    return b"\r\n".join([*lines, b"\r\n"]) + response.body


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    requests: list[bytes]
    response: bytes
    closes: bool


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        peer = Peer(self.request, Event())
        while request := peer.read_request():
            self.server.requests.append(request)
            closes = self.server.closes  # once the response is out, the next exchange may change it
            peer.send(self.server.response)
            if closes:
                return


class Recorded:
    """An adapter process for one set of variables, and the app behind it."""

    def __init__(self, environment: Mapping[str, str], stack: ExitStack) -> None:
        """Start the adapter; its command says when its port was found free, and this process listens on it then.

        What is older than the command is not taken for it, so the adapter asks at another port whether it is ready.
        """
        self._api = stack.enter_context(RuntimeApi())
        port = free_port()
        # Closed after the adapter has ended, and its connections with it.
        server_stack = stack.enter_context(ExitStack())
        ready = stack.enter_context(socket.socket())
        ready.bind(("127.0.0.1", 0))
        ports = {"AWS_LWA_PORT": port, "AWS_LWA_READINESS_CHECK_PORT": str(ready.getsockname()[1])}
        command = (sys.executable, "-I", "-S", str(APPS / "waiting.py"))
        stack.enter_context(bootstrap(self._api, "--", *command, **ports, **environment))
        self._api.wait_for_call("test/waits")
        self._server = server_stack.enter_context(_Server(("127.0.0.1", int(port)), _Handler))
        ready.listen()
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        server_stack.callback(thread.join)
        server_stack.callback(self._server.shutdown)

    def exchange(self, event: bytes, response: bytes = OK, *, closes: bool = False) -> tuple[Call, list[bytes]]:
        """Has an event handled.

        Args:
            event: the event.
            response: what the app answers.
            closes: whether it closes the connection after that. Only for a response that is not whole: nobody can know
                of a connection that is closed after one, until it is too late.

        Returns:
            What the adapter posts for the event, and the requests that the app has got meanwhile.
        """
        self._server.requests, self._server.response, self._server.closes = [], response, closes
        outcome = self._api.invoke(event)
        return outcome, self._server.requests


class Recorders:
    """Adapter processes, each started when the first cell needs it."""

    def __init__(self, stack: ExitStack) -> None:
        """Remembers where to put what must end."""
        self._stack = stack
        self._started: dict[frozenset[tuple[str, str]], Recorded] = {}

    def under(self, environment: Mapping[str, str]) -> Recorded:
        """The adapter that runs with these variables."""
        key = frozenset(environment.items())
        if key not in self._started:
            self._started[key] = Recorded(environment, self._stack)
        return self._started[key]
