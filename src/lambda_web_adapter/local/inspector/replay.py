"""Send what a record has once more: as it was, edited, as another gateway would, several times, after a cold start."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.local.environments.function import Throttled
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.gateway_call import GatewayCall, stamped, title_of
from lambda_web_adapter.local.gateways import LAMBDA_PAYLOAD_LIMIT, GatewayOptions, build_gateway
from lambda_web_adapter.local.inspector.originals import Original, original_of, parse_event, request_from_model
from lambda_web_adapter.local.inspector.replay_models import ReplayError
from lambda_web_adapter.local.inspector.requests_of_events import gateway_of_event, request_of_event
from lambda_web_adapter.local.invoke_api.event_titles import title_of_event
from lambda_web_adapter.local.log import RequestLine
from lambda_web_adapter.local.stream_relay import collect, read_rest
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.gateways import Gateway, Request
    from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
    from lambda_web_adapter.local.inspector.replay_models import ReplayOptions
    from lambda_web_adapter.local.records.record_models import InvocationDetail
    from lambda_web_adapter.local.records.records import Record


async def replay(source: Record | InvocationDetail, options: ReplayOptions, run: InspectedRun) -> list[int]:
    """Send what a record has once more, wait until that has ended, and return the numbers of the new records.

    Raises:
        ReplayError: that is not possible.
    """
    if options.event is None and options.request is None:
        original = original_of(source, run)
    else:  # which may be edited because the original is incomplete
        original = _original_or_none(source, run)
    return await _deliver(_delivery(original, options, run), original, options, run)


async def send(options: ReplayOptions, run: InspectedRun) -> list[int]:
    """Send a request or an event, wait until that has ended, and return the numbers of its records.

    Raises:
        ReplayError: that is not possible.
    """
    if options.event is None and options.request is None:
        raise ReplayError("There is nothing to send: it takes a request or an event.")
    return await _deliver(_delivery(Original(), options, run), Original(), options, run)


def _original_or_none(source: Record | InvocationDetail, run: InspectedRun) -> Original:
    try:
        return original_of(source, run)
    except ReplayError:
        gateway = source.source if source.source in EVENT_SOURCES else ""
        return Original(number=source.number, gateway=gateway, tenant_id=source.tenant_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """What is sent: a request to a gateway, an event that a gateway could have sent, or another event.

    Attributes:
        title: what log lines call it.
        gateway: the gateway; None for an event that is no HTTP request.
        request: the request.
        event: the event, if the gateway does not make it.
    """

    title: str
    gateway: Gateway | None = None
    request: Request | None = None
    event: bytes = b""


def _delivery(original: Original, options: ReplayOptions, run: InspectedRun) -> _Delivery:
    """Return what is sent.

    Raises:
        ReplayError: that is not possible.
    """
    if options.event is not None:
        return _event_delivery(json.dumps(options.event).encode(), run)
    if options.request is None and options.event_source is None and original.request is None:
        return _event_delivery(original.event, run)
    name = options.event_source or original.gateway or _default_gateway(run)
    if options.request is None:
        request = original.as_request()
    else:
        request = request_from_model(options.request, run, original.request)
    gateway = gateway_of_run(name, run)
    if original.gateway:
        request = moved(request, gateway_of_run(original.gateway, run), gateway)
    return _Delivery(title=title_of(request), gateway=gateway, request=request)


def _event_delivery(event: bytes, run: InspectedRun) -> _Delivery:
    if len(event) > LAMBDA_PAYLOAD_LIMIT:
        raise ReplayError(f"The event has {len(event)} bytes, but Lambda takes {LAMBDA_PAYLOAD_LIMIT}.")
    parsed = parse_event(event)
    name = gateway_of_event(parsed)
    try:
        request = request_of_event(parsed) if name else None
    except InvalidEvent:  # the adapter says so as well
        request = None
    if request is None:
        return _Delivery(title=title_of_event(event), event=event)
    return _Delivery(title=title_of(request), gateway=gateway_of_run(name, run), request=request, event=event)


def gateway_of_run(name: str, run: InspectedRun) -> Gateway:
    """Return a gateway with the options of the run."""
    return build_gateway(name, run.options.gateway or GatewayOptions())


def _default_gateway(run: InspectedRun) -> str:
    """Return the gateway of the run's first listener that has one."""
    return next((source for source, _ in run.listeners if source in EVENT_SOURCES), EVENT_SOURCES[0])


def moved(request: Request, before: Gateway, after: Gateway) -> Request:
    """Return a request to one gateway as a client would send it to another: below its stage or base path."""
    path = request.raw_path
    if before.prefix == after.prefix or _is_below(path, after.prefix):
        return request
    if _is_below(path, before.prefix):
        path = path.removeprefix(before.prefix) or "/"
    return replace(request, raw_path=f"{after.prefix}{path}")


def _is_below(path: str, prefix: str) -> bool:
    return bool(prefix) and (path == prefix or path.startswith(f"{prefix}/"))


async def _deliver(delivery: _Delivery, original: Original, options: ReplayOptions, run: InspectedRun) -> list[int]:
    submit = partial(run.function.submit, tenant_id=original.tenant_id, replay_of=original.number, is_cold=options.cold)
    calls = [_deliver_once(delivery, original.number, submit, run) for _ in range(options.times)]
    return sorted(await asyncio.gather(*calls))


async def _deliver_once(
    delivery: _Delivery, replay_of: int, submit: Callable[..., Invocation], run: InspectedRun
) -> int:
    """Send it, wait until that has ended, and return the number of the record."""
    line = RequestLine(title=delivery.title, replay_of=replay_of)
    line.progress = f", replay of {replay_of}" if replay_of else ""
    started_at = time.monotonic()
    try:
        if delivery.gateway and delivery.request:
            await _call_gateway(delivery.gateway, delivery.request, delivery.event, submit, line)
        else:
            await _invoke(delivery.event, submit, line)
    finally:
        line.seconds = time.monotonic() - started_at
        run.log.request(line)
    if line.invocation:
        await line.invocation.ended.wait()
    return line.number


async def _call_gateway(
    gateway: Gateway, request: Request, event: bytes, submit: Callable[..., Invocation], line: RequestLine
) -> None:
    """Have a gateway handle a request, and say in its line what happened."""
    call = GatewayCall(gateway, submit)
    line.source, line.request = gateway.name, stamped(request)
    if event:
        result = await call.deliver(event, line.request)
    elif len(request.body) > gateway.max_body:
        result = call.reject_body(len(request.body), line.request)
    else:
        result = await call.handle(line.request)
    line.response, line.invocation, line.problem = result.response, result.invocation, result.problem
    line.status = result.response.status
    if result.stream:
        sent = await read_rest(result.response, result.stream)
        line.response, line.response_bytes = replace(result.response, body=bytes(sent.start)), sent.size
        line.problem = sent.problem


async def _invoke(event: bytes, submit: Callable[..., Invocation], line: RequestLine) -> None:
    """Invoke the function with an event, and say in its line what happened, as the Invoke API does."""
    try:
        line.invocation = submit(event, title=line.title)
    except Throttled:
        line.status, line.problem = 429, "all environments are busy, and --throttle rejects further events"
        return
    outcome = await line.invocation.outcome
    if isinstance(outcome, ReplyStream):
        outcome = await collect(outcome)
    line.status = 200
    if outcome.failed:
        line.problem = f"the function failed: {InvocationError.of_document(outcome.payload)}"
