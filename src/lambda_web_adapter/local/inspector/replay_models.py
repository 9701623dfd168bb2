"""What replays take and return."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lambda_web_adapter.local.records.record_models import Body, Headers, HttpRequest

MAX_TIMES = 100

EventSource = Literal[
    "function-url", "http-api-v2", "http-api-v1", "rest-api", "alb", "alb-multi", "vpc-lattice-v1", "vpc-lattice-v2"
]


class ReplayError(Exception):
    """A replay is not possible; the message says why, and what to do."""


class SentRequest(HttpRequest):
    """A request to send, as records have it, or in short: headers as an object, the body as a text."""

    model_config = ConfigDict(extra="forbid")

    method: str = "GET"
    headers: Headers = Field(default=[], description="Pairs of name and value, or an object.")
    body: Body = Field(default=Body(size=0), description="As in records, or a text.")

    @field_validator("headers", mode="before")
    @classmethod
    def _parse_headers(cls, headers: Any) -> Any:
        return list(headers.items()) if isinstance(headers, dict) else headers

    @field_validator("body", mode="before")
    @classmethod
    def _parse_body(cls, body: Any) -> Any:
        return Body.of(body.encode()) if isinstance(body, str) else body


class ReplayOptions(BaseModel):
    """What is sent: as it was, if nothing is set."""

    model_config = ConfigDict(extra="forbid")

    event_source: EventSource | None = Field(default=None, description="The gateway; without it, that of the original.")
    request: SentRequest | None = Field(default=None, description="A request to send instead.")
    event: Any = Field(default=None, description="An event to send instead, as JSON.")
    times: int = Field(default=1, ge=1, le=MAX_TIMES, description="How often, all at once.")
    cold: bool = Field(default=False, description="Whether each one is the first event of a new environment.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.event is not None and (self.request is not None or self.event_source is not None):
            raise ValueError("An event is sent as it is: leave out request and event_source.")
        return self


class Difference(BaseModel):
    """A difference between two documents."""

    path: str = Field(description="Where, such as `requestContext.http.method`.")
    before: Any = Field(default=None, description="The value in the first one; null if there is none.")
    after: Any = Field(default=None, description="The value in the second one; null if there is none.")


class Preview(BaseModel):
    """What becomes of a request at another gateway."""

    event: Any = Field(description="The event.")
    request: HttpRequest | None = Field(
        default=None, description="The request that the app gets; null if it gets none."
    )
    problem: str = Field(default="", description="Why the app gets no request.")
    differences: list[Difference] = Field(
        default=[], description="How the event differs from that of the original's gateway."
    )
    request_differences: list[Difference] = Field(default=[], description="How the app's request differs.")


def find_differences(before: Any, after: Any, path: str = "") -> list[Difference]:
    """Return the differences of two JSON documents, each with its path."""
    if before == after and type(before) is type(after):
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        names = [*before, *(name for name in after if name not in before)]
        pairs = [(f"{path}.{name}" if path else name, before.get(name), after.get(name)) for name in names]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = [(f"{path}[{index}]", *both) for index, both in enumerate(zip(before, after, strict=True))]
    else:
        return [Difference(path=path, before=before, after=after)]
    return [difference for each, old, new in pairs for difference in find_differences(old, new, each)]
