"""Rules that gateways share for replies: a reply must match its model, and give a valid response."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from lambda_web_adapter.local.asgi_messages import WITHOUT_BODY
from lambda_web_adapter.local.gateways.base import HOP_BY_HOP, MalformedReply, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_web_adapter.local.gateways.base import Pairs
    from lambda_web_adapter.models import Model

ModelT = TypeVar("ModelT", bound="Model")

# RFC 9110 §5.6.2 and §5.5.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_INVALID_IN_VALUE = re.compile(r"[\r\n\0]")


def parse_reply(model: type[ModelT], payload: bytes) -> ModelT:
    """Return a reply.

    Raises:
        MalformedReply: it is not JSON, or does not match the model.
    """
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise malformed(error) from None


def malformed(error: ValidationError) -> MalformedReply:
    """Return the error for a reply, with a message for each wrong field."""
    problems = [f"{'.'.join(map(str, item['loc'])) or 'the reply'}: {item['msg']}" for item in error.errors()]
    return MalformedReply("; ".join(problems))


def build_response(status: int, lines: Iterable[tuple[str, str]], body: str | None, is_base64: bool) -> Response:
    """Return a response with its body decoded.

    Raises:
        MalformedReply: a header or the body is not valid.
    """
    headers = [_checked(name, value) for name, value in lines if name.lower() not in HOP_BY_HOP]
    return Response(status=status, headers=headers, body=_decoded(body or "", is_base64), is_base64=is_base64)


def _checked(name: str, value: str) -> tuple[str, str]:
    if not _NAME.fullmatch(name):
        raise MalformedReply(f"headers: {name!r:.100} is not a header's name")
    if _INVALID_IN_VALUE.search(value):
        raise MalformedReply(f"headers.{name}: The value holds a line break or a NUL")
    return name, value


def _decoded(body: str, is_base64: bool) -> bytes:
    try:
        return base64.b64decode(body, validate=True) if is_base64 else body.encode()
    except ValueError as error:
        raise MalformedReply(f"body: {error}") from None


def with_content_type(response: Response, content_type: str) -> Response:
    """Return the response with a default content type, if the app has set none and the status allows a body."""
    if response.status in WITHOUT_BODY or any(name.lower() == "content-type" for name, _ in response.headers):
        return response
    headers = [*response.headers, ("content-type", content_type)]
    return replace(response, headers=headers)


def remap_headers(response: Response, names: frozenset[str]) -> Response:
    """Return the response with those headers renamed that API Gateway reserves."""
    headers = [
        (f"x-amzn-remapped-{name}" if name.lower() in names else name, value) for name, value in response.headers
    ]
    return replace(response, headers=headers)


def header_lines(values: dict[str, list[str]] | None) -> Pairs:
    """Return the header lines of a multi-value map."""
    return [(name, value) for name, items in (values or {}).items() for value in items]
