"""What a function URL does at the edge: an HTTP request into an event, a reply into an HTTP response.

Written from AWS's description of the payloads and captured events, independently of `events`, so that each checks the
other.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from pydantic import ValidationError

from lambda_web_adapter.local.http import WITHOUT_BODY
from lambda_web_adapter.models import HttpDescription, PayloadV2Context, PayloadV2Event, PayloadV2Reply

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

_DOMAIN = "local.lambda-url.us-east-1.on.aws"
# Bodies of these types travel as text, all others as base64.
_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}


class MalformedReply(Exception):
    """The reply is not what a function URL takes; the text says which field."""


def event_of(scope: HTTPScope, body: bytes) -> PayloadV2Event:
    """Makes the event of a request."""
    pairs = [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in scope["headers"]]
    headers: dict[str, str] = {}
    for name, value in pairs:
        if name not in _HOP_BY_HOP:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    cookies = [cookie.strip() for name, value in pairs if name == "cookie" for cookie in value.split(";")]
    address, port = scope["client"] or ("127.0.0.1", 0), (scope["server"] or ("", 0))[1]
    headers |= {"x-forwarded-for": address[0], "x-forwarded-proto": "http", "x-forwarded-port": str(port)}
    if body or "content-length" in headers:
        headers["content-length"] = str(len(body))
    raw_path = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    text = _as_text(body, headers)
    return PayloadV2Event(
        raw_path=raw_path,
        raw_query_string=query,
        cookies=cookies or None,
        headers=headers,
        query_string_parameters=_parameters(query),
        request_context=PayloadV2Context(
            account_id="anonymous",
            api_id="local",
            domain_name=_DOMAIN,
            domain_prefix="local",
            http=HttpDescription(
                method=scope["method"],
                path=unquote(raw_path),
                source_ip=address[0],
                user_agent=headers.get("user-agent"),
            ),
            request_id=str(uuid.uuid4()),
            time=time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            time_epoch=int(time.time() * 1000),
        ),
        body=(base64.b64encode(body).decode() if text is None else text) if body else None,
        is_base64_encoded=bool(body) and text is None,
    )


def _parameters(query: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        found[key] = f"{found[key]},{value}" if key in found else value
    return found or None


def _as_text(body: bytes, headers: dict[str, str]) -> str | None:
    if "content-encoding" in headers or not headers.get("content-type", "").lower().startswith(_TEXT_TYPES):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _has_status(payload: bytes) -> bool:
    try:
        found = json.loads(payload)
    except ValueError:
        return b'"statusCode"' in payload
    return isinstance(found, dict) and "statusCode" in found


def response_of(payload: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """Makes the response of a reply: status, headers, body.

    A reply without `statusCode` is itself the body of a 200, as AWS's "payload format inference" has it.

    Raises:
        MalformedReply: a function URL would answer 502.
    """
    try:
        if not _has_status(payload):
            return 200, [("content-type", "application/json")], payload
        reply = PayloadV2Reply.model_validate_json(payload)
        body = (reply.body or "").encode()
        if reply.is_base64_encoded:
            body = base64.b64decode(body, validate=True)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc'])) or 'the reply'}: {item['msg']}" for item in error.errors()]
        raise MalformedReply("; ".join(problems)) from None
    except ValueError as error:
        raise MalformedReply(f"body: {error}") from None
    headers = list((reply.headers or {}).items())
    if reply.status_code not in WITHOUT_BODY and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "application/json"))
    headers += [("set-cookie", cookie) for cookie in reply.cookies or []]
    return reply.status_code, headers, body
