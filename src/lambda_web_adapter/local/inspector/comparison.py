"""What differs between a recorded invocation and a repeated one: status, headers and body, not times and ids."""

from __future__ import annotations

import difflib
import hashlib
import json
from functools import reduce
from typing import TYPE_CHECKING

from lambda_web_adapter.local.inspector.json_paths import without_path
from lambda_web_adapter.local.inspector.received import response_as_received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_web_adapter.local.inspector.json_paths import JsonPath
    from lambda_web_adapter.local.records.record_models import HttpResponse, InvocationDetail

# Headers that are others each time, or follow from the body; `static/js/compare.js` has the same.
VOLATILE = frozenset(
    {
        "age",
        "apigw-requestid",
        "connection",
        "content-length",
        "date",
        "expires",
        "server-timing",
        "x-amz-apigw-id",
        "x-amzn-remapped-date",
        "x-amzn-requestid",
        "x-amzn-trace-id",
    }
)
_EXPIRES = "expires="


def compare(before: InvocationDetail, after: InvocationDetail, ignored: Sequence[JsonPath] = ()) -> list[str]:
    """Return the lines of a unified diff; none if there is no difference.

    Args:
        before: the recorded invocation, with secrets masked, so that the values of cookies are no differences.
        after: the repeated one, in the same way.
        ignored: fields of JSON bodies that are not compared.
    """
    size = _common_size(before, after)
    recorded, replayed = (_lines(each, before, size, ignored) for each in (before, after))
    return list(difflib.unified_diff(recorded, replayed, "recorded", "replayed", lineterm=""))


def describe_durations(before: InvocationDetail, after: InvocationDetail) -> str:
    """Return how long the environment worked on both."""
    return f"duration {after.duration_ms:.1f} ms, recorded {before.duration_ms:.1f} ms"


def _common_size(before: InvocationDetail, after: InvocationDetail) -> int | None:
    """Return how many bytes of the bodies both records have, if one of them is truncated."""
    bodies = [
        each.client_response.body if each.client_response and before.client_response else each.reply
        for each in (before, after)
    ]
    if not any(body.is_truncated for body in bodies):
        return None
    return min(len(body.to_bytes()) for body in bodies)


def _lines(
    detail: InvocationDetail, before: InvocationDetail, size: int | None, ignored: Sequence[JsonPath]
) -> list[str]:
    """Return an outcome as lines: of the response, if the recorded invocation has one, else of error or reply."""
    if detail.client_response and before.client_response:
        return _response_lines(detail.client_response, size, ignored)
    if detail.error:
        return [f"error: {detail.error.type}: {detail.error.message}"]
    return _body_lines(detail.reply.to_bytes()[:size], ignored)


def _response_lines(response: HttpResponse, size: int | None, ignored: Sequence[JsonPath]) -> list[str]:
    headers = [
        f"{name.lower()}: {_without_expiry(value) if name.lower() == 'set-cookie' else value}"
        for name, value in response.headers
        if name.lower() not in VOLATILE
    ]
    content = response_as_received(response).content[:size]
    return [f"status: {response.status}", *sorted(headers), "", *_body_lines(content, ignored)]


def _without_expiry(cookie: str) -> str:
    return ";".join(part for part in cookie.split(";") if not part.strip().lower().startswith(_EXPIRES))


def _body_lines(content: bytes, ignored: Sequence[JsonPath]) -> list[str]:
    """Return JSON with a value on each line, text as it is, and of other bytes what tells them apart."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return [f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"]
    try:
        document = reduce(without_path, ignored, json.loads(text))
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).splitlines()
    except (ValueError, RecursionError):  # no JSON, or too deep
        return text.splitlines()
