"""One line for each invocation, where `AWS_LWA_ACCESS_LOG` asks for it: what was asked for, and how it ended.

Neither queries nor headers nor bodies are in it: they may hold secrets.
"""

from __future__ import annotations

import os
import time

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.ipc.envelope import EVENT_SOURCE
from lambda_web_adapter.ipc.log_config import LogControls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
    from lambda_web_adapter.errors import AdapterError
    from lambda_web_adapter.http.messages import Request, Response

_WHAT = ("method", "path", "status")


class AccessLog:
    """Writes a line when an invocation is over. A slot calls these in this order, for each, as far as it gets."""

    def __init__(self) -> None:
        """Begins with nothing."""
        self._short = LogControls(os.environ).json  # where the fields are beside the message
        self._said: dict[str, object] = {}
        self._began = self._asked = self._answered = 0.0

    def begin(self) -> None:
        """Forgets the invocation before this one."""
        self._said = {}
        self._began, self._asked, self._answered = time.monotonic(), 0.0, 0.0

    def asked(self, source: str, request: Request) -> None:
        """Takes note of what was asked for, and of the service that sends an event which is no request."""
        self._said = {
            "method": request.method,
            "path": request.path,
            "source": dict(request.marks).get(EVENT_SOURCE, source),
            "requestBytes": len(request.body),
        }
        self._asked = time.monotonic()

    def answered(self, status: int) -> None:
        """Takes note of the app's status."""
        self._said["status"] = status
        self._answered = time.monotonic()

    def replies(self, response: Response) -> None:
        """Takes note of what the caller gets."""
        self._said["status"], self._said["responseBytes"] = response.status, len(response.body)

    def failed(self, error: AdapterError) -> None:
        """Takes note of the error."""
        self._said["errorType"] = error.raised or error.error_type
        self._answered = self._answered or time.monotonic()

    def end(self, request_id: str, stream: StreamedReply | None = None) -> None:
        """Writes the line."""
        now, said = time.monotonic(), self._said
        answered = self._answered
        if stream:
            answered = stream.ended_at or answered
            said["responseBytes"] = stream.size
            if stream.error_type:
                said["errorType"] = stream.error_type
        in_app = answered - self._asked if self._asked else 0.0
        said["appMs"] = round(in_app * 1000, 2)
        said["adapterMs"] = round((now - self._began - in_app) * 1000, 2)
        what = " ".join(str(said.get(name, "-")) for name in _WHAT)
        more = " ".join(f"{name}={value}" for name, value in said.items() if name not in _WHAT)
        log("INFO", what if self._short else f"{what} {more}", request_id, **said)
