"""An internal extension without events: Lambda sends SIGTERM only to environments that have an extension.

Without one, the environment's processes are killed at once, and no lifespan shutdown or `atexit` function runs.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import socket
import time

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.blocking_backend import run_blocking
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient, create_connection
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp
from lambda_web_adapter.adapter.lambda_api.runtime_api import common_headers

_NAME = "lambda-web-adapter"
_PATH = "/2020-01-01/extension"
_TIMEOUT_SECONDS = 1.0  # the API is on this machine
_NOT_OFFERED = 404  # the status of emulators without extensions


class Extension:
    """A registration that lasts as long as this object. No event ever comes, so that none has to be read."""

    def __init__(self, address: str) -> None:
        """Remember the address; `register` uses it.

        Args:
            address: `host:port`, as in AWS_LAMBDA_RUNTIME_API.
        """
        host, _, port = address.rpartition(":")
        self._common = common_headers(address)
        self._host = host.strip("[]")
        self._port = int(port)
        self._waiting: socket.socket | None = None

    def register(self) -> None:
        """Register; too late after the first /next. If it fails, the environment works, but gets no SIGTERM."""
        try:
            identifier = self._register()
            if identifier:
                self._wait_for_events(identifier)
        except (OSError, ConnectionClosed, NotHttp) as error:
            log("WARNING", f"The extension was not registered ({error}), so Lambda will not send SIGTERM.")

    def _register(self) -> bytes:
        body = b'{"events":[]}'
        head = (
            f"POST {_PATH}/register HTTP/1.1\r\n{self._common}Lambda-Extension-Name: {_NAME}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection = BlockingClient(self._host, self._port)
        try:
            run_blocking(connection.connect(_TIMEOUT_SECONDS))
            response = run_blocking(
                connection.send_request(head.encode() + body, deadline=time.monotonic() + _TIMEOUT_SECONDS)
            )
        finally:
            connection.close()
        if response.status == _NOT_OFFERED:
            return b""
        headers = {name.lower(): value for name, value in response.headers}
        identifier = headers.get(b"lambda-extension-identifier", b"")
        if response.status != 200 or not identifier:
            raise OSError(f"the Extensions API responded with {response.status}: {response.body!r:.300}")
        return identifier

    def _wait_for_events(self, identifier: bytes) -> None:
        """Request the next event, as every extension must before the init phase can end."""
        self._waiting = create_connection(self._host, self._port, _TIMEOUT_SECONDS)
        head = f"GET {_PATH}/event/next HTTP/1.1\r\n{self._common}Lambda-Extension-Identifier: "
        self._waiting.sendall(head.encode() + identifier + b"\r\n\r\n")
