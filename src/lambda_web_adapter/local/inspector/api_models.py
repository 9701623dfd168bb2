"""What the inspector's API takes and returns, besides the records."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lambda_web_adapter.local.environments.function_options import MAX_MEMORY, MIN_MEMORY
from lambda_web_adapter.local.inspector.notes import Note
from lambda_web_adapter.local.inspector.options import MAX_KEPT
from lambda_web_adapter.local.records.record_models import InvocationDetail, InvocationSummary

_DEFAULT_LAST = 10


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = Field("", description="The token, for clients that cannot send `Authorization`; GET only.")


class NoQuery(_Query):
    """Nothing but the token."""


class ListQuery(_Query):
    """Which records are wanted."""

    last: int = Field(_DEFAULT_LAST, ge=0, le=MAX_KEPT, description="At most so many: the last ones, the oldest first.")
    before: int | None = Field(None, ge=1, description="Only those with a lower number.")
    search: str = Field("", description="Only those that have this text; upper and lower case are the same.")
    log: bool = Field(False, description="Whether they have their log lines.")
    follow: bool = Field(False, description="Whether all that happens from now on follows, as server-sent events.")


class DetailQuery(_Query):
    """How a record is wanted."""

    secrets: bool = Field(False, description="Whether secrets are not masked.")


class CostQuery(_Query):
    """What is assumed of a month."""

    memory_mb: int | None = Field(
        None, ge=MIN_MEMORY, le=MAX_MEMORY, description="The function's memory; without it, that of the run."
    )
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    region: str | None = Field(None, description="The region; without it, that of the run, if its prices are known.")
    currency: str = "USD"
    requests_per_month: int = Field(1_000_000, ge=0)
    event_source: str | None = Field(None, description="The gateway; without it, the first one of the run.")
    free_tier: bool = Field(False, description="Whether what AWS gives every account each month is deducted.")


class Listener(BaseModel):
    """Where the app is served."""

    source: str = Field(description="The event source that the gateway stands for.")
    url: str


class RunInfo(BaseModel):
    """The local run."""

    title: str = Field(description="What is served.")
    ports: list[int] = Field(description="The ports that the app is served on.")
    listeners: list[Listener]
    memory_mb: int = Field(description="The function's memory.")
    timeout: float = Field(description="The function's timeout, in seconds.")
    region: str
    keep: int = Field(description="How many records are kept.")
    version: str = Field(description="The version of lambda-web-adapter.")
    started: float = Field(description="When the run started, in seconds since the epoch.")


class Invocations(BaseModel):
    """Records, the oldest first."""

    invocations: list[InvocationSummary]


class ExplainedInvocation(InvocationDetail):
    """A record with everything, and what each step on the way has changed."""

    notes: list[Note] = Field([], description="What gateway and adapter added, dropped, changed and lost.")


class Replayed(BaseModel):
    """What a replay has made."""

    numbers: list[int] = Field(description="The numbers of the new records, which are complete.")


class EnvironmentChange(BaseModel):
    """What an environment does from a moment on."""

    at: float = Field(description="The moment, in seconds since the epoch.")
    state: str = Field(description="`init`, `idle`, `busy`, `frozen`, `stopping` or `ended`.")
    reason: str = Field("", description="Why, where there is a reason.")


class MemoryMeasurement(BaseModel):
    """How much memory an environment had."""

    at: float = Field(description="The moment, in seconds since the epoch.")
    bytes: int


class EnvironmentLane(BaseModel):
    """What an environment did."""

    number: int
    changes: list[EnvironmentChange]
    memory: list[MemoryMeasurement]


class Environments(BaseModel):
    """What the environments did, by number."""

    environments: list[EnvironmentLane]


class ErrorMessage(BaseModel):
    """Why a request failed."""

    message: str
