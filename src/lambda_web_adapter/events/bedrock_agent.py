"""Bedrock agents, action groups with an OpenAPI schema: the agent calls the API that the schema describes.

https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import reply_rules, request_rules, strict_json
from lambda_web_adapter.events.source import EventSource
from lambda_web_adapter.http.messages import Request
from lambda_web_adapter.http.trusted_headers import EVENT_SOURCE_HEADER

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Response
    from lambda_web_adapter.settings import Settings

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


class BedrockAgent(EventSource):
    """An OpenAPI action group, switched on by `AWS_LWA_BEDROCK_AGENT`."""

    name = "bedrock-agent"
    setting = "bedrock_agent"

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the event has `apiPath` and an action group, as only this source's do."""
        return (
            isinstance(event.get("apiPath"), str)
            and isinstance(event.get("httpMethod"), str)
            and isinstance(event.get("actionGroup"), str)
            and event.get("path") is None
            and event.get("requestContext") is None
        )

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return the request: parameters fill the path or become the query, properties become the body by type."""
        parameters = _parameters(event.get("parameters"))
        in_path = set(_PLACEHOLDER.findall(event["apiPath"]))
        query = [parameter for parameter in parameters if parameter.name not in in_path]
        content_type, body = _body(event)
        return Request(
            method=event["httpMethod"].upper(),
            path=_path(event["apiPath"], {parameter.name: parameter.text for parameter in parameters}),
            query=request_rules.query_from_decoded([(each.name, text) for each in query for text in each.values]),
            headers=[("accept", _JSON), *([("content-type", content_type)] if content_type else [])],
            body=body,
            reserved_headers=[(EVENT_SOURCE_HEADER, self.name)],
        )

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return the reply with the body under its media type, which the schema has to name; binary is base64."""
        body, _ = reply_rules.encode_body(response)
        return reply_rules.encode_json(
            {
                "messageVersion": request_rules.to_text_or_empty(event.get("messageVersion")) or "1.0",
                "response": {
                    "actionGroup": event["actionGroup"],
                    "apiPath": event["apiPath"],
                    "httpMethod": event["httpMethod"],
                    "httpStatusCode": response.status,
                    "responseBody": {reply_rules.media_type(response) or _JSON: {"body": body}},
                },
            }
        )


def _path(template: str, values: dict[str, str]) -> str:
    """Return the path with its placeholders filled, each with one segment; placeholders without a value stay."""
    parts = _PLACEHOLDER.split(template)  # text and names alternate
    filled = [
        request_rules.percent_encode_segment(values.get(part, f"{{{part}}}"))
        if index % 2
        else request_rules.percent_encode_path(part)
        for index, part in enumerate(parts)
    ]
    path = "".join(filled)
    return path if path.startswith("/") else f"/{path}"


def _body(event: dict[str, Any]) -> tuple[str, bytes]:
    """Return media type and body, built from the properties; the first media type counts, since the agent sends one."""
    content = request_rules.to_mapping(request_rules.to_mapping(event.get("requestBody")).get("content"))
    for content_type, schema in content.items():
        properties = _parameters(request_rules.to_mapping(schema).get("properties"))
        if content_type.partition(";")[0].strip().lower() == _FORM:
            form = request_rules.query_from_decoded([(each.name, each.text) for each in properties])
            return content_type, form.encode()
        members = {each.name: f"{json.dumps(each.name, ensure_ascii=False)}:{each.json}" for each in properties}
        return content_type, f"{{{','.join(members.values())}}}".encode("utf-8", "surrogatepass")
    return "", b""


def _parameters(value: Any) -> list[_Parameter]:
    return [
        _Parameter(each["name"], each.get("type"), each.get("value"))
        for each in (value if isinstance(value, list) else [])
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    ]


class _Parameter:
    """A `{name, type, value}`; the value is a string whatever the type, and stays one if it is not of that type."""

    def __init__(self, name: str, declared: Any, value: Any) -> None:
        self.name = name
        self._declared = declared
        self._value = value

    @property
    def text(self) -> str:
        """Return the value for a path, a query or a form."""
        if isinstance(self._value, str):
            return self._value
        return "" if self._value is None else _encode_json(self._value)

    @property
    def values(self) -> list[str]:
        """Return the values for a query, one for each item of an array."""
        if self._declared == "array":
            items = self._value if isinstance(self._value, list) else _parse_json(self._value)
            if isinstance(items, list):
                return [item if isinstance(item, str) else _encode_json(item) for item in items]
        return [self.text]

    @property
    def json(self) -> str:
        """Return the value as JSON: unchanged if it is JSON of its declared type, so that no number changes."""
        if isinstance(self._value, str):
            types = _TYPES.get(self._declared, ()) if isinstance(self._declared, str) else ()
            read = _parse_json(self._value) if types else None
            if isinstance(read, types) and (not isinstance(read, bool) or bool in types):
                return self._value
        return _encode_json(self._value)


_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def _parse_json(text: Any) -> Any:
    """Return the parsed JSON; None if it is invalid."""
    if not isinstance(text, str):
        return None
    try:
        return strict_json.read(text)
    except ValueError:
        return None


def _encode_json(value: Any) -> str:
    """Return a value as JSON.

    Raises:
        InvalidEvent: it is nested too deeply, or has a number that JSON does not allow.
    """
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent(f"A parameter of the agent's call cannot be written as JSON: {error}.") from None
