"""Records of requests that went through a gateway, the adapter and back, by the translation itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lambda_web_adapter.events import build_request, find_source, prelude
from lambda_web_adapter.http.compression import compress
from lambda_web_adapter.http.content_codings import join_accept_encoding
from lambda_web_adapter.http.headers import build_request_head, end_to_end, restore_authorization
from lambda_web_adapter.http.messages import Invocation, Response
from lambda_web_adapter.ipc.context_headers import ContextHeaders
from lambda_web_adapter.ipc.exchange_frame import MAX_BODY, Exchange
from lambda_web_adapter.local.gateways import GatewayOptions, build_gateway
from lambda_web_adapter.local.gateways.trace_ids import invocation_trace
from lambda_web_adapter.local.records.conversion import to_detail
from lambda_web_adapter.local.records.recorder import _bounded
from lambda_web_adapter.local.records.records import MAX_PART, SUCCEEDED, Record
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_web_adapter.local.gateways import Request
    from lambda_web_adapter.local.records.masking import Masker
    from lambda_web_adapter.local.records.record_models import InvocationDetail

OK = Response(200, [(b"content-type", b"text/plain")], b"ok")


@dataclass(frozen=True, kw_only=True)
class RoundTrip:
    """A request's way to an app and back.

    Attributes:
        source: the gateway's name.
        request: the client's request.
        response: the app's response.
        options: the gateway's options.
        variables: the adapter's settings.
    """

    source: str
    request: Request
    response: Response = field(default_factory=lambda: OK)
    options: GatewayOptions = field(default_factory=GatewayOptions)
    variables: Mapping[str, str] = field(default_factory=dict)

    def record(self) -> Record:
        """Return what a run would have recorded."""
        gateway, settings = build_gateway(self.source, self.options), Settings.from_environ(dict(self.variables))
        event = gateway.event(self.request).to_json()
        parsed = json.loads(event)
        source = find_source(parsed, settings)
        invocation = Invocation("1", event, trace_id=invocation_trace(gateway, self.request))
        request = build_request(source, parsed, settings, event)
        if settings.authorization_source:
            restore_authorization(request, settings.authorization_source)
        lines = ContextHeaders({}, print).build(invocation, parsed) if settings.context_headers else b""
        head = build_request_head(request, invocation, lines)
        response = end_to_end(self.response, request.method, settings.exclude_response_headers)
        if settings.enable_compression:
            response = compress(response, join_accept_encoding(request.headers), request.method)
        is_streamed = settings.invoke_mode == "response_stream"
        if is_streamed:
            assert gateway.head is not None
            begin = prelude(response)
            reply, client = begin + response.body, replace(gateway.head(begin[:-8]), body=response.body[:10])
        else:
            reply = source.build_reply(response, parsed)
            client = gateway.response(reply)
        finished = gateway.finish(client, self.request)
        return Record(
            number=1,
            received=0.0,
            title="",
            source=self.source,
            state=SUCCEEDED,
            client_request=_bounded(self.request),
            client_request_bytes=len(self.request.body),
            client_response=_bounded(finished),
            client_response_bytes=len(response.body) if is_streamed else len(finished.body),
            event=event[:MAX_PART],
            event_bytes=len(event),
            exchange=_exchange(head, request.body, self.response),
            reply=reply[:MAX_PART],
            reply_bytes=len(reply),
            is_streamed=is_streamed,
        )

    def detail(self, masker: Masker | None = None) -> InvocationDetail:
        """Return the record as the inspector has it."""
        return to_detail(self.record(), masker)


def _exchange(head: bytes, body: bytes, response: Response) -> Exchange:
    lines = [b"%b: %b" % line for line in response.headers]
    return Exchange(
        request_head=head,
        request_body=body[:MAX_BODY],
        request_size=len(body),
        response_head=b"\r\n".join([b"HTTP/1.1 %d" % response.status, *lines, b"", b""]),
        response_body=response.body[:MAX_BODY],
        response_size=len(response.body),
    )
