"""One connection of the WSGI server: read a request, call the app, write the response, again (PEP 3333, RFC 9112)."""

from __future__ import annotations

import logging

from lambda_web_adapter.app.hooks import before_freeze
from lambda_web_adapter.app.request_parser import BAD_REQUEST, NotHttp, RequestParser
from lambda_web_adapter.app.wsgi.environ import build_environ
from lambda_web_adapter.app.wsgi.response import ConnectionLost, ResponseWriter
from lambda_web_adapter.app_api.current_invocation import CURRENT
from lambda_web_adapter.app_api.hooks import hooks_before_freeze

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any
    from wsgiref.types import WSGIApplication

    from lambda_web_adapter.app.invocation_tracking import InvocationTracker
    from lambda_web_adapter.app.request_parser import RawRequest

logger = logging.getLogger(__name__)

_SMALL = 64 * 1024  # bytes
_LARGE = 1024 * 1024  # bytes, while a body arrives


class WsgiConnection:
    """Serves one connection until its end."""

    def __init__(
        self, app: WSGIApplication, connection: socket.socket, peer: tuple[str, int], handling: InvocationTracker
    ) -> None:
        """Takes the app, the accepted connection, where it came from, and how invocations are handled."""
        self._app = app
        self._socket = connection
        self._peer = peer
        self._control = handling.control
        self._handling = handling
        self._reader = RequestParser(connection.sendall, from_adapter=handling.from_adapter)

    def run(self) -> None:
        """Serves requests until the peer, or a response that broke off, ends the connection."""
        handling = self._handling
        while request := self._read():
            finished = False
            handling.begin(request.invocation)
            try:
                finished = self._respond(request)
            finally:
                if hooks_before_freeze():
                    before_freeze.call_hooks(handling.freeze_seconds)
                handling.end(request.invocation)
                CURRENT.in_context.set(None)  # the thread lives on
                notify = self._control.done if finished else self._control.closing
                notify(self._peer[1])
            if not finished:
                return

    def _read(self) -> RawRequest | None:
        """Reads the next request, if there is one."""
        size = _SMALL
        try:
            request = self._reader.next_request()
            while request is None:
                data = self._socket.recv(size)
                if not data:
                    return None
                request = self._reader.feed(data)
                size = _LARGE
        except NotHttp as error:
            logger.warning("A request was refused, since it is not HTTP: %s", error)
            self._socket.sendall(BAD_REQUEST)
            self._control.closing(self._peer[1])
            return None
        return request

    def _respond(self, request: RawRequest) -> bool:
        """Calls the app and writes its response; returns whether the connection can go on."""
        environ = build_environ(request, underscores=self._handling.underscore_headers)
        environ.setdefault("REMOTE_ADDR", self._peer[0])
        if request.invocation is not None:
            self._handling.add_to_environ(environ, request.invocation)
        response = ResponseWriter(self._socket, head=request.method == b"HEAD", chunked=request.version == "1.1")
        try:
            self._call(environ, response)
        except ConnectionLost:
            raise
        except BaseException:  # the app's failure, sys.exit included, is the caller's 500, and the log has it
            logger.exception("Exception in WSGI application")
            if response.begun:
                return False
            response.replace("500 Internal Server Error", [("content-type", "text/plain; charset=utf-8")])
            response.write(b"Internal Server Error")
            response.end()
        return request.keep_alive and response.complete

    def _call(self, environ: dict[str, Any], response: ResponseWriter) -> None:
        result = self._app(environ, response.start)
        try:
            if isinstance(result, (list, tuple)):
                if len(result) == 1:
                    response.set_default_length(len(result[0]))
                response.expect(sum(map(len, result)))
            for part in result:
                if part:
                    response.write(part)
            response.end()
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
