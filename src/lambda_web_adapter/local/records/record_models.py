"""Records as JSON: what the inspector's API returns, and what a file of records has in each line."""

from __future__ import annotations

import base64
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Headers = list[tuple[str, str]]

# The year 5138, in seconds since the epoch: moments after it cannot be formatted on all systems.
_END_OF_TIME = 1e11


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Body(_Model):
    """The bytes of a body, an event or a reply."""

    size: int = Field(description="The size of the whole, in bytes.")
    is_truncated: bool = Field(default=False, description="Whether `data` is only the beginning.")
    encoding: Literal["text", "base64"] = Field(default="text", description="`base64` unless the bytes are UTF-8.")
    data: str = ""

    @classmethod
    def of(cls, data: bytes, size: int | None = None) -> Body:
        """Return the model of bytes, of which there were `size` before they were cut."""
        whole = len(data) if size is None else size
        try:
            encoding, text = "text", data.decode()
        except UnicodeDecodeError:
            encoding, text = "base64", base64.b64encode(data).decode()
        return cls.model_construct(size=whole, is_truncated=whole > len(data), encoding=encoding, data=text)

    def to_bytes(self) -> bytes:
        """Return the bytes."""
        return self.data.encode() if self.encoding == "text" else base64.b64decode(self.data, validate=True)

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            self.to_bytes()
        except ValueError as error:
            raise ValueError(f"The data is not base64: {error}.") from None
        return self


class HttpRequest(_Model):
    """An HTTP request."""

    method: str
    target: str = Field(description="Path and query as in the request line.")
    headers: Headers = []
    body: Body = Body(size=0)


class HttpResponse(_Model):
    """An HTTP response."""

    status: int
    headers: Headers = []
    body: Body = Body(size=0)


class RecordError(_Model):
    """Why the function failed."""

    type: str
    message: str
    stack: list[str] = []


class Times(_Model):
    """Moments in milliseconds after the event was received; null if it never came to that."""

    started: float | None = Field(default=None, description="An environment got it.")
    requested: float | None = Field(default=None, description="The adapter sent the request to the app.")
    responded: float | None = Field(
        default=None, description="The app's response had come; of a streamed one, the head."
    )
    first_byte: float | None = Field(default=None, description="The first part of a streamed reply came.")
    replied: float | None = Field(default=None, description="The reply was complete.")
    ended: float | None = Field(default=None, description="The environment was idle again, after background work.")
    frozen: float | None = Field(default=None, description="The environment was frozen.")


class InvocationSummary(_Model):
    """What has happened to an event, or to a request that has not become one."""

    number: int = Field(description="Counts all records of a run, from 1.")
    received: float = Field(ge=0, lt=_END_OF_TIME, description="When it came, in seconds since the epoch.")
    title: str = Field(description="Method, path and query, or what the event is called.")
    source: str = Field("event", description="The gateway's name; `event` for those of the Invoke API.")
    state: Literal["running", "succeeded", "failed", "rejected"] = Field(
        description="The function's outcome; `rejected` if no event was made of the request."
    )
    is_complete: bool = Field(True, description="Whether the invocation has ended and the caller has the response.")
    status: int | None = Field(default=None, description="The response's status.")
    problem: str = Field(default="", description="What went wrong on the way.")
    error: RecordError | None = None
    request_id: str = ""
    trace_id: str = ""
    tenant_id: str = ""
    replay_of: int = Field(default=0, description="The number of the record that it repeats.")
    environment: int = Field(default=0, description="The environment's number; 0 if it reached none.")
    is_cold: bool = Field(default=False, description="Whether it waited for the environment's init.")
    is_streamed: bool = False
    waited_ms: float = Field(default=0.0, description="How long it waited for the environment.")
    init_ms: float = Field(default=0.0, description="How long the environment's init took; 0 unless `is_cold`.")
    duration_ms: float = Field(default=0.0, description="How long the environment worked on it.")
    response_ms: float | None = Field(default=None, description="How long the caller waited for all of the response.")
    event_bytes: int = Field(default=0, description="The size of the event.")
    reply_bytes: int = Field(default=0, description="The size of the reply.")
    memory_bytes: int = Field(default=0, description="The most memory of the environment; 0 if not measured.")
    log: list[str] = Field(default=[], description="The last of its log lines.")


class InvocationDetail(InvocationSummary):
    """A record with everything that went from the client to the app and back."""

    is_masked: bool = Field(description="Whether secrets are masked.")
    event: Body = Body(size=0)
    reply: Body = Body(size=0)
    client_request: HttpRequest | None = Field(default=None, description="The request that the gateway got.")
    request: HttpRequest | None = Field(default=None, description="The request that the app got.")
    response: HttpResponse | None = Field(default=None, description="The app's response.")
    client_response: HttpResponse | None = Field(default=None, description="The response that the client got.")
    adapter_error: str = Field(
        default="", description="The type of the adapter's error, if the exchange with the app or the reply has failed."
    )
    times: Times = Times()
