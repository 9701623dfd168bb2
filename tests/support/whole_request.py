"""A request as the app reads it: the head that the adapter writes, and the body behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.http.headers import build_request_head

if TYPE_CHECKING:
    from lambda_web_adapter.http.messages import Invocation, Request


def request_bytes(request: Request, invocation: Invocation) -> bytes:
    return build_request_head(request, invocation) + request.body
