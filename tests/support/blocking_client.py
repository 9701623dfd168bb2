"""The adapter's blocking connection, for tests that are no coroutines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_web_adapter.adapter.io.blocking_backend import run
from lambda_web_adapter.adapter.io.blocking_client import BlockingConnection

if TYPE_CHECKING:
    from lambda_web_adapter.http.messages import Response


class Connection(BlockingConnection):
    def open(self, seconds: float | None = None) -> None:
        run(self.connect(seconds))

    def exchange(self, request: bytes, **how: Any) -> Response:
        return run(self.ask(request, **how))

    def read(self, deadline: float | None = None) -> bytes:
        return run(self.more(deadline))

    def send(self, part: bytes, deadline: float | None = None) -> bool:
        return run(self.post(part, deadline))

    def answer(self, deadline: float | None = None) -> Response:
        return run(self.posted(deadline))
