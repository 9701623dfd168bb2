"""A recorded invocation as a test for pytest, which sends it to the app once more and expects the same response."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.inspector.originals import is_masked
from lambda_web_adapter.local.inspector.python_source import bytes_literal, call, literal
from lambda_web_adapter.local.inspector.received import response_as_received
from lambda_web_adapter.local.inspector.replay_models import ReplayError
from lambda_web_adapter.local.inspector.snippet_requests import (
    event_of,
    headers_to_send,
    request_arguments,
    request_of,
    variable_of,
)

if TYPE_CHECKING:
    import httpx

    from lambda_web_adapter.local.inspector.snippet_requests import SnippetContext
    from lambda_web_adapter.local.records.record_models import HttpResponse, InvocationDetail

# Headers that are the same each time: dates, ids and validators are not, nor the order of methods in `allow`. Cookies
# have a line of their own.
_STABLE_HEADERS = (
    "content-type",
    "location",
    "cache-control",
    "content-disposition",
    "content-language",
    "vary",
    "www-authenticate",
    "access-control-allow-origin",
)
# A longer body is compared by its length, in bytes.
_MAX_BODY = 4000
_MAX_NAME = 60
_INDENT = "    "
_TRANSPORT = "LambdaTransport"
_NOT_EXPECTED = "# The body of {} bytes is too large to be written here."
_VARYING = "# Values that are others each time, such as ids and moments, have to be replaced or left out."


def build_test(detail: InvocationDetail, context: SnippetContext) -> tuple[str, str]:
    """Return the test, and the name of a file for it.

    Raises:
        ReplayError: the record has too little.
    """
    name = _test_name(detail.title)
    is_request = detail.client_request is not None and detail.source in EVENT_SOURCES
    text = _request_test(name, detail, context) if is_request else _event_test(name, detail, context)
    return text, f"{name}.py"


def _test_name(title: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:_MAX_NAME].strip("_")
    return f"test_{name or 'request'}"


def _request_test(name: str, detail: InvocationDetail, context: SnippetContext) -> str:
    request, response = request_of(detail), detail.client_response
    if request is None or response is None:
        raise ReplayError("The record has no response to expect.")
    url = _url_of({key.lower(): value for key, value in request.headers}, context.url)
    arguments = [repr(context.app), f"event_source={detail.source!r}"]
    arguments += [f"{key}={value!r}" for key, value in context.gateway.items()]
    secrets = [variable_of(key) for key, value in headers_to_send(request, url) if is_masked(value)]
    sent = call("client.request", request_arguments(request, url, _INDENT * 2), _INDENT * 2)
    lines = [
        f"def {name}() -> None:",
        f"{_INDENT}transport = {call(_TRANSPORT, arguments, _INDENT)}",
        f"{_INDENT}with httpx.Client(transport=transport) as client:",
        f"{_INDENT * 2}response = {sent}",
        "",
        *(f"{_INDENT}{each}" for each in _assertions(request.method, response)),
    ]
    imports = [*(["import os", ""] if secrets else []), "import httpx", ""]
    comment = [f"# Masked in the record: set {' and '.join(secrets)}.", ""] if secrets else []
    return "\n".join([*imports, f"from lambda_web_adapter.testing import {_TRANSPORT}", "", *comment, "", *lines, ""])


def _url_of(headers: dict[str, str], url: str) -> str:
    """Return the URL with the client's own host, which links in the response may have."""
    scheme = url.partition("://")[0]
    host = headers.get("host", "")
    return f"{scheme}://{host}" if re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?", host) else url


def _assertions(method: str, response: HttpResponse) -> list[str]:
    """Return what is expected of the response: what is the same each time."""
    received = response_as_received(response)
    lines = [f"assert response.status_code == {response.status}"]
    lines += [
        f"assert response.headers[{name!r}] == {received.headers[name]!r}"
        for name in _STABLE_HEADERS
        if name in received.headers
    ]
    if cookies := [value.partition("=")[0] for key, value in response.headers if key.lower() == "set-cookie"]:
        lines.append('cookies = response.headers.get_list("set-cookie")')
        lines.append(f'assert [cookie.partition("=")[0] for cookie in cookies] == {cookies!r}')
    if method == "HEAD":
        return lines
    if response.body.is_truncated:
        return [*lines, _NOT_EXPECTED.format(response.body.size)]
    if len(received.content) > _MAX_BODY:
        size = len(received.content)
        return [*lines, _NOT_EXPECTED.format(size), f"assert len(response.content) == {size}"]
    return [*lines, *([_VARYING] if received.content else []), _body_assertion(received)]


def _body_assertion(received: httpx.Response) -> str:
    content, content_type = received.content, received.headers.get("content-type", "").lower()
    if "json" in content_type:
        try:
            return f"assert response.json() == {literal(_parse_finite(content), _INDENT)}"
        except (ValueError, RecursionError):
            pass  # which is no JSON, has no literal, or is too deep
    if content_type.startswith("text/"):
        return f"assert response.text == {received.text!r}"
    return f"assert response.content == {bytes_literal(content)}"


def _parse_finite(content: bytes) -> Any:
    """Return parsed JSON whose numbers have literals.

    Raises:
        ValueError: it is not JSON, or has NaN or Infinity.
    """

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(content, parse_constant=refuse)


def _event_test(name: str, detail: InvocationDetail, context: SnippetContext) -> str:
    event = event_of(detail)
    imported = [_TRANSPORT]
    lines = [f"{_INDENT}with {_TRANSPORT}({context.app!r}) as transport:"]
    if detail.error:
        imported.insert(0, "InvocationFailed")
        lines[0] = lines[0].replace(" as transport:", " as transport, pytest.raises(InvocationFailed) as failure:")
        lines += [
            f"{_INDENT * 2}transport.invoke(EVENT)",
            "",
            f"{_INDENT}assert failure.value.error_type == {detail.error.type!r}",
        ]
    else:
        lines.append(f"{_INDENT * 2}reply = transport.invoke(EVENT)")
        lines += ["", *(f"{_INDENT}{each}" for each in _reply_assertions(detail))]
    masked = ["# Secrets are masked: ***."] if detail.is_masked and "***" in detail.event.data else []
    return "\n".join(
        [
            *(["import pytest", ""] if detail.error else []),
            f"from lambda_web_adapter.testing import {', '.join(imported)}",
            "",
            *masked,
            f"EVENT = {literal(event)}",
            "",
            "",
            f"def {name}() -> None:",
            *lines,
            "",
        ]
    )


def _reply_assertions(detail: InvocationDetail) -> list[str]:
    """Return what is expected of a reply: of one to an HTTP request, status and body."""
    if detail.reply.is_truncated or detail.is_streamed:
        return ["# The reply is streamed, or too large to be written here.", "assert reply"]
    try:
        reply = _parse_finite(detail.reply.to_bytes())
    except (ValueError, RecursionError):
        return ["assert reply"]
    if not isinstance(reply, dict) or "statusCode" not in reply:
        return [_VARYING, f"assert reply == {literal(reply, _INDENT)}"]
    lines = [f'assert reply["statusCode"] == {reply["statusCode"]!r}']
    if isinstance(body := reply.get("body"), str) and len(body) > _MAX_BODY:
        lines.append(_NOT_EXPECTED.format(len(body)))
    elif isinstance(body, str):
        lines += [*([_VARYING] if body else []), f'assert reply["body"] == {body!r}']
    return lines
