"""One connection of the WSGI server: read a request, call the app, write the response, repeat (PEP 3333, RFC 9112)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lambda_web_adapter.app.hooks import before_freeze
from lambda_web_adapter.app.invocation_tracking import CONTEXT
from lambda_web_adapter.app.request_parser import BAD_REQUEST, NotHttp, RequestParser
from lambda_web_adapter.app.wsgi.environ import build_environ
from lambda_web_adapter.app.wsgi.response import ConnectionLost, ResponseWriter
from lambda_web_adapter.app_api.current_invocation import CURRENT
from lambda_web_adapter.app_api.hooks import hooks_before_freeze
from lambda_web_adapter.http.large_bodies import FIRST_READ, NEXT_READ

if TYPE_CHECKING:
    import socket
    from typing import Any
    from wsgiref.types import WSGIApplication

    from lambda_web_adapter.app.invocation_tracking import InvocationTracker
    from lambda_web_adapter.app.request_parser import RawRequest

logger = logging.getLogger(__name__)


class WsgiConnection:
    """Serves the requests on one connection, until it ends."""

    def __init__(
        self, app: WSGIApplication, connection: socket.socket, peer: tuple[str, int], tracker: InvocationTracker
    ) -> None:
        """Serve an app on an accepted connection; `peer` is the address of its other end."""
        self._app = app
        self._socket = connection
        self._peer = peer
        self._control = tracker.control
        self._tracker = tracker
        self._parser = RequestParser(connection.sendall, from_adapter=tracker.from_adapter)

    def run(self) -> None:
        """Serve requests until the peer closes the connection, or until a response has to close it."""
        tracker = self._tracker
        while request := self._read():
            finished = False
            tracker.begin(request.invocation)
            try:
                finished = self._respond(request)
            finally:
                if hooks_before_freeze():
                    before_freeze.call_hooks(tracker.freeze_seconds)
                tracker.end(request.invocation)
                CURRENT.in_context.set(None)  # the thread goes on without an invocation
                notify = self._control.done if finished else self._control.closing
                notify(self._peer[1])
            if not finished:
                return

    def _read(self) -> RawRequest | None:
        """Return the next request; None if no more comes."""
        size = FIRST_READ
        try:
            request = self._parser.next_request()
            while request is None:
                data = self._socket.recv(size)
                if not data:
                    return None
                request = self._parser.feed(data)
                size = NEXT_READ
        except NotHttp as error:
            logger.warning("A request was rejected because it is not HTTP: %s", error)
            self._socket.sendall(BAD_REQUEST)
            self._control.closing(self._peer[1])
            return None
        return request

    def _respond(self, request: RawRequest) -> bool:
        """Call the app and write its response; return whether the connection stays open."""
        environ = build_environ(request, underscores=self._tracker.underscore_headers)
        environ.setdefault("REMOTE_ADDR", self._peer[0])
        if request.invocation is not None:
            environ[CONTEXT] = request.invocation
        response = ResponseWriter(self._socket, head=request.method == b"HEAD", chunked=request.version == "1.1")
        try:
            self._call(environ, response)
        except ConnectionLost:
            raise
        except BaseException:  # the app's failure, SystemExit included, becomes a 500, and is logged
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
                response.check_whole_length(sum(map(len, result)))
            for part in result:
                if part:
                    response.write(part)
            response.end()
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
