"""Bedrock agents, action groups with an OpenAPI schema: the agent calls the API that the schema describes.

https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
"""

from __future__ import annotations

import json
import re

from lambda_web_adapter.events import _reply, _request
from lambda_web_adapter.events._source import MARK, EventSource
from lambda_web_adapter.messages import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.messages import Response
    from lambda_web_adapter.settings import Settings

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


class BedrockAgent(EventSource):
    """An OpenAPI action group, switched on by `AWS_LWA_BEDROCK_AGENT`."""

    name = "bedrock-agent"
    setting = "bedrock_agent"

    def recognises(self, event: dict[str, Any]) -> bool:
        """Only this event has `apiPath` and an action group."""
        return (
            isinstance(event.get("apiPath"), str)
            and isinstance(event.get("httpMethod"), str)
            and "actionGroup" in event
            and event.get("path") is None
            and event.get("requestContext") is None
        )

    def request(self, event: Any, settings: Settings) -> Request:
        """Parameters named in the path fill it, the others are the query; properties are the body, by declared type."""
        parameters = _typed(event.get("parameters"))
        in_path = set(_PLACEHOLDER.findall(event["apiPath"]))
        values = {name: _as_text(value) for name, value in parameters}
        content_type, body = _body(event)
        return Request(
            method=event["httpMethod"].upper(),
            path=_path(event["apiPath"], values),
            query=_request.decoded_query(
                [
                    (name, _as_text(item))
                    for name, value in parameters
                    if name not in in_path
                    for item in (value if isinstance(value, list) else [value])
                ]
            ),
            headers=[("accept", _JSON), *([("content-type", content_type)] if content_type else [])],
            body=body,
            marks=[(MARK, self.name)],
        )

    def reply(self, response: Response, event: Any) -> bytes:
        """The body goes under its media type, which the schema has to name; binary goes as base64."""
        body, _ = _reply.body_text(response)
        return _reply.json_bytes(
            {
                "messageVersion": _request.text_or_empty(event.get("messageVersion")) or "1.0",
                "response": {
                    "actionGroup": event["actionGroup"],
                    "apiPath": event["apiPath"],
                    "httpMethod": event["httpMethod"],
                    "httpStatusCode": response.status,
                    "responseBody": {_reply.media_type(response) or _JSON: {"body": body}},
                },
            }
        )


def _path(template: str, values: dict[str, str]) -> str:
    """Fills a path's placeholders, each within its own segment; one without a value stays, for the app to refuse."""
    parts = _PLACEHOLDER.split(template)  # text and names take turns
    filled = [
        _request.segment(values.get(part, f"{{{part}}}")) if index % 2 else _request.literal(part)
        for index, part in enumerate(parts)
    ]
    path = "".join(filled)
    return path if path.startswith("/") else f"/{path}"


def _body(event: dict[str, Any]) -> tuple[str, bytes]:
    """Makes the body from its properties; of several media types the first counts, as the agent sends one."""
    content = _request.mapping(_request.mapping(event.get("requestBody")).get("content"))
    for content_type, described in content.items():
        properties = _typed(_request.mapping(described).get("properties"))
        if content_type.partition(";")[0].strip().lower() == _FORM:
            pairs = [(name, _as_text(value)) for name, value in properties]
            return content_type, _request.decoded_query(pairs).encode()
        return content_type, _reply.json_bytes(dict(properties))
    return "", b""


def _typed(parameters: Any) -> list[tuple[str, Any]]:
    """Reads `[{name, type, value}]`; every value is text, whatever its declared type."""
    return [
        (parameter["name"], _value(parameter.get("value"), parameter.get("type")))
        for parameter in (parameters if isinstance(parameters, list) else [])
        if isinstance(parameter, dict) and isinstance(parameter.get("name"), str)
    ]


def _value(value: Any, declared: Any) -> Any:
    """Reads a value by its declared type; what is not of that type stays text, for the app to judge."""
    if not isinstance(value, str) or declared not in ("integer", "number", "boolean", "array", "object"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _as_text(value: Any) -> str:
    """Writes a value for a path or a query."""
    if isinstance(value, str):
        return value
    return "" if value is None else _reply.json_bytes(value).decode()
