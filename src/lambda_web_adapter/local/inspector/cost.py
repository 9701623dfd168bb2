"""What the recorded traffic would cost on AWS each month: an estimate, and what it assumes."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import BaseModel, Field

from lambda_web_adapter.local.inspector import prices
from lambda_web_adapter.local.inspector.gateway_cost import gateway_charge
from lambda_web_adapter.local.inspector.prices import GB, MILLION, cost_in_tiers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_web_adapter.local.inspector.prices import Prices
    from lambda_web_adapter.local.records.record_models import InvocationSummary

_Value = TypeVar("_Value")

# The lines START, END and REPORT that Lambda writes about each invocation, in bytes: as those of the local run.
_REPORT_BYTES = 330


class BilledDuration(BaseModel):
    """Billed durations of the recorded invocations, in milliseconds: each is rounded up, inits included."""

    mean: float = 0.0
    p50: int = 0
    p95: int = 0


class CostPart(BaseModel):
    """One line of the bill."""

    name: Literal["requests", "duration", "streaming", "logs", "gateway"]
    amount: float = Field(description="For a month, in `currency`.")
    text: str = Field(description="What is charged: quantity and price.")


class CostEstimate(BaseModel):
    """What a month would cost."""

    region: str
    architecture: str
    memory_mb: int
    currency: str
    event_source: str
    requests_per_month: int
    is_free_tier: bool = Field(description="Whether what AWS gives every account each month is deducted.")
    invocations: int = Field(description="How many recorded invocations the estimate is made from.")
    billed_ms: BilledDuration
    cold_share: float = Field(description="The share of the invocations that waited for an init, from 0 to 1.")
    gb_seconds: float = Field(description="For a month.")
    parts: list[CostPart]
    total: float = Field(description="The sum of `parts`.")
    per_million: float = Field(description="The total for a million requests; 0 if there are none.")
    notes: list[str] = Field(description="What the estimate assumes, and leaves out.")
    prices_date: str = prices.DATE
    sources: list[str] = list(prices.SOURCES)


def estimate(  # noqa: PLR0913  # what a month depends on
    summaries: Iterable[InvocationSummary],
    *,
    memory_mb: int,
    architecture: str = "x86_64",
    region: str = "us-east-1",
    currency: str = "USD",
    requests_per_month: int = MILLION,
    event_source: str = "function-url",
    is_free_tier: bool = False,
) -> CostEstimate:
    """Return what a month of such traffic would cost.

    Args:
        summaries: the records; those that ended, and are no replays, count.
        memory_mb: the function's memory.
        architecture: `x86_64` or `arm64`.
        region: a region of `prices.REGIONS`.
        currency: a currency of `prices.DOLLARS`.
        requests_per_month: how many requests a month has.
        event_source: the gateway; any other name, such as `event`, for none.
        is_free_tier: whether to deduct what AWS gives every account each month.

    Raises:
        ValueError: a value is none of those; the message says which ones there are.
    """
    table = _choose(prices.REGIONS, region, "region")
    _choose(table.gb_seconds, architecture, "architecture")
    rate = _choose(prices.DOLLARS, currency, "currency")
    if memory_mb <= 0 or requests_per_month < 0:
        raise ValueError("memory_mb takes a positive number, and requests_per_month a number from 0 on.")
    billed = [each for each in summaries if _is_billed(each)]
    durations = sorted(map(billed_ms, billed))
    gb_seconds = _mean(durations) / 1000 * memory_mb / 1024 * requests_per_month
    free = 1.0 if is_free_tier else 0.0
    parts = [
        _requests_part(table, requests_per_month, free),
        _duration_part(table, architecture, gb_seconds, free),
        _streaming_part(table, billed, requests_per_month, free),
        _logs_part(table, billed, requests_per_month, free),
        _gateway_part(table, event_source, billed, requests_per_month),
    ]
    for part in parts:
        part.amount /= rate
    total = sum(part.amount for part in parts)
    return CostEstimate(
        region=region,
        architecture=architecture,
        memory_mb=memory_mb,
        currency=currency,
        event_source=event_source,
        requests_per_month=requests_per_month,
        is_free_tier=is_free_tier,
        invocations=len(billed),
        billed_ms=BilledDuration(
            mean=_mean(durations), p50=_percentile(durations, 0.50), p95=_percentile(durations, 0.95)
        ),
        cold_share=_mean([each.is_cold for each in billed]),
        gb_seconds=gb_seconds,
        parts=parts,
        total=total,
        per_million=total / requests_per_month * MILLION if requests_per_month else 0.0,
        notes=_notes(table, region, currency, event_source, billed),
    )


def billed_ms(summary: InvocationSummary) -> int:
    """Return the billed duration of an invocation: with the init that it waited for, rounded up to 1 ms."""
    return ceil(summary.duration_ms + (summary.init_ms if summary.is_cold else 0.0))


def _is_billed(summary: InvocationSummary) -> bool:
    return summary.state in ("succeeded", "failed") and summary.environment > 0 and not summary.replay_of


def _choose(values: dict[str, _Value], name: str, what: str) -> _Value:
    if name not in values:
        raise ValueError(f"{what} is {name!r}, but it takes one of {', '.join(values)}.")
    return values[name]


def _mean(values: list[int] | list[bool] | list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _percentile(ordered: list[int], share: float) -> int:
    """Return the smallest value that is not exceeded by such a share of all (nearest rank)."""
    return ordered[ceil(share * len(ordered)) - 1] if ordered else 0


def _requests_part(table: Prices, requests: int, free: float) -> CostPart:
    charged = max(requests - free * prices.FREE_REQUESTS, 0.0)
    text = f"{charged / MILLION:,.2f} million invocations at ${table.requests:.2f} each million"
    return CostPart(name="requests", amount=charged / MILLION * table.requests, text=text)


def _duration_part(table: Prices, architecture: str, gb_seconds: float, free: float) -> CostPart:
    tiers = table.gb_seconds[architecture]
    charged = max(gb_seconds - free * prices.FREE_GB_SECONDS, 0.0)
    text = f"{charged:,.0f} GB-seconds at ${tiers[0][1]:.10f} ({architecture})"
    return CostPart(name="duration", amount=cost_in_tiers(tiers, charged), text=text)


def _streaming_part(table: Prices, billed: list[InvocationSummary], requests: int, free: float) -> CostPart:
    beyond = [max(each.reply_bytes - prices.FREE_OF_EACH_STREAM, 0) if each.is_streamed else 0 for each in billed]
    charged = max(_mean(beyond) * requests / GB - free * prices.FREE_STREAMED_GB, 0.0)
    text = f"{charged:,.2f} GB of streamed responses beyond 6 MB each at ${table.streamed_gb:.3f}"
    return CostPart(name="streaming", amount=charged * table.streamed_gb, text=text)


def _logs_part(table: Prices, billed: list[InvocationSummary], requests: int, free: float) -> CostPart:
    sizes = [_REPORT_BYTES + sum(len(line.encode()) + 1 for line in each.log) for each in billed]
    charged = max(_mean(sizes) * requests / GB - free * prices.FREE_LOG_GB, 0.0)
    text = f"{charged:,.2f} GB of log lines at ${table.log_gb[0][1]:.2f}"
    return CostPart(name="logs", amount=cost_in_tiers(table.log_gb, charged), text=text)


def _gateway_part(table: Prices, source: str, billed: list[InvocationSummary], requests: int) -> CostPart:
    amount, text = gateway_charge(table, source, billed, requests)
    return CostPart(name="gateway", amount=amount, text=text)


def _notes(table: Prices, region: str, currency: str, event_source: str, billed: list[InvocationSummary]) -> list[str]:
    notes = [
        "This is an estimate: durations are those of this machine, and do not change with the memory size here. "
        "On Lambda, the share of a core does.",
        "The traffic is taken to be the same all month, in its mix of requests and its share of cold starts.",
        "Failed and timed-out invocations are billed, too. Rejected requests and replays are left out.",
        "An init is billed with the invocation that waited for it. The run starts its first environment before the "
        "first request, which then counts as warm; on Lambda it would be cold.",
        "Left out: data transfer, ephemeral storage beyond 512 MB, provisioned concurrency, storage of logs, taxes.",
    ]
    if not billed:
        notes.insert(0, "No invocation is recorded yet: without one, durations and log lines count as nothing.")
    if event_source in table.unconfirmed:
        notes.append(f"The price of this gateway in {region} is not confirmed by a dated source: see AWS's page.")
    if event_source == "websocket":
        notes.append("What a WebSocket API charges for messages and connection minutes is left out.")
    if currency != "USD":
        notes.append(f"1 {currency} is ${prices.DOLLARS[currency]:.4f}, the rate of {prices.RATE_DATE}.")
    return notes
