"""What a record, or an edited request, has to be sent again."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events.request_rules import path_from_encoded, query_from_raw
from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.gateways import Request
from lambda_web_adapter.local.inspector.replay_models import ReplayError, ReplayOptions
from lambda_web_adapter.local.inspector.requests_of_events import gateway_of_event, request_of_event
from lambda_web_adapter.local.records.masking import MASK
from lambda_web_adapter.local.records.record_models import Body, HttpRequest, InvocationDetail

if TYPE_CHECKING:
    from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
    from lambda_web_adapter.local.inspector.replay_models import EventSource
    from lambda_web_adapter.local.records.records import Record

# RFC 9110 §5.6.2, §7.1 and §5.5.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(r"/[^\x00-\x1f\x7f]*")
_INVALID_IN_VALUE = re.compile(r"[\r\n\0]")
# Headers that follow from the body.
_LENGTHS = frozenset({"content-length", "transfer-encoding"})
_TRUNCATED = "Its {} has {} bytes, of which the record has only the first 1 MB, so that it cannot be sent again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What was sent.

    Attributes:
        number: the number of the record; 0 if there is none.
        gateway: the name of the gateway; empty if it is no HTTP request.
        tenant_id: the tenant that the caller named.
        request: the client's request; None if there is only an event.
        event: the event.
    """

    number: int = 0
    gateway: str = ""
    tenant_id: str = ""
    request: Request | None = None
    event: bytes = b""

    def as_request(self) -> Request:
        """Return the client's request, or the one that the event describes.

        Raises:
            ReplayError: the event describes none.
        """
        if self.request:
            return self.request
        try:
            return request_of_event(parse_event(self.event))
        except InvalidEvent as error:
            raise ReplayError(f"{error} It can only be sent as it is.") from None


def original_of(source: Record | InvocationDetail, run: InspectedRun) -> Original:
    """Return what a record has.

    Raises:
        ReplayError: it has too little: it is truncated, or what came was no request.
    """
    if isinstance(source, InvocationDetail):
        return _original_of_detail(source, run)
    request, has_event = source.client_request, bool(source.event)
    if request and source.client_request_bytes > len(request.body):
        raise ReplayError(_TRUNCATED.format("body", source.client_request_bytes))
    if not request and source.event_bytes > len(source.event):
        raise ReplayError(_TRUNCATED.format("event", source.event_bytes))
    _check_presence(has_request=bool(request), has_event=has_event)
    return Original(
        number=source.number,
        gateway=_gateway_name(source.source, source.event),
        tenant_id=source.tenant_id,
        request=request,
        event=source.event,
    )


def _original_of_detail(detail: InvocationDetail, run: InspectedRun) -> Original:
    request = request_from_model(detail.client_request, run) if detail.client_request else None
    if not request and detail.event.is_truncated:
        raise ReplayError(_TRUNCATED.format("event", detail.event.size))
    event = b"" if detail.event.is_truncated else detail.event.to_bytes()
    _check_presence(has_request=bool(request), has_event=bool(event))
    return Original(
        number=detail.number,
        gateway=_gateway_name(detail.source, event),
        tenant_id=detail.tenant_id,
        request=request,
        event=event,
    )


def _check_presence(*, has_request: bool, has_event: bool) -> None:
    if not has_request and not has_event:
        raise ReplayError("It has neither a whole request nor an event, so that there is nothing to send again.")


def _gateway_name(source: str, event: bytes) -> str:
    if source in EVENT_SOURCES:
        return source
    try:
        return gateway_of_event(orjson.loads(event))
    except ValueError:  # truncated, or none
        return ""


def parse_event(event: bytes) -> Any:
    """Return an event as parsed JSON.

    Raises:
        ReplayError: it is not JSON.
    """
    try:
        return orjson.loads(event)
    except ValueError as error:
        raise ReplayError(f"The event is not JSON: {error}.") from None


def request_from_model(model: HttpRequest, run: InspectedRun, template: Request | None = None) -> Request:
    """Return a request as a client would send it: with its body's length, and a `Host`.

    Args:
        model: the request, as it was edited or read.
        run: the run that it is sent to.
        template: the request that was edited, whose address and port it has.

    Raises:
        ReplayError: no client could send it, or its body is truncated.
    """
    if model.body.is_truncated:
        raise ReplayError(_TRUNCATED.format("body", model.body.size))
    _check_head(model)
    body = model.body.to_bytes()
    path, _, query = model.target.partition("?")
    template = template or _template(run)
    headers = [line for line in model.headers if line[0].lower() not in _LENGTHS]
    if all(name.lower() != "host" for name, _ in headers):
        headers.insert(0, ("host", f"127.0.0.1:{template.port}"))
    if body:
        headers.append(("content-length", str(len(body))))
    return replace(
        template,
        method=model.method,
        raw_path=path_from_encoded(path),
        query=query_from_raw(query),
        headers=headers,
        body=body,
    )


def _check_head(model: HttpRequest) -> None:
    """Raise ReplayError if no client could send the method, the target or a header."""
    if not _TOKEN.fullmatch(model.method):
        raise ReplayError(f"The method is {model.method!r:.100}, but it takes letters, such as POST.")
    if not _TARGET.fullmatch(model.target):
        raise ReplayError(
            f"The target is {model.target!r:.100}, but it takes a path from the slash on, such as /items?page=2."
        )
    for name, value in model.headers:
        if not _TOKEN.fullmatch(name) or _INVALID_IN_VALUE.search(value):
            raise ReplayError(f"No client can send the header {name!r:.100}: {value!r:.100}.")


def model_of_request(request: Request) -> HttpRequest:
    """Return a request as records have it."""
    query = f"?{request.query}" if request.query else ""
    target, body = f"{request.raw_path}{query}", Body.of(request.body)
    return HttpRequest(method=request.method, target=target, headers=request.headers, body=body)


def options_of(detail: InvocationDetail, event_source: EventSource | None) -> ReplayOptions:
    """Return what sends the request or the event of a detail, whose run has ended.

    Raises:
        ReplayError: it has too little.
    """
    if detail.client_request:
        source = event_source or (detail.source if detail.source in EVENT_SOURCES else None)
        return ReplayOptions.model_validate({"event_source": source, "request": detail.client_request.model_dump()})
    if detail.event.is_truncated:
        raise ReplayError(_TRUNCATED.format("event", detail.event.size))
    _check_presence(has_request=False, has_event=bool(detail.event.data))
    return options_of_event(parse_event(detail.event.to_bytes()), event_source)


def options_of_event(event: Any, event_source: EventSource | None) -> ReplayOptions:
    """Return what sends an event as it is, or its request through another gateway.

    Raises:
        ReplayError: it is to go through a gateway, but is no HTTP request.
    """
    if event_source is None:
        return ReplayOptions.model_validate({"event": event})
    request = Original(event=orjson.dumps(event)).as_request()
    return ReplayOptions.model_validate(
        {"event_source": event_source, "request": model_of_request(request).model_dump()}
    )


def _template(run: InspectedRun) -> Request:
    scheme = "https" if run.options.certificate else "http"
    return Request(method="GET", raw_path="/", port=run.ports[0] if run.ports else 80, scheme=scheme)


def without_masked(detail: InvocationDetail) -> tuple[InvocationDetail, list[str]]:
    """Return a detail without the values that are masked, and a warning for each kind of them."""
    if not detail.is_masked:
        return detail, []
    removed: dict[str, None] = {}
    request, event = detail.client_request, detail.event
    if request:
        headers = [line for line in request.headers if not is_masked(line[1])]
        removed |= {name.lower(): None for name, value in request.headers if is_masked(value)}
        request = request.model_copy(update={"headers": headers})
    elif event.data and not event.is_truncated:
        document = _without_masked_values(parse_event(event.to_bytes()), removed)
        event = type(event).of(orjson.dumps(document))
    warnings = [f"{name} is masked in the record, and is left out." for name in removed]
    return detail.model_copy(update={"client_request": request, "event": event}), warnings


def _without_masked_values(value: Any, removed: dict[str, None]) -> Any:
    if isinstance(value, list):
        return [_without_masked_values(each, removed) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, each in value.items():
        if is_masked(each):
            removed[name.lower()] = None
        else:
            kept[name] = _without_masked_values(each, removed)
    return kept


def is_masked(value: Any) -> bool:
    """Return whether the masker has written a value: the mask, cookies with it, or a list of these."""
    if isinstance(value, list):
        return bool(value) and all(map(is_masked, value))
    return isinstance(value, str) and (value == MASK or all(part.endswith(f"={MASK}") for part in value.split(";")))
