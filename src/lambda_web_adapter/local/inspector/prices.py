"""What AWS charges: on-demand list prices without taxes, as of `DATE`.

The pages of AWS fill in prices by scripts, for the region that a reader chooses. The figures here are those of their
texts and worked examples (us-east-1), and of bills and of AWS's price list (eu-central-1), as docs/cost.md says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

DATE = "2026-11-30"
SOURCES = (
    "https://aws.amazon.com/lambda/pricing/",
    "https://aws.amazon.com/api-gateway/pricing/",
    "https://aws.amazon.com/elasticloadbalancing/pricing/",
    "https://aws.amazon.com/vpc/lattice/pricing/",
    "https://aws.amazon.com/cloudwatch/pricing/",
)
# US dollars for one unit of a currency: the European Central Bank's reference rate of 2025-12-31.
DOLLARS = {"USD": 1.0, "EUR": 1.1750}
RATE_DATE = "2025-12-31"

MILLION = 1_000_000
GB = 2**30  # bytes
HOURS = 730  # of a month, as AWS counts in its examples

# What each month has without charge, for good; that of the first 12 months of an account is left out.
FREE_REQUESTS, FREE_GB_SECONDS, FREE_LOG_GB, FREE_STREAMED_GB = 1_000_000, 400_000.0, 5.0, 100.0
# The part of each streamed response that costs nothing, in bytes.
FREE_OF_EACH_STREAM = 6 * 2**20
# A request to an HTTP API counts once for each part of so many bytes.
HTTP_API_INCREMENT = 512 * 1024
# What one capacity unit (LCU) of an Application Load Balancer before Lambda has, of which the scarcest counts: new
# connections a second, and GB an hour.
LCU_CONNECTIONS, LCU_GB = 25, 0.4
# Requests to a VPC Lattice service that cost nothing, each hour.
LATTICE_FREE_REQUESTS = 300_000

# The end of a tier, in units a month, and the price of one unit in it, in US dollars.
Tiers = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The prices of a region, in US dollars.

    Attributes:
        requests: for a million invocations.
        gb_seconds: for a GB-second, by architecture.
        streamed_gb: for a GB of streamed responses, beyond the first 6 MB of each.
        log_gb: for a GB of log lines.
        http_api: for a million requests, in millions.
        rest_api: the same for REST APIs.
        alb_hour: for an hour of an Application Load Balancer.
        lcu_hour: for an hour of one of its capacity units.
        lattice_hour: for an hour of a VPC Lattice service.
        lattice_gb: for a GB through it.
        lattice_requests: for a million requests beyond the free ones.
        unconfirmed: the gateways whose prices in this region no dated source confirms.
    """

    requests: float = 0.20
    gb_seconds: dict[str, Tiers] = field(
        default_factory=lambda: {
            "x86_64": ((6e9, 0.0000166667), (15e9, 0.000015), (inf, 0.0000133334)),
            "arm64": ((7.5e9, 0.0000133334), (18.75e9, 0.0000120001), (inf, 0.0000106667)),
        }
    )
    streamed_gb: float = 0.008
    log_gb: Tiers = ((10 * 1024, 0.50), (30 * 1024, 0.25), (50 * 1024, 0.10), (inf, 0.05))
    http_api: Tiers = ((300, 1.00), (inf, 0.90))
    rest_api: Tiers = ((333, 3.50), (1000, 2.80), (20_000, 2.38), (inf, 1.51))
    alb_hour: float = 0.0225
    lcu_hour: float = 0.008
    lattice_hour: float = 0.025
    lattice_gb: float = 0.025
    lattice_requests: float = 0.10
    unconfirmed: frozenset[str] = frozenset()


REGIONS = {
    "us-east-1": Prices(),
    "eu-central-1": Prices(
        log_gb=((inf, 0.63),),
        http_api=((inf, 1.20),),
        rest_api=((inf, 3.70),),
        alb_hour=0.027,
        unconfirmed=frozenset({"http-api-v1", "http-api-v2", "vpc-lattice-v1", "vpc-lattice-v2"}),
    ),
}


def cost_in_tiers(tiers: Tiers, amount: float) -> float:
    """Return the cost of an amount, each part of it at the price of its tier."""
    cost, start = 0.0, 0.0
    for end, price in tiers:
        cost += max(min(amount, end) - start, 0.0) * price
        start = end
    return cost
