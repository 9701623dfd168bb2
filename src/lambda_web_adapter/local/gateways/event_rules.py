"""What gateways share in making events: which headers they pass on, and how they write maps, bodies and times.

Written from AWS's descriptions of the payloads and captured events, independently of `lambda_web_adapter.events`, so
that each checks the other.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from lambda_web_adapter.local.gateways.base import HOP_BY_HOP

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.base import Pairs, Request

# Made up, as the ids in AWS's own examples are.
ACCOUNT = "123456789012"
REGION = "us-east-1"

# These types travel as text, all others as base64 (load balancer, "Receive events"; the others were seen to do the
# same). A REST API counts as one whose `binaryMediaTypes` name all others.
_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
_WRITTEN_ANEW = frozenset({"content-length", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"})


def client_lines(request: Request) -> Pairs:
    """Gives the header lines that a gateway passes on as the client sent them."""
    left_out = HOP_BY_HOP | _WRITTEN_ANEW
    return [(name, value) for name, value in request.headers if name.lower() not in left_out]


def length_line(request: Request) -> Pairs:
    """Gives the header line that says how long the body is, if there is one or the client said so."""
    if not request.body and request.header("content-length") is None:
        return []
    return [("content-length", str(len(request.body)))]


def address_line(request: Request) -> tuple[str, str]:
    """Gives the header line with the address that the request came from, behind what the client claims of that."""
    claimed = [value for name, value in request.headers if name.lower() == "x-forwarded-for" and value]
    return "x-forwarded-for", ", ".join([*claimed, request.source_ip])


def forwarded_lines(request: Request) -> Pairs:
    """Gives the header lines that say where the request came from, and how."""
    return [
        address_line(request),
        ("x-forwarded-port", str(request.port)),
        ("x-forwarded-proto", "http"),
    ]


def in_lower_case(lines: Pairs) -> Pairs:
    """Writes names in lower case."""
    return [(name.lower(), value) for name, value in lines]


def capitalised(lines: Pairs) -> Pairs:
    """Writes each word of a name with a capital letter."""
    return [("-".join(word.capitalize() for word in name.split("-")), value) for name, value in lines]


def last_values(pairs: Pairs) -> dict[str, str]:
    """Makes the map that has the last value of each name."""
    return dict(pairs)


def all_values(pairs: Pairs) -> dict[str, list[str]]:
    """Makes the map that has all values of each name, in order."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def joined_values(pairs: Pairs, separator: str) -> dict[str, str]:
    """Makes the map that has the values of each name in one text; cookies are joined as RFC 9113 §8.2.3 has it."""
    return {name: ("; " if name == "cookie" else separator).join(values) for name, values in all_values(pairs).items()}


def first_spelling(lines: Pairs) -> Pairs:
    """Writes each name as in its first line."""
    spelled: dict[str, str] = {}
    return [(spelled.setdefault(name.lower(), name), value) for name, value in lines]


def decoded_query(query: str) -> Pairs:
    """Reads a query: names and values decoded, a plus as a space."""
    return parse_qsl(query, keep_blank_values=True)


def query_as_sent(query: str) -> Pairs:
    """Reads a query: names and values still encoded."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    return [(name, value) for name, _, value in pairs]


def body_text(request: Request) -> tuple[str, bool]:
    """Writes the body for JSON.

    Returns:
        The text, and whether it is base64.
    """
    content_type = (request.header("content-type") or "").lower()
    if not request.body:
        return "", False
    if request.header("content-encoding") is None and content_type.startswith(_TEXT_TYPES):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # it says it is text, but JSON cannot carry it as such
    return base64.b64encode(request.body).decode(), True


def clock(request: Request) -> str:
    """Writes the request's time as API Gateway does."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(request.time_ms // 1000))
