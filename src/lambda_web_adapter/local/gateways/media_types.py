"""A REST API's `binaryMediaTypes`: which bodies it converts from and to base64.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.base import Request, Response

# What API Gateway assumes for a request without a content type.
_DEFAULT = "application/json"


def body_for_event(request: Request, binary: tuple[str, ...]) -> tuple[str, bool]:
    """Return the body for an event, and whether it is base64, as only bodies of binary types are.

    Any other body is read as text, so that what is not UTF-8 is lost.
    """
    if not request.body:
        return "", False
    if is_binary(request.header("content-type") or _DEFAULT, binary):
        return base64.b64encode(request.body).decode(), True
    return request.body.decode("utf-8", "replace"), False


def for_client(response: Response, request: Request, binary: tuple[str, ...]) -> Response:
    """Return the response as the client gets it: base64 remains base64 unless the client accepts a binary type.

    Only the first type in `Accept` counts. Without that header it is the reply's type (not documented).
    """
    if not response.is_base64 or is_binary(_wanted(request) or _content_type(response), binary):
        return response
    headers = [line for line in response.headers if line[0].lower() != "content-length"]
    return replace(response, headers=headers, body=base64.b64encode(response.body), is_base64=False)


def is_binary(media_type: str, binary: tuple[str, ...]) -> bool:
    """Return whether a media type, with or without parameters, is in the list, which may have `*/*` and `image/*`."""
    name = media_type.partition(";")[0].strip().lower()
    return any(entry in (name, "*/*", f"{name.partition('/')[0]}/*") for entry in binary)


def _wanted(request: Request) -> str:
    return (request.header("accept") or "").partition(",")[0]


def _content_type(response: Response) -> str:
    return next((value for name, value in response.headers if name.lower() == "content-type"), _DEFAULT)
