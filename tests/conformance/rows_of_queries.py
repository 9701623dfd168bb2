"""Behaviours of the query, and of a request's body."""

from __future__ import annotations

from conformance import reasons
from conformance.cells import Section, becomes, each
from conformance.columns import ALB, DECODED_QUERY, LATTICE, PAYLOAD_V2
from conformance.rows_of_paths import request

_RESERVED = [
    ("redirect", "https://example.com/a/b?c=d&e#f"),
    ("plus", "a+b"),
    ("space", "a b"),
    ("percent", "100%"),
    ("café", "☕"),
    ("a[]", "x=y;z"),
]
_ODD = "a&b=&=c&%zz&arr[]=1&&x=%2f%2F+%20;{|}\\^`'!*()~"
_ODD_PAIRS = "a=&%zz=&arr[]=1&x=%2f%2F+%20;{|}\\^`'!*()~"
_BLANK = [("a", ""), ("b", "")]
_AS_SENT = [("tag", "red"), ("page", "2"), ("tag", "blue")]
_BY_NAME = [("tag", "red"), ("tag", "blue"), ("page", "2")]
_FROM_MAP = "tag=red&tag=blue&q=a%20b+c"

QUERIES = Section(
    "Query",
    (
        request(
            "Reserved characters are encoded exactly once",
            becomes("query_reserved", query=_RESERVED),
            websocket=becomes("query_reserved", query=_RESERVED),
            bedrock_agent=becomes("query_reserved", query=_RESERVED),
        ),
        request(
            "Keys and values arrive byte for byte, whatever they contain",
            becomes("query_byte_for_byte", raw_query=_ODD),
            websocket=reasons.DECODED_QUERY,
            bedrock_agent=reasons.AGENT_VALUES,
            **each(DECODED_QUERY, reasons.DECODED_QUERY),
            **each(ALB, becomes("query_byte_for_byte", raw_query=_ODD_PAIRS)),
        ),
        request(
            "Blank values stay",
            becomes("query_empty_value", query=_BLANK),
            websocket=becomes("query_empty_value", query=_BLANK),
            bedrock_agent=becomes("query_empty_value", query=_BLANK),
        ),
        request(
            "All values of a repeated parameter arrive, in order",
            becomes("query_repeated", query=_BY_NAME),
            websocket=becomes("query_repeated", query=_BY_NAME),
            bedrock_agent=becomes("query_repeated", query=_BY_NAME),
            alb_single=reasons.LAST_VALUE,
            **each((*PAYLOAD_V2, *LATTICE), becomes("query_repeated", query=_AS_SENT)),
        ),
        request(
            "The order between different parameters stays",
            becomes("query_repeated", raw_query="tag=red&page=2&tag=blue"),
            websocket=reasons.BY_NAME,
            bedrock_agent=becomes("query_repeated", raw_query="tag=red&tag=blue&page=2"),
            **each((*DECODED_QUERY, *ALB), reasons.BY_NAME),
        ),
        request(
            "Characters that a request line cannot contain are encoded",
            becomes("query_illegal_characters", query=[("q", 'a b"c<d>#é')]),
            websocket=becomes(
                "query_reserved",
                raw_query="redirect=https%3A%2F%2Fexample.com%2Fa%2Fb%3Fc%3Dd%26e%23f"
                "&plus=a%2Bb&space=a%20b&percent=100%25&caf%C3%A9=%E2%98%95&a%5B%5D=x%3Dy%3Bz",
            ),
            bedrock_agent=becomes("query_reserved", query=_RESERVED),
            **each(DECODED_QUERY, becomes("query_reserved", query=_RESERVED)),
        ),
        request(
            "An event with only single-value maps is read from these",
            reasons.NO_SINGLE_MAPS,
            websocket=reasons.NO_SINGLE_MAPS,
            bedrock_agent=reasons.NO_SINGLE_MAPS,
            **each(DECODED_QUERY, becomes("single_maps_only", query=[("tag", "red"), ("q", "a b")])),
            **each(ALB, reasons.ONE_MAP),
            vpc_lattice_v1=becomes("query_in_the_map_only", raw_query="tag=blue&q=a%20b+c"),
            vpc_lattice_v2=becomes("query_in_the_map_only", raw_query=_FROM_MAP),
        ),
        request(
            "So is an event whose multi-value maps are empty",
            reasons.NO_SINGLE_MAPS,
            websocket=reasons.NO_SINGLE_MAPS,
            bedrock_agent=reasons.NO_SINGLE_MAPS,
            **each(DECODED_QUERY, becomes("single_maps_and_empty_multi_maps", query=[("tag", "red"), ("q", "a b")])),
            **each(ALB, reasons.ONE_MAP),
        ),
        request(
            "Maps that are null are read as empty",
            becomes("null_maps", raw_query=""),
            websocket=becomes("null_maps", target="/ws/connect"),
            bedrock_agent=becomes("null_maps", target="/seeds"),
            rest_api=becomes("null_maps_console_test", path="/seeds list", raw_query=""),
            alb_multi=becomes("null_single_maps", query=_BY_NAME),
        ),
    ),
)

_TEXT = '{"name":"Möhre","icon":"🥕"}'.encode()
_BYTES = b"\x00\xff\xfe\x10\x80\n\r\x00"

BODIES = Section(
    "Body",
    (
        request(
            "Text arrives as UTF-8",
            becomes("body_text", {"content-length": ["31"]}, body=_TEXT),
            websocket=becomes("body_text", {"content-length": ["31"]}, body=_TEXT),
            bedrock_agent=becomes("body_text", {"content-length": ["31"]}, body=_TEXT),
        ),
        request(
            "Bytes arrive unchanged",
            becomes("body_base64", {"content-length": ["8"]}, body=_BYTES),
            websocket=becomes("body_base64", {"content-length": ["8"]}, body=_BYTES),
            bedrock_agent=reasons.AGENT_TEXT,
        ),
        request(
            "Bytes arrive unchanged with any method",
            becomes("body_base64_of_get", method="GET", body=_BYTES),
            websocket=reasons.MADE_PATH,
            bedrock_agent=reasons.AGENT_TEXT,
        ),
        request(
            "A POST without a body has the length 0",
            becomes("body_empty_post", {"content-length": ["0"]}, method="POST", body=b""),
            websocket=becomes("body_empty_post", {"content-length": ["0"]}, method="POST", body=b""),
            bedrock_agent=becomes("body_empty_post", {"content-length": ["0"]}, method="POST", body=b""),
        ),
        request(
            "`Content-Length` is computed, whatever the event has",
            becomes("content_length_wrong", {"content-length": ["31"]}, body=_TEXT),
            websocket=reasons.NO_LENGTH,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
        ),
    ),
)
