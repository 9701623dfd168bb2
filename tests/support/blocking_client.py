"""The adapter's blocking connection, for tests that are no coroutines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_web_adapter.adapter.io.blocking_backend import run_blocking
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient

if TYPE_CHECKING:
    from lambda_web_adapter.http.messages import Response


class Connection(BlockingClient):
    def open(self, seconds: float | None = None) -> None:
        run_blocking(self.connect(seconds))

    def exchange(self, request: bytes, **how: Any) -> Response:
        return run_blocking(self.send_request(request, **how))

    def read(self, deadline: float | None = None) -> bytes:
        return run_blocking(self.read_chunk(deadline))

    def send(self, part: bytes, deadline: float | None = None) -> bool:
        return run_blocking(self.send_chunk(part, deadline))

    def answer(self, deadline: float | None = None) -> Response:
        return run_blocking(self.read_response(deadline))
