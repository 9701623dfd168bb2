"""What the gateway before the function would cost each month."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from lambda_web_adapter.local.inspector import prices
from lambda_web_adapter.local.inspector.prices import GB, HOURS, MILLION, cost_in_tiers

if TYPE_CHECKING:
    from lambda_web_adapter.local.inspector.prices import Prices
    from lambda_web_adapter.local.records.record_models import InvocationSummary

_SECONDS = HOURS * 3600


def gateway_charge(table: Prices, source: str, billed: list[InvocationSummary], requests: int) -> tuple[float, str]:
    """Return what the gateway costs each month, in US dollars, and what is charged.

    Args:
        table: the region's prices.
        source: the gateway's name; others than those that charge cost nothing.
        billed: the recorded invocations, whose events and replies stand for requests and responses.
        requests: how many requests a month has.
    """
    sizes = [each.event_bytes + each.reply_bytes for each in billed]
    gigabytes = sum(sizes) / len(sizes) * requests / GB if sizes else 0.0
    match source:
        case "http-api-v1" | "http-api-v2":
            return _http_api(table, sizes, requests)
        case "rest-api":
            return _rest_api(table, requests)
        case "alb" | "alb-multi":
            return _load_balancer(table, gigabytes, requests)
        case "vpc-lattice-v1" | "vpc-lattice-v2":
            return _lattice(table, gigabytes, requests)
        case "function-url":
            return 0.0, "A function URL costs nothing"
    return 0.0, "No gateway"


def _http_api(table: Prices, sizes: list[int], requests: int) -> tuple[float, str]:
    increments = [max(ceil(size / prices.HTTP_API_INCREMENT), 1) for size in sizes] or [1]
    counted = sum(increments) / len(increments) * requests / MILLION
    return (
        cost_in_tiers(table.http_api, counted),
        f"{counted:,.2f} million parts of 512 KB to an HTTP API at ${table.http_api[0][1]:.2f}",
    )


def _rest_api(table: Prices, requests: int) -> tuple[float, str]:
    return (
        cost_in_tiers(table.rest_api, requests / MILLION),
        f"{requests / MILLION:,.2f} million requests to a REST API at ${table.rest_api[0][1]:.2f}",
    )


def _load_balancer(table: Prices, gigabytes: float, requests: int) -> tuple[float, str]:
    """Return the cost of a load balancer whose clients open a connection for each request, spread over the month."""
    units = max(requests / _SECONDS / prices.LCU_CONNECTIONS, gigabytes / HOURS / prices.LCU_GB)
    return (
        HOURS * (table.alb_hour + units * table.lcu_hour),
        f"{HOURS} hours of a load balancer at ${table.alb_hour:.4f}, with {units:,.3f} LCU at ${table.lcu_hour:.3f}",
    )


def _lattice(table: Prices, gigabytes: float, requests: int) -> tuple[float, str]:
    charged = max(requests - prices.LATTICE_FREE_REQUESTS * HOURS, 0) / MILLION
    return (
        HOURS * table.lattice_hour + gigabytes * table.lattice_gb + charged * table.lattice_requests,
        f"{HOURS} hours of a service at ${table.lattice_hour:.3f}, {gigabytes:,.2f} GB at ${table.lattice_gb:.3f}, "
        f"{charged:,.2f} million requests beyond {prices.LATTICE_FREE_REQUESTS:,} an hour at "
        f"${table.lattice_requests:.2f}",
    )
