"""The invocations of a failed test, as its report shows them: without secrets, and not too long."""

from __future__ import annotations

import json
from textwrap import indent
from typing import TYPE_CHECKING

from lambda_web_adapter.local.records.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from lambda_web_adapter.testing.record import InvocationRecord

_INVOCATIONS = 3
_BODY_CHARACTERS = 500
_LOG_CHARACTERS = 4000


def describe_invocations(history: Sequence[InvocationRecord]) -> str:
    """Return the last invocations, the oldest first."""
    if not history:
        return (
            "There was none in lambda_transport: no request was sent with it, or the gateway responded by itself. "
            "What a LambdaTransport of the test's own has done is in its history."
        )
    omitted = len(history) - _INVOCATIONS
    parts = [f"{omitted} earlier invocations are not shown."] if omitted > 0 else []
    first = max(omitted, 0) + 1
    parts += [_describe(number, record) for number, record in enumerate(history[-_INVOCATIONS:], first)]
    return "\n\n".join(parts)


def _describe(number: int, record: InvocationRecord) -> str:
    cold = f", cold start {record.init_ms:.0f} ms" if record.is_cold else ""
    sections = [
        f"Invocation {number}: {record.source or 'direct'}, {record.duration_ms:.1f} ms{cold}",
        f"Event: {_describe_json(record.raw_event)}",
    ]
    if record.request is not None:
        sections.append(f"Request: {_describe_request(record.request)}")
    if record.response is not None:
        sections.append(f"Response: {_describe_response(record.response)}")
    if record.raw_reply:
        sections.append(f"Reply: {_describe_json(record.raw_reply)}")
    if record.error is not None:
        sections.append(f"Error: {type(record.error).__name__}: {record.error}")
    if record.log.strip():
        sections.append(f"Log:\n{record.log.strip()[-_LOG_CHARACTERS:]}")
    return "\n".join(sections)


def _describe_json(document: bytes) -> str:
    """Return an event or a reply with masked secrets and a short body; what is not JSON in short, as it is."""
    try:
        parsed = json.loads(Masker().document(document))
    except ValueError:
        return _shorten(document.decode("utf-8", "replace"))
    if isinstance(parsed, dict) and isinstance(parsed.get("body"), str):
        parsed["body"] = _shorten(parsed["body"])
    return json.dumps(parsed, indent=2, ensure_ascii=False)


def _describe_request(request: httpx.Request) -> str:
    target = request.extensions.get("target", request.url.raw_path).decode("utf-8", "replace")
    return _describe_message(f"{request.method} {target}", request.headers, request.content)


def _describe_response(response: httpx.Response) -> str:
    return _describe_message(str(response.status_code), response.headers, response.content)


def _describe_message(start: str, headers: httpx.Headers, body: bytes) -> str:
    lines = [start, *(f"  {name}: {value}" for name, value in Masker().headers(headers.multi_items()))]
    if body:
        lines += ["", indent(_shorten(body.decode("utf-8", "replace")), "  ")]
    return "\n".join(lines)


def _shorten(text: str) -> str:
    rest = len(text) - _BODY_CHARACTERS
    return f"{text[:_BODY_CHARACTERS]}… ({rest} more characters)" if rest > 0 else text
