"""Calls of an API's routes: events to the function, their replies, and a line of the log for each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lambda_web_adapter.local.environments.function import Throttled
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.event_sources import WEBSOCKET
from lambda_web_adapter.local.log import RequestLine
from lambda_web_adapter.local.stream_relay import collect
from lambda_web_adapter.local.websocket_api.socket_replies import RouteFailed, read_reply

if TYPE_CHECKING:
    from lambda_web_adapter.local.environments.function import Function
    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.models import WebSocketEvent, WebSocketReply


class RouteCalls:
    """Calls routes for all connections of an API."""

    def __init__(self, function: Function, log: Log) -> None:
        """Prepare, given the function behind the routes, and the log."""
        self._function = function
        self._log = log
        self._has_hinted = False

    def start(self, route: str, event: WebSocketEvent) -> RouteCall:
        """Queue an event at once, so that a connection's events reach the function in their order."""
        title = f"WebSocket {route}"
        try:
            invocation = self._function.submit(event.to_json(), title=title, source=WEBSOCKET)
        except Throttled:
            return RouteCall(title, None, self._log)
        return RouteCall(title, invocation, self._log)

    def note(self, text: str) -> None:
        """Write a line to the log."""
        self._log.line(text)

    def hint_at_route_responses(self, route: str) -> None:
        """Say once that clients do not get the bodies of replies."""
        if not self._has_hinted:
            self._has_hinted = True
            self.note(
                f"WebSocket {route}: the client does not get the reply's body, as on AWS without a route response. "
                "Send it by @connections, or run with --route-responses if the routes have one."
            )


class RouteCall:
    """An event on its way."""

    def __init__(self, title: str, invocation: Invocation | None, log: Log) -> None:
        """Prepare, given the route's name in the log, its invocation unless that was throttled, and the log."""
        self._title = title
        self._invocation = invocation
        self._log = log
        self._started_at = time.monotonic()

    async def reply(self) -> tuple[WebSocketReply, bytes]:
        """Return the route's reply and its body; a streamed one is collected, since WebSocket APIs do not stream.

        Raises:
            RouteFailed: the function failed, its reply is malformed, or all its environments are busy.
        """
        try:
            reply, body = await self._read_reply()
        except RouteFailed as failure:
            self._log_line("error", str(failure))
            raise
        self._log_line(reply.status_code)
        return reply, body

    async def _read_reply(self) -> tuple[WebSocketReply, bytes]:
        if self._invocation is None:
            raise RouteFailed("all environments are busy, and --throttle rejects further events")
        outcome = await self._invocation.outcome
        return read_reply(await collect(outcome) if isinstance(outcome, ReplyStream) else outcome)

    def _log_line(self, status: int | str, problem: str = "") -> None:
        seconds = time.monotonic() - self._started_at
        self._log.request(
            RequestLine(title=self._title, status=status, seconds=seconds, invocation=self._invocation, problem=problem)
        )
