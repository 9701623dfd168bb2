"""The access log, switched on by `AWS_LWA_ACCESS_LOG`: one line for each invocation, with its request and outcome.

It has no queries, headers or bodies: they may hold secrets.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.http.trusted_headers import EVENT_SOURCE_HEADER
from lambda_web_adapter.ipc.log_config import LogConfig

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
    from lambda_web_adapter.errors import AdapterError
    from lambda_web_adapter.http.messages import Request, Response

_SUMMARY_FIELDS = ("method", "path", "status")


class AccessLog:
    """Collects the fields of one line while an invocation lasts.

    A worker calls the methods in this order for each invocation, up to the step that fails.
    """

    def __init__(self) -> None:
        """Choose the format that is set in Lambda's logging configuration."""
        self._is_json = LogConfig(os.environ).json  # then the fields are not in the message, but beside it
        self._fields: dict[str, object] = {}
        self._started_at = self._requested_at = self._responded_at = 0.0

    def start(self) -> None:
        """Start the line of an invocation."""
        self._fields = {}
        self._started_at, self._requested_at, self._responded_at = time.monotonic(), 0.0, 0.0

    def set_request(self, source: str, request: Request, head: bytes) -> None:
        """Set the request's fields; the source of an event that is no request is the service that sent it."""
        self._fields = {
            "method": request.method,
            "path": request.path,
            "source": dict(request.reserved_headers).get(EVENT_SOURCE_HEADER, source),
            "requestBytes": len(request.body),
        }
        self._requested_at = time.monotonic()

    def set_response(self, response: Response) -> None:
        """Set the status of the app's response."""
        self._fields["status"] = response.status
        self._responded_at = time.monotonic()

    def set_reply(self, response: Response) -> None:
        """Set what the caller gets: the status, and the size of the body."""
        self._fields["status"], self._fields["responseBytes"] = response.status, len(response.body)

    def set_error(self, error: AdapterError) -> None:
        """Set the type of the error that the invocation fails with."""
        self._fields["errorType"] = error.raised or error.error_type
        self._responded_at = self._responded_at or time.monotonic()

    def write(self, request_id: str, stream: StreamedReply | None = None) -> None:
        """Write the line to the log.

        Args:
            request_id: the invocation.
            stream: the reply, if it was streamed.
        """
        now, fields = time.monotonic(), self._fields
        responded_at = self._responded_at
        if stream:
            responded_at = stream.ended_at or responded_at
            fields["responseBytes"] = stream.size
            if stream.error_type:
                fields["errorType"] = stream.error_type
        in_app = responded_at - self._requested_at if self._requested_at else 0.0
        fields["appMs"] = round(in_app * 1000, 2)
        fields["adapterMs"] = round((now - self._started_at - in_app) * 1000, 2)
        summary = " ".join(str(fields.get(name, "-")) for name in _SUMMARY_FIELDS)
        extra = " ".join(f"{name}={value}" for name, value in fields.items() if name not in _SUMMARY_FIELDS)
        log("INFO", summary if self._is_json else f"{summary} {extra}", request_id, **fields)
