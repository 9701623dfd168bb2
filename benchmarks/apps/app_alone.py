"""The app alone: its import, its call, and two exchanges with the Runtime API, in one process.

    python -c "from app_alone import main; main()" flask_app

It reads no event, and calls the app with the same request each time. Python's defaults hold: garbage is collected
during the imports, and modules come from their own files.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import socket
import sys
from typing import Any

ROOT = "/2018-06-01/runtime/invocation"
QUERY = "name=lambda"
HEADERS = [("accept", "application/json"), ("host", "id.lambda-url.us-east-1.on.aws"), ("user-agent", "benchmark/1.0")]


class RuntimeApi:
    """One connection to the Runtime API."""

    def __init__(self, address: str) -> None:
        host, port = address.split(":")
        self._host = host
        self._sock = socket.create_connection((host, int(port)))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _exchange(self, request: bytes) -> bytes:
        """Send a request, and return the head of the response."""
        self._sock.sendall(request)
        data = b""
        while True:
            data += self._sock.recv(65536)
            head, end, body = data.partition(b"\r\n\r\n")
            if end and len(body) >= int(head.partition(b"Content-Length: ")[2].split(b"\r\n", 1)[0]):
                return head

    def next(self) -> str:
        """Wait for an event, and return its request id."""
        head = self._exchange(f"GET {ROOT}/next HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        return head.partition(b"Lambda-Runtime-Aws-Request-Id: ")[2].split(b"\r\n", 1)[0].decode()

    def reply(self, request_id: str, status: int, body: bytes) -> None:
        """Post a reply."""
        headers = {"content-type": "application/json"}
        reply = json.dumps({"statusCode": status, "headers": headers, "body": body.decode()}).encode()
        head = (
            f"POST {ROOT}/{request_id}/response HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(reply)}\r\n\r\n"
        )
        self._exchange(head.encode() + reply)


def serve_wsgi(app: Any, api: RuntimeApi) -> None:
    """Call a WSGI app for each event."""
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/hello",
        "QUERY_STRING": QUERY,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in HEADERS}
    statuses: list[str] = []
    while True:
        request_id = api.next()
        statuses.clear()
        parts = app({**environ, "wsgi.input": io.BytesIO()}, lambda status, *_: statuses.append(status))
        body = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
        api.reply(request_id, int(statuses[0][:3]), body)


async def serve_asgi(app: Any, api: RuntimeApi) -> None:
    """Call an ASGI app for each event."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/hello",
        "raw_path": b"/hello",
        "query_string": QUERY.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in HEADERS],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    while True:
        request_id = api.next()
        messages.clear()
        await app(dict(scope), receive, send)
        api.reply(request_id, messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:]))


def main() -> None:
    """Import the app, and serve it as its kind needs it."""
    app = importlib.import_module(sys.argv[1]).app
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    if hasattr(app, "wsgi_app"):
        serve_wsgi(app, api)
    else:
        import asyncio  # which a Flask app does not need

        asyncio.run(serve_asgi(app, api))
