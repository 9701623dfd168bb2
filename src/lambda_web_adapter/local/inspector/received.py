"""A recorded response as a client reads it: with its content coding undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from lambda_web_adapter.local.records.record_models import HttpResponse


def response_as_received(response: HttpResponse) -> httpx.Response:
    """Return a response with its body decoded; one that cannot be decoded, such as a truncated one, stays as it is."""
    headers = [(name.encode("latin-1", "replace"), value.encode()) for name, value in response.headers]
    body = response.body.to_bytes()
    try:
        return httpx.Response(response.status, headers=headers, content=body)
    except httpx.DecodingError:
        plain = [line for line in headers if line[0].lower() != b"content-encoding"]
        return httpx.Response(response.status, headers=plain, content=body)
