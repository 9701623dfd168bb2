"""Records as models, with secrets masked or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.local.records.masking import TooDeep
from lambda_web_adapter.local.records.record_models import (
    Body,
    HttpRequest,
    HttpResponse,
    InvocationDetail,
    InvocationSummary,
    RecordError,
    Times,
)

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.ipc.exchange_frame import Exchange
    from lambda_web_adapter.local.records.masking import Masker
    from lambda_web_adapter.local.records.records import Record


def to_summary(record: Record) -> InvocationSummary:
    """Return the summary of a record; times in ms have two decimals."""
    return InvocationSummary.model_construct(**_summary_fields(record))


def to_detail(record: Record, masker: Masker | None) -> InvocationDetail:
    """Return all of a record; secrets are masked unless there is no masker."""
    exchange, request, response = record.exchange, record.client_request, record.client_response
    return InvocationDetail.model_construct(
        **_summary_fields(record),
        is_masked=masker is not None,
        event=_document(record.event, record.event_bytes, masker),
        reply=_document(record.reply, record.reply_bytes, masker),
        client_request=request
        and HttpRequest.model_construct(
            method=request.method,
            target=f"{request.raw_path}{'?' if request.query else ''}{request.query}",
            headers=_masked(request.headers, masker),
            body=Body.of(request.body, record.client_request_bytes),
        ),
        request=_app_request(exchange, masker) if exchange and exchange.request_head else None,
        response=_app_response(exchange, masker) if exchange and exchange.response_head else None,
        client_response=response
        and HttpResponse.model_construct(
            status=response.status,
            headers=_masked(response.headers, masker),
            body=Body.of(response.body, record.client_response_bytes),
        ),
        adapter_error=exchange.error_type if exchange else "",
        times=_times(record),
    )


def _summary_fields(record: Record) -> dict[str, Any]:
    error = None
    if record.error_type:
        error = RecordError.model_construct(
            type=record.error_type, message=record.error_message, stack=list(record.error_stack)
        )
    return {
        "number": record.number,
        "received": round(record.received, 3),
        "title": record.title,
        "source": record.source,
        "state": record.state,
        "is_complete": record.is_complete,
        "status": record.status,
        "problem": record.problem,
        "error": error,
        "request_id": record.request_id,
        "trace_id": record.trace_id,
        "tenant_id": record.tenant_id,
        "replay_of": record.replay_of,
        "environment": record.environment,
        "is_cold": record.is_cold,
        "is_streamed": record.is_streamed,
        "waited_ms": round(record.waited_ms, 2),
        "init_ms": round(record.init_ms, 2),
        "duration_ms": round(record.duration_ms, 2),
        "response_ms": None if record.response_ms is None else round(record.response_ms, 2),
        "event_bytes": record.event_bytes,
        "reply_bytes": record.reply_bytes,
        "memory_bytes": record.memory_bytes,
        "log": record.log.decode("utf-8", "replace").removesuffix("\n").split("\n") if record.log else [],
    }


def _times(record: Record) -> Times:
    exchange = record.exchange
    moments = {
        "started": record.started_at,
        "requested": exchange.requested_at if exchange else 0.0,
        "responded": exchange.responded_at if exchange else 0.0,
        "first_byte": record.first_byte_at,
        "replied": record.replied_at,
        "ended": record.ended_at,
        "frozen": record.frozen_at,
    }
    after = {name: round((moment - record.received_at) * 1000, 2) for name, moment in moments.items() if moment}
    return Times(**after)


def _document(data: bytes, size: int, masker: Masker | None) -> Body:
    """Return an event or a reply; nothing is shown of one that cannot be masked: it is cut, or too deep."""
    if masker is None:
        return Body.of(data, size)
    if size > len(data):
        return Body.of(b"", size)
    try:
        return Body.of(masker.document(data))
    except TooDeep:
        return Body.of(b"", size)


def _masked(headers: list[tuple[str, str]], masker: Masker | None) -> list[tuple[str, str]]:
    return masker.headers(headers) if masker else list(headers)


def _app_request(exchange: Exchange, masker: Masker | None) -> HttpRequest:
    line, headers = parse_head(exchange.request_head)
    method, _, target = line.partition(" ")
    return HttpRequest.model_construct(
        method=method,
        target=target.rpartition(" ")[0],
        headers=_masked(headers, masker),
        body=Body.of(exchange.request_body, exchange.request_size),
    )


def _app_response(exchange: Exchange, masker: Masker | None) -> HttpResponse:
    line, headers = parse_head(exchange.response_head)
    return HttpResponse.model_construct(
        status=int(line.split(" ")[1]),
        headers=_masked(headers, masker),
        body=Body.of(exchange.response_body, exchange.response_size),
    )


def parse_head(head: bytes) -> tuple[str, list[tuple[str, str]]]:
    """Return the first line of a message's head, and its headers, as UTF-8 or, if they are not that, Latin-1."""
    line, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    headers = []
    for each in lines:
        name, _, value = each.partition(b":")
        headers.append((name.decode("latin-1"), _text(value.strip())))
    return _text(line), headers


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
