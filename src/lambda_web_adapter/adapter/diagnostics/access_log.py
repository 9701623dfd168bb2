"""One line for each invocation, where `AWS_LWA_ACCESS_LOG` asks for it: what was asked for, and how it ended.

Neither queries nor headers nor bodies are in it: they may hold secrets.
"""

from __future__ import annotations

import os
import time

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.ipc.envelope import EVENT_SOURCE
from lambda_web_adapter.ipc.log_config import LogConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
    from lambda_web_adapter.errors import AdapterError
    from lambda_web_adapter.http.messages import Request, Response

_SUMMARY_FIELDS = ("method", "path", "status")


class AccessLog:
    """Writes a line when an invocation is over. A slot calls these in this order, for each, as far as it gets."""

    def __init__(self) -> None:
        """Begins with nothing."""
        self._is_json = LogConfig(os.environ).json  # where the fields are beside the message
        self._fields: dict[str, object] = {}
        self._started_at = self._requested_at = self._responded_at = 0.0

    def start(self) -> None:
        """Forgets the invocation before this one."""
        self._fields = {}
        self._started_at, self._requested_at, self._responded_at = time.monotonic(), 0.0, 0.0

    def set_request(self, source: str, request: Request) -> None:
        """Takes note of what was asked for, and of the service that sends an event which is no request."""
        self._fields = {
            "method": request.method,
            "path": request.path,
            "source": dict(request.reserved_headers).get(EVENT_SOURCE, source),
            "requestBytes": len(request.body),
        }
        self._requested_at = time.monotonic()

    def set_status(self, status: int) -> None:
        """Takes note of the app's status."""
        self._fields["status"] = status
        self._responded_at = time.monotonic()

    def set_reply(self, response: Response) -> None:
        """Takes note of what the caller gets."""
        self._fields["status"], self._fields["responseBytes"] = response.status, len(response.body)

    def set_error(self, error: AdapterError) -> None:
        """Takes note of the error."""
        self._fields["errorType"] = error.raised or error.error_type
        self._responded_at = self._responded_at or time.monotonic()

    def write(self, request_id: str, stream: StreamedReply | None = None) -> None:
        """Writes the line."""
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
