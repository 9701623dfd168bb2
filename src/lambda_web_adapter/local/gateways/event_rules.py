"""Rules that gateways share for events: which headers they pass on, and the formats of maps, bodies and times.

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

# Made up, like the ids in AWS's own examples.
ACCOUNT = "123456789012"
REGION = "us-east-1"

# Bodies of these types are sent as text, all others as base64 (load balancer, "Receive events"; captures of the other
# gateways show the same). A REST API without `--binary-media-types` acts as if it had all other types in its list.
_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
_REPLACED = frozenset({"content-length", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"})


def client_lines(request: Request) -> Pairs:
    """Return the header lines that a gateway passes on as the client sent them."""
    dropped = HOP_BY_HOP | _REPLACED
    return [(name, value) for name, value in request.headers if name.lower() not in dropped]


def length_line(request: Request) -> Pairs:
    """Return the content-length line, if there is a body or the client sent a length."""
    if not request.body and request.header("content-length") is None:
        return []
    return [("content-length", str(len(request.body)))]


def address_line(request: Request) -> tuple[str, str]:
    """Return the x-forwarded-for line: the client's own values, then the address that the request came from."""
    values = [value for name, value in request.headers if name.lower() == "x-forwarded-for" and value]
    return "x-forwarded-for", ", ".join([*values, request.source_ip])


def forwarded_lines(request: Request) -> Pairs:
    """Return the x-forwarded lines: address, port and scheme, as the client used them.

    So an app that checks a form's `Origin`, redirects or sets secure cookies has the scheme that the browser has.
    """
    return [
        address_line(request),
        ("x-forwarded-port", str(request.port)),
        ("x-forwarded-proto", request.scheme),
    ]


def in_lower_case(lines: Pairs) -> Pairs:
    """Return the lines with names in lower case."""
    return [(name.lower(), value) for name, value in lines]


def capitalised(lines: Pairs) -> Pairs:
    """Return the lines with capitalised names, such as Content-Type."""
    return [("-".join(map(str.capitalize, name.split("-"))), value) for name, value in lines]


def last_values(pairs: Pairs) -> dict[str, str]:
    """Return the last value of each name."""
    return dict(pairs)


def all_values(pairs: Pairs) -> dict[str, list[str]]:
    """Return all values of each name, in order."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def joined_values(pairs: Pairs, separator: str) -> dict[str, str]:
    """Return the joined values of each name; cookies are joined as in RFC 9113 §8.2.3."""
    return {name: ("; " if name == "cookie" else separator).join(values) for name, values in all_values(pairs).items()}


def first_spelling(lines: Pairs) -> Pairs:
    """Return the lines with each name spelled as in its first line."""
    spellings: dict[str, str] = {}
    return [(spellings.setdefault(name.lower(), name), value) for name, value in lines]


def decoded_query(query: str) -> Pairs:
    """Return a query's names and values, decoded; a plus is a space."""
    return parse_qsl(query, keep_blank_values=True)


def query_as_sent(query: str) -> Pairs:
    """Return a query's names and values, still encoded."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    return [(name, value) for name, _, value in pairs]


def body_text(request: Request) -> tuple[str, bool]:
    """Return the body for an event, and whether it is base64."""
    content_type = (request.header("content-type") or "").lower()
    if not request.body:
        return "", False
    if request.header("content-encoding") is None and content_type.startswith(_TEXT_TYPES):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # not UTF-8, which JSON cannot carry as text
    return base64.b64encode(request.body).decode(), True


def clock(request: Request) -> str:
    """Return the request's time in API Gateway's format."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(request.time_ms // 1000))
