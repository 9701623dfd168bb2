"""The request of a record, as snippets have a client send it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.local.gateways.base import HOP_BY_HOP
from lambda_web_adapter.local.inspector.originals import is_masked, model_of_request, parse_event
from lambda_web_adapter.local.inspector.python_source import bytes_literal
from lambda_web_adapter.local.inspector.replay_models import ReplayError
from lambda_web_adapter.local.inspector.requests_of_events import request_of_event
from lambda_web_adapter.local.records.masking import is_too_deep

if TYPE_CHECKING:
    from lambda_web_adapter.local.records.record_models import HttpRequest, InvocationDetail

# Headers that every client makes itself.
_MADE_BY_CLIENTS = HOP_BY_HOP | {"content-length", "expect"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SnippetContext:
    """What a snippet says of the run.

    Attributes:
        url: scheme, host and port of the app.
        app: the app's name; empty if it is searched for.
        gateway: arguments of the transport that stand for the gateway's options.
    """

    url: str = "http://127.0.0.1:8000"
    app: str = "main:app"
    gateway: dict[str, Any] = field(default_factory=dict)


def request_of(detail: InvocationDetail) -> HttpRequest | None:
    """Return the client's request; None if the event is no HTTP request.

    Raises:
        ReplayError: it is truncated.
    """
    model = detail.client_request
    if model is None:
        try:
            request = request_of_event(event_of(detail))
        except InvalidEvent:
            return None
        model = model_of_request(request)
    if model.body.is_truncated:
        raise ReplayError(f"The record has not all of the {model.body.size} bytes of the body.")
    return model


def event_of(detail: InvocationDetail) -> Any:
    """Return the parsed event of a record.

    Raises:
        ReplayError: it has none, not all of it, or too many levels.
    """
    if detail.event.is_truncated:
        raise ReplayError(f"The record has not all of the {detail.event.size} bytes of the event.")
    if not detail.event.data:
        raise ReplayError("No event was made of this request.")
    event = parse_event(detail.event.to_bytes())
    if is_too_deep(event):
        raise ReplayError("The event has more than 200 levels, which no snippet can have.")
    return event


def headers_to_send(request: HttpRequest, url: str) -> list[tuple[str, str]]:
    """Return the headers that a client is told to send: not those that it makes itself."""
    host = urlsplit(url).netloc
    return [
        (name, value)
        for name, value in request.headers
        if name.lower() not in _MADE_BY_CLIENTS and (name.lower(), value) != ("host", host)
    ]


def variable_of(header: str) -> str:
    """Return the environment variable that stands for a masked header."""
    return re.sub(r"\W", "_", header, flags=re.ASCII).upper()


def request_arguments(request: HttpRequest, url: str, indent: str = "") -> list[str]:
    """Return the arguments of httpx's `request`, as source."""
    arguments = [repr(request.method), repr(f"{url}{request.target}")]
    if headers := headers_to_send(request, url):
        pairs = [(repr(name), _header_source(name, value)) for name, value in headers]
        inner = f"{indent}        "
        if len({name.lower() for name, _ in headers}) == len(headers):
            items = "".join(f"{inner}{name}: {value},\n" for name, value in pairs)
            arguments.append(f"headers={{\n{items}{indent}    }}")
        else:
            items = "".join(f"{inner}({name}, {value}),\n" for name, value in pairs)
            arguments.append(f"headers=[\n{items}{indent}    ]")
    if body := request.body.to_bytes():
        arguments.append(f"content={bytes_literal(body)}")
    return arguments


def _header_source(name: str, value: str) -> str:
    """Return a header's value as source; httpx takes text only if it is ASCII."""
    if is_masked(value):
        return f"os.environ[{variable_of(name)!r}]"
    return repr(value) if value.isascii() else f"{value!r}.encode()"
