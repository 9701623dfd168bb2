"""What a month of recorded traffic would cost: parts, totals, and what is billed at all."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.local.event_sources import EVENT_SOURCES, WEBSOCKET
from lambda_web_adapter.local.inspector import prices
from lambda_web_adapter.local.inspector.cost import CostEstimate, estimate
from lambda_web_adapter.local.inspector.prices import GB, HOURS, MILLION, REGIONS, cost_in_tiers
from lambda_web_adapter.local.records.record_models import InvocationSummary

SOURCES = (*EVENT_SOURCES, WEBSOCKET, "event")
HUGE = 30_000 * MILLION


def summary(**values: Any) -> InvocationSummary:
    complete = {"number": 1, "received": 0.0, "title": "GET /", "state": "succeeded", "environment": 1, **values}
    return InvocationSummary.model_validate(complete)


def amounts(result: CostEstimate) -> dict[str, float]:
    return {part.name: part.amount for part in result.parts}


summaries = st.builds(
    summary,
    state=st.sampled_from(["running", "succeeded", "failed", "rejected"]),
    environment=st.integers(0, 2),
    replay_of=st.integers(0, 1),
    duration_ms=st.floats(0, 900_000),
    init_ms=st.floats(0, 10_000),
    is_cold=st.booleans(),
    is_streamed=st.booleans(),
    event_bytes=st.integers(0, 6 * 2**20),
    reply_bytes=st.integers(0, 200 * 2**20),
    log=st.lists(st.text(), max_size=3),
)
traffic = st.lists(summaries, max_size=5)
memory = st.integers(128, 10_240)
counts = st.integers(0, HUGE)
choices = st.fixed_dictionaries(
    {
        "architecture": st.sampled_from(["x86_64", "arm64"]),
        "region": st.sampled_from(sorted(REGIONS)),
        "currency": st.sampled_from(["USD", "EUR"]),
        "event_source": st.sampled_from(SOURCES),
        "is_free_tier": st.booleans(),
    }
)


@given(traffic, memory, counts, choices)
def test_the_parts_sum_to_the_total(
    records: list[InvocationSummary], memory_mb: int, requests: int, choice: dict[str, Any]
) -> None:
    result = estimate(records, memory_mb=memory_mb, requests_per_month=requests, **choice)

    assert result.total == sum(amounts(result).values())
    assert min(amounts(result).values()) >= 0
    assert math.isfinite(result.per_million)
    assert 0 <= result.cold_share <= 1
    assert result.billed_ms.p50 <= result.billed_ms.p95


@given(traffic, memory, memory, counts, choices)
def test_more_memory_never_costs_less(
    records: list[InvocationSummary], one: int, other: int, requests: int, choice: dict[str, Any]
) -> None:
    less, more = (
        estimate(records, memory_mb=each, requests_per_month=requests, **choice) for each in sorted((one, other))
    )

    assert less.total <= more.total * (1 + 1e-9)


@given(traffic, memory, counts, counts, choices)
def test_more_requests_never_cost_less(
    records: list[InvocationSummary], memory_mb: int, one: int, other: int, choice: dict[str, Any]
) -> None:
    less, more = (
        estimate(records, memory_mb=memory_mb, requests_per_month=each, **choice) for each in sorted((one, other))
    )

    assert less.total <= more.total * (1 + 1e-9)


@given(st.floats(0, 1e11), st.floats(0, 1e11))
def test_tiers_have_no_gaps(one: float, other: float) -> None:
    tiers = REGIONS["us-east-1"].gb_seconds["x86_64"]
    less, more = sorted((one, other))
    difference = cost_in_tiers(tiers, more) - cost_in_tiers(tiers, less)

    assert tiers[-1][1] * (more - less) - 1e-3 <= difference <= tiers[0][1] * (more - less) + 1e-3


def test_no_traffic_is_an_estimate_without_durations() -> None:
    result = estimate([], memory_mb=512, requests_per_month=0)

    assert (result.total, result.per_million, result.invocations, result.cold_share) == (0.0, 0.0, 0, 0.0)
    assert result.notes[0].startswith("No invocation is recorded yet")


def test_aws_s_own_example() -> None:
    """Three million requests of 120 ms with 1536 MB, less the free tier: $2.73, as on the pricing page."""
    result = estimate([summary(duration_ms=119.5)], memory_mb=1536, requests_per_month=3 * MILLION, is_free_tier=True)

    assert round(amounts(result)["duration"], 2) == 2.33
    assert round(amounts(result)["requests"], 2) == 0.40
    assert result.gb_seconds == pytest.approx(540_000)


def test_durations_are_rounded_up_and_contain_the_init_of_cold_ones() -> None:
    records = [
        summary(duration_ms=10.01),
        summary(duration_ms=20.0, init_ms=700.5, is_cold=True),
        summary(duration_ms=3.2, state="failed"),
        summary(duration_ms=5.0),
    ]
    result = estimate(records, memory_mb=1024)

    assert (result.billed_ms.p50, result.billed_ms.p95, result.billed_ms.mean) == (5, 721, (11 + 721 + 4 + 5) / 4)
    assert result.cold_share == 0.25


@pytest.mark.parametrize(
    "left_out",
    [
        pytest.param({"state": "rejected", "environment": 0}, id="rejected"),
        pytest.param({"state": "running"}, id="running"),
        pytest.param({"replay_of": 1}, id="a replay"),
        pytest.param({"state": "failed", "environment": 0}, id="it reached no environment"),
    ],
)
def test_what_aws_would_not_bill_is_left_out(left_out: dict[str, Any]) -> None:
    result = estimate([summary(duration_ms=5), summary(duration_ms=5000, **left_out)], memory_mb=1024)

    assert (result.invocations, result.billed_ms.p95) == (1, 5)


@pytest.mark.parametrize(
    ("source", "sizes", "expected"),
    [
        pytest.param("function-url", (0, 0), 0.0, id="function-url"),
        pytest.param("event", (0, 0), 0.0, id="no gateway"),
        pytest.param("http-api-v2", (1, 2), 10.0, id="http-api"),
        pytest.param("http-api-v1", (2**19, 1), 20.0, id="http-api: 512 KB and a byte count twice"),
        pytest.param("rest-api", (2**20, 0), 35.0, id="rest-api"),
        pytest.param("alb", (0, 0), HOURS * (0.0225 + 10e6 / HOURS / 3600 / 25 * 0.008), id="alb: connections"),
        pytest.param("alb-multi", (2**20, 0), HOURS * 0.0225 + 10e6 / 1024 / 0.4 * 0.008, id="alb: bytes"),
        pytest.param("vpc-lattice-v2", (2**20, 0), HOURS * 0.025 + 10e6 / 1024 * 0.025, id="vpc-lattice"),
    ],
)
def test_gateways_charge_by_their_own_units(source: str, sizes: tuple[int, int], expected: float) -> None:
    record = summary(event_bytes=sizes[0], reply_bytes=sizes[1])
    result = estimate([record], memory_mb=128, requests_per_month=10 * MILLION, event_source=source)

    assert amounts(result)["gateway"] == pytest.approx(expected)


def test_lattice_requests_beyond_the_free_ones_are_charged() -> None:
    requests = prices.LATTICE_FREE_REQUESTS * HOURS + 10 * MILLION
    result = estimate([], memory_mb=128, requests_per_month=requests, event_source="vpc-lattice-v1")

    assert amounts(result)["gateway"] == pytest.approx(HOURS * 0.025 + 1.0)


def test_only_streamed_bytes_beyond_6_mb_are_charged() -> None:
    records = [
        summary(is_streamed=True, reply_bytes=6 * 2**20 + GB),
        summary(is_streamed=True, reply_bytes=6 * 2**20),
        summary(reply_bytes=6 * 2**20),
        summary(is_streamed=True, reply_bytes=1),
    ]
    result = estimate(records, memory_mb=128, requests_per_month=4000)

    assert amounts(result)["streaming"] == pytest.approx(1000 * 0.008)


def test_log_lines_are_charged_by_size() -> None:
    record = summary(log=["é" * 500, ""])
    without = amounts(estimate([summary()], memory_mb=128, requests_per_month=MILLION))["logs"]

    result = amounts(estimate([record], memory_mb=128, requests_per_month=MILLION))["logs"]

    assert result - without == pytest.approx(1002 * MILLION / GB * 0.50)


def test_euros_are_dollars_at_the_rate_that_the_notes_name() -> None:
    dollars = estimate([summary(duration_ms=5)], memory_mb=128)
    euros = estimate([summary(duration_ms=5)], memory_mb=128, currency="EUR")

    assert euros.total == pytest.approx(dollars.total / 1.1750)
    assert any("1 EUR is $1.1750" in note for note in euros.notes)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"region": "mars-1"}, "region is 'mars-1', but it takes one of us-east-1, eu-central-1"),
        ({"architecture": "i386"}, "architecture is 'i386', but it takes one of x86_64, arm64"),
        ({"currency": "DM"}, "currency is 'DM', but it takes one of USD, EUR"),
        ({"memory_mb": 0}, "memory_mb takes a positive number"),
        ({"requests_per_month": -1}, "requests_per_month a number from 0 on"),
    ],
    ids=str,
)
def test_a_wrong_value_is_an_error_that_names_the_right_ones(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimate([], **{"memory_mb": 128, **wrong})


def test_a_price_without_a_dated_source_is_named() -> None:
    notes = estimate([], memory_mb=128, region="eu-central-1", event_source="vpc-lattice-v2").notes

    assert any("not confirmed" in note for note in notes)
