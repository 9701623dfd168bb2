"""What becomes of a request at another gateway, without sending it: the event, and the request that the app gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from lambda_web_adapter.errors import AdapterError
from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.http.headers import build_request_head
from lambda_web_adapter.http.messages import Invocation
from lambda_web_adapter.local.gateways.trace_ids import invocation_trace
from lambda_web_adapter.local.inspector.originals import original_of
from lambda_web_adapter.local.inspector.replay import gateway_of_run, moved
from lambda_web_adapter.local.inspector.replay_models import Preview, find_differences
from lambda_web_adapter.local.records.conversion import parse_head
from lambda_web_adapter.local.records.record_models import Body, HttpRequest
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways import Gateway, Request
    from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
    from lambda_web_adapter.local.records.masking import Masker
    from lambda_web_adapter.local.records.record_models import InvocationDetail
    from lambda_web_adapter.local.records.records import Record


def preview(
    source: Record | InvocationDetail, event_source: str, run: InspectedRun, masker: Masker | None = None
) -> Preview:
    """Return what becomes of a record's request at a gateway.

    Both events are made of the same request with the same time and ids, so that these are no differences.

    Args:
        source: the record.
        event_source: the name of the gateway.
        run: the run, whose options and settings apply.
        masker: masks secrets in the request, and so in all that is made of it; None for none.

    Raises:
        ReplayError: the record has no whole request.
    """
    original = original_of(source, run)
    request, settings = original.as_request(), Settings.from_environ(run.environ)
    if masker:
        request = replace(request, headers=masker.headers(request.headers))
    gateway = gateway_of_run(event_source, run)
    first_gateway = gateway_of_run(original.gateway or event_source, run)
    before = _translate(first_gateway, request, settings)
    after = _translate(gateway, moved(request, first_gateway, gateway), settings)
    return Preview(
        event=after.event,
        request=after.request,
        problem=after.problem,
        differences=find_differences(before.event, after.event),
        request_differences=find_differences(_comparable(before.request), _comparable(after.request)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Translation:
    """The event of a request, and the request that the app gets, or why it gets none."""

    event: Any
    request: HttpRequest | None = None
    problem: str = ""


def _translate(gateway: Gateway, request: Request, settings: Settings) -> _Translation:
    raw_event = gateway.event(request).to_json()
    event = orjson.loads(raw_event)
    if own := gateway.own_response(request):
        return _Translation(event=event, problem=own.reason)
    try:
        translated = build_request(find_source(event, settings), event, settings, raw_event)
        invocation = Invocation(request.request_id, raw_event, trace_id=invocation_trace(gateway, request))
        line, headers = parse_head(build_request_head(translated, invocation))
    except AdapterError as error:
        return _Translation(event=event, problem=str(error))
    method, _, target = line.rpartition(" ")[0].partition(" ")
    model = HttpRequest(method=method, target=target, headers=headers, body=Body.of(translated.body))
    return _Translation(event=event, request=model)


def _comparable(request: HttpRequest | None) -> dict[str, Any]:
    """Return a request with its headers by name: a text, or a list if there are several lines."""
    if request is None:
        return {}
    lines: dict[str, list[str]] = {}
    for name, value in request.headers:
        lines.setdefault(name.lower(), []).append(value)
    headers = {name: values[0] if len(values) == 1 else values for name, values in lines.items()}
    return {"method": request.method, "target": request.target, "headers": headers, "body": request.body.data}
