"""Rules that function URLs and HTTP APIs share for payload 2.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from lambda_web_adapter.local.gateways.response_rules import build_response, malformed, with_content_type
from lambda_web_adapter.models import PayloadV2Reply

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.base import Request, Response


def cookies(request: Request) -> list[str] | None:
    """Return the request's cookies, each as `name=value`."""
    lines = [value for name, value in request.headers if name.lower() == "cookie"]
    return [cookie.strip() for line in lines for cookie in line.split(";") if cookie.strip()] or None


def reply_or_none(payload: bytes) -> PayloadV2Reply | None:
    """Return a reply; None if it has no `statusCode`, so that the payload is itself the response's body.

    Raises:
        MalformedReply: it has a `statusCode`, but is not valid.
    """
    try:
        return PayloadV2Reply.model_validate_json(payload)
    except ValidationError as error:
        if _has_no_status(error, payload):
            return None
        raise malformed(error) from None


def _has_no_status(error: ValidationError, payload: bytes) -> bool:
    kinds = {(item["type"], item["loc"]) for item in error.errors(include_url=False)}
    if ("json_invalid", ()) in kinds:  # HTTP APIs pass it on, by captures; with a status it is a truncated reply
        return b'"statusCode"' not in payload
    return not kinds.isdisjoint({("missing", ("statusCode",)), ("model_type", ())})


def response_of_v2(reply: PayloadV2Reply, content_type: str) -> Response:
    """Return the response of a reply.

    Args:
        reply: the reply.
        content_type: the content type if the app has set none.

    Raises:
        MalformedReply: a header or the body is not valid.
    """
    set_cookie = [("set-cookie", cookie) for cookie in reply.cookies or []]
    lines = [*(reply.headers or {}).items(), *set_cookie]
    return with_content_type(
        build_response(reply.status_code, lines, reply.body, reply.is_base64_encoded), content_type
    )
