"""What the messages of a record say, in one form: requests, events as the requests that they describe, and replies."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic_core import from_json

from lambda_web_adapter.events.request_rules import merge_maps, pairs_from_map, to_mapping, to_text
from lambda_web_adapter.local.gateways.prelude import SEPARATOR
from lambda_web_adapter.local.records.records import MAX_PART

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.local.records.record_models import Body, HttpRequest, HttpResponse

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A body.

    Attributes:
        data: its bytes, as far as they are in the record.
        size: the size of the whole; None if it is not known.
        is_base64: whether it is base64 in the message.
    """

    data: bytes = b""
    size: int | None = 0
    is_base64: bool = False

    def has_bytes_of(self, content: Content) -> bool:
        """Return whether the bytes are the same, as far as the record has both."""
        if self.size is not None and content.size is not None and self.size != content.size:
            return False
        length = min(len(self.data), len(content.data))
        return self.data[:length] == content.data[:length]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request, an event, a response or a reply.

    Attributes:
        method: the method.
        path: the path; an event may have it decoded.
        query: the query; None if an event has only a map of parameters.
        parameters: the map's pairs.
        headers: name and value in order, one pair for each line.
        cookies: whether the cookies are a list, apart from the headers.
        body: the body; None if it is not in the record.
        status: the status.
        description: the status with its reason, as load balancers have it.
    """

    method: str = ""
    path: str = ""
    query: str | None = ""
    parameters: Pairs = field(default_factory=list)
    headers: Pairs = field(default_factory=list)
    cookies: bool = False
    body: Content | None = None
    status: int = 0
    description: str = ""

    def header(self, name: str) -> str:
        """Return a header's values joined by commas; empty if there is none."""
        return ", ".join(value for key, value in self.headers if key.lower() == name)


def message_of_request(request: HttpRequest) -> Message:
    """Return what a request says."""
    path, _, query = request.target.partition("?")
    return Message(method=request.method, path=path, query=query, headers=request.headers, body=_content(request.body))


def message_of_response(response: HttpResponse) -> Message:
    """Return what a response says."""
    return Message(status=response.status, headers=response.headers, body=_content(response.body))


def _content(body: Body) -> Content:
    """Return a body; gateways' messages are cut in the record without their size."""
    is_cut = not body.is_truncated and body.size >= MAX_PART
    return Content(data=body.to_bytes(), size=None if is_cut else body.size)


def read_document(body: Body) -> dict[str, Any] | None:
    """Return the JSON object of an event, a reply or the prelude of a streamed one; None if there is none to be read.

    Of a document that is cut in the middle of its body, all that comes before is returned.
    """
    data = body.to_bytes().partition(SEPARATOR)[0]
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        parsed = _read_beginning(data) if body.is_truncated else None
    return parsed if isinstance(parsed, dict) else None


def _read_beginning(data: bytes) -> Any:
    try:
        parsed = from_json(data, allow_partial="trailing-strings")
    except ValueError:
        return None
    if not isinstance(parsed, dict) or [*parsed][-1:] != ["body"]:
        return None
    return {**parsed, "body": None, "isCut": True}


def message_of_event(event: dict[str, Any], source: str) -> Message:
    """Return what an event of a source, as the adapter names it, says about its request.

    Raises:
        InvalidEvent: a list or a map stands where a string is expected.
    """
    if source in ("function-url", "http-api-v2"):
        return _message_of_payload_v2(event)
    if source in ("vpc-lattice-v1", "vpc-lattice-v2"):
        return _message_of_lattice(event)
    return Message(
        method=to_text(event.get("httpMethod")),
        path=to_text(event.get("path")),
        query=None,
        parameters=merge_maps(
            event.get("queryStringParameters"), event.get("multiValueQueryStringParameters"), ignore_case=False
        ),
        headers=merge_maps(event.get("headers"), event.get("multiValueHeaders")),
        body=_body_in_json(event),
    )


def _message_of_payload_v2(event: dict[str, Any]) -> Message:
    """A list of cookies counts, not the header that function URLs have as well."""
    cookies = [to_text(cookie) for cookie in event.get("cookies") or [] if cookie is not None]
    headers = merge_maps(event.get("headers"), None)
    if cookies:
        headers = [line for line in headers if line[0].lower() != "cookie"]
        headers += [("cookie", cookie) for cookie in cookies]
    return Message(
        method=to_text(to_mapping(to_mapping(event.get("requestContext")).get("http")).get("method")),
        path=to_text(event.get("rawPath")),
        query=to_text(event.get("rawQueryString")),
        headers=headers,
        cookies=bool(cookies),
        body=_body_in_json(event),
    )


def _message_of_lattice(event: dict[str, Any]) -> Message:
    """The path includes the query, but AWS's page shows events where only the map has it."""
    path, question_mark, query = to_text(event.get("raw_path") or event.get("path")).partition("?")
    parameters = event.get("query_string_parameters") or event.get("queryStringParameters")
    return Message(
        method=to_text(event.get("method")),
        path=path,
        query=query if question_mark or not parameters else None,
        parameters=pairs_from_map(parameters),
        headers=pairs_from_map(event.get("headers")),
        body=_body_in_json(event),
    )


def message_of_reply(reply: dict[str, Any]) -> Message:
    """Return what a reply says about its response.

    Raises:
        InvalidEvent: a list or a map stands where a string is expected.
    """
    status, cookies = reply.get("statusCode"), reply.get("cookies") or []
    return Message(
        status=status if isinstance(status, int) else 0,
        headers=[
            *pairs_from_map(reply.get("headers")),
            *pairs_from_map(reply.get("multiValueHeaders")),
            *(("set-cookie", to_text(cookie)) for cookie in cookies),
        ],
        cookies=bool(cookies),
        body=_body_in_json(reply),
        description=to_text(reply.get("statusDescription")),
    )


def _body_in_json(document: dict[str, Any]) -> Content | None:
    if "isCut" in document:
        return None
    text = to_text(document.get("body"))
    is_base64 = document.get("isBase64Encoded", document.get("is_base64_encoded")) is True
    if not text or not is_base64:
        data = text.encode("utf-8", "surrogatepass")
        return Content(data=data, size=len(data))
    try:
        data = base64.b64decode(text)
    except ValueError:
        return None
    return Content(data=data, size=len(data), is_base64=True)
