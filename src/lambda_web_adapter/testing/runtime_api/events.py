"""An event that a test queues for a runtime."""

from __future__ import annotations

import json
import math
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from lambda_web_adapter.testing.runtime_api.variables import ARN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lambda_web_adapter.testing.runtime_api.streams import ReplyStream

# A function's timeout unless a test has another, in seconds.
FUNCTION_TIMEOUT = 20.0


class EventOptions(TypedDict, total=False):
    """What `invoke` and `queue_event` take beside the event.

    Attributes:
        request_id: the id of the invocation; a random one by default.
        timeout: the time from the event's delivery to the deadline, in seconds, 20 by default. None leaves out
            `Lambda-Runtime-Deadline-Ms`.
        trace_id: the value of `Lambda-Runtime-Trace-Id`, such as `Root=1-…;Sampled=1`.
        client_context: the client context of the Invoke API, sent as JSON.
        cognito_identity: the Cognito identity, sent as JSON.
        tenant_id: the tenant's id, of a function with tenant isolation.
        headers: more headers of the answer to `/next`, or other values; None leaves one out.
    """

    request_id: str
    timeout: float | None
    trace_id: str
    client_context: Mapping[str, Any]
    cognito_identity: Mapping[str, Any]
    tenant_id: str
    headers: Mapping[str, str | None]


@dataclass
class Event:
    """A queued event, and what has become of it.

    Attributes:
        request_id: the id of its invocation.
        body: its JSON.
        headers: those of the answer to `/next`; a value of None leaves one out.
        timeout: the time from its delivery to its deadline, in seconds; without one, there is no deadline.
        deadline: seconds since the epoch, from its delivery on.
        is_replied: whether its invocation has ended.
        stream: its streamed reply, while that comes.
    """

    request_id: str
    body: bytes
    headers: Mapping[str, str | None]
    timeout: float | None
    deadline: float = math.inf
    is_replied: bool = False
    stream: ReplyStream | None = None

    def deliver(self) -> None:
        """Set the deadline: a function's time does not begin before a runtime has the event."""
        if self.timeout is not None:
            self.deadline = time.time() + self.timeout
            self.headers = {"Lambda-Runtime-Deadline-Ms": str(int(self.deadline * 1000)), **self.headers}


def build_event(event: object, options: EventOptions) -> Event:
    """Return an event with its headers; bytes stay as they are, anything else becomes JSON.

    Raises:
        TypeError: There is no such option.
    """
    unknown = options.keys() - EventOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"Expected the options {', '.join(EventOptions.__annotations__)}, got {', '.join(unknown)}.")
    request_id = options.get("request_id") or str(uuid.uuid4())
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Event(request_id, body, _build_headers(request_id, options), options.get("timeout", FUNCTION_TIMEOUT))


def _build_headers(request_id: str, options: EventOptions) -> dict[str, str | None]:
    """Return the headers of an event, without its deadline."""
    headers: dict[str, str | None] = {
        "Lambda-Runtime-Aws-Request-Id": request_id,
        "Lambda-Runtime-Invoked-Function-Arn": ARN,
    }
    if "trace_id" in options:
        headers["Lambda-Runtime-Trace-Id"] = options["trace_id"]
    if "client_context" in options:
        headers["Lambda-Runtime-Client-Context"] = json.dumps(options["client_context"])
    if "cognito_identity" in options:
        headers["Lambda-Runtime-Cognito-Identity"] = json.dumps(options["cognito_identity"])
    if "tenant_id" in options:
        headers["Lambda-Runtime-Aws-Tenant-Id"] = options["tenant_id"]
    return {**headers, **options.get("headers", {})}


def check_request_id(request_id: str, queued: Collection[str]) -> None:
    """Raise ValueError if no event that was queued has an id."""
    if request_id not in queued:
        raise ValueError(f"No event has the id {request_id!r}: it takes what queue_event returns.")
