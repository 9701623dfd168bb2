"""Behaviours of the reply."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from conformance import reasons
from conformance.cells import Facts, Row, Section, answers, each
from conformance.columns import ALB, HTTP, LATTICE, PAYLOAD_V2

if TYPE_CHECKING:
    from conformance.cells import Cell


def reply(title: str, http: Cell, *, bedrock_agent: Cell, pass_through: Cell, **others: Cell) -> Row:
    """Makes a row about replies: a cell for all columns with an HTTP status, and those that differ from it."""
    cells = each(HTTP, http) | {"bedrock_agent": bedrock_agent, "pass_through": pass_through}
    return Row(title, cells | {"lambda_edge": reasons.EDGE} | others)


_JSON = '{"id":7,"name":"Möhre"}'.encode()
_FAILURES = {"batchItemFailures": [{"itemIdentifier": "11111111-2222-4333-8444-555555555555"}]}
_COOKIES = ["session=abc123; Path=/; HttpOnly", "theme=dark; Expires=Thu, 01 Jan 2026 00:00:00 GMT"]
_BASIC = 'Basic realm="seeds"'
_TWICE = {"www-authenticate": [_BASIC, "Bearer"], "vary": ["accept", "cookie"]}
_TWICE_JOINED = {"www-authenticate": [f"{_BASIC}, Bearer"], "vary": ["accept, cookie"]}
_ONE_LINE_EACH = (*PAYLOAD_V2, "alb_single", *LATTICE, "websocket")
_HOPS: Facts = {"connection": [], "keep-alive": [], "proxy-authenticate": [], "trailer": [], "x-only-here": []}

REPLIES = Section(
    "Reply",
    (
        reply(
            "Status, headers and JSON arrive, under keys that the service knows",
            answers("simple", {"content-type": ["application/json"], "location": ["/seeds/7"]}, status=201, body=_JSON),
            bedrock_agent=answers("simple", {"content-type": ["application/json"]}, status=201, body=_JSON),
            pass_through=answers("sqs", result=_FAILURES),
        ),
        reply(
            "The app's own error is the caller's",
            answers("status_500", status=500, body=b"broken"),
            bedrock_agent=answers("status_500", status=500, body=b"broken"),
            pass_through=reasons.NO_HTTP_REPLY,
        ),
        reply(
            "The status has its reason phrase",
            reasons.NO_STATUS_TEXT,
            bedrock_agent=reasons.NO_STATUS_TEXT,
            pass_through=reasons.NO_HTTP_REPLY,
            **each((*ALB, *LATTICE), answers("simple", description="201 Created")),
        ),
        reply(
            "All cookies arrive",
            answers("set_cookie_twice", {"set-cookie": _COOKIES}),
            bedrock_agent=reasons.NO_AGENT_REPLY_HEADERS,
            pass_through=reasons.NO_HTTP_REPLY,
        ),
        reply(
            "All values of a repeated header of the response arrive, in order",
            answers("header_twice", _TWICE),
            bedrock_agent=reasons.NO_AGENT_REPLY_HEADERS,
            pass_through=reasons.NO_HTTP_REPLY,
            **each(_ONE_LINE_EACH, answers("header_twice", _TWICE_JOINED)),
        ),
        reply(
            "A header value in UTF-8 arrives",
            answers("header_in_utf_8", {"x-gardener": ["Jürgen ☕"]}),
            bedrock_agent=reasons.NO_AGENT_REPLY_HEADERS,
            pass_through=reasons.NO_HTTP_REPLY,
        ),
        reply(
            "A header value in Latin-1 arrives",
            answers("header_in_latin_1", {"x-gardener": ["Jürgen"]}),
            bedrock_agent=reasons.NO_AGENT_REPLY_HEADERS,
            pass_through=reasons.NO_HTTP_REPLY,
        ),
        reply(
            "Hop-by-hop headers of the response, and those that its `Connection` names, are dropped",
            answers("header_hop_by_hop", {"x-kept": ["1"], **_HOPS}),
            bedrock_agent=reasons.NO_AGENT_REPLY_HEADERS,
            pass_through=reasons.NO_HTTP_REPLY,
        ),
        reply(
            "Headers that `AWS_LWA_EXCLUDE_RESPONSE_HEADERS` names are dropped",
            answers("header_excluded", {"x-kept": ["1"], "server": [], "x-powered-by": []}),
            bedrock_agent=reasons.NO_AGENT_REPLY_HEADERS,
            pass_through=reasons.NO_HTTP_REPLY,
        ),
        reply(
            "A content type is never invented",
            answers("type_missing", {"content-type": []}, body=b"welcome"),
            bedrock_agent=reasons.AGENT_NEEDS_TYPE,
            pass_through=reasons.NO_HTTP_REPLY,
        ),
    ),
)

_GZIP = "H4sIAAAAAAACA6tWykvMTVWyUvI9vC2jKFWpFgBK3UnuEQAAAA=="  # {"name":"Möhre"}
_PNG = b"\x89PNG\r\n\x1a\n"
_YAML = "seed: Möhre\n"

REPLY_BODIES = Section(
    "Reply's body",
    (
        reply(
            "Text in UTF-8 arrives as text",
            answers(
                "charset_utf_8", {"content-type": ["text/plain; charset=utf-8"]}, body="Möhre".encode(), base64=False
            ),
            bedrock_agent=answers("charset_utf_8", {"content-type": ["text/plain"]}, body="Möhre".encode()),
            pass_through=answers("charset_utf_8", result="Möhre"),
        ),
        reply(
            "Binary arrives, as base64",
            answers("binary", body=_PNG, base64=True),
            bedrock_agent=answers("binary", {"content-type": ["image/png"]}, body=b"iVBORw0KGgo="),
            pass_through=answers("binary", result="iVBORw0KGgo="),
        ),
        reply(
            "A compressed body arrives, as base64",
            answers("compressed", {"content-encoding": ["gzip"]}, body=base64.b64decode(_GZIP), base64=True),
            bedrock_agent=answers("compressed", body=_GZIP.encode()),
            pass_through=answers("compressed", result=_GZIP),
        ),
        reply(
            "The coding `identity` counts as no coding",
            answers("coding_identity", body=b"welcome", base64=False),
            bedrock_agent=answers("coding_identity", body=b"welcome"),
            pass_through=answers("coding_identity", result={"done": True}),
        ),
        reply(
            "Text that is not UTF-8 arrives unchanged, as base64",
            answers("text_not_utf_8", body=b"ok \xff", base64=True),
            bedrock_agent=answers("text_not_utf_8", body=b"b2sg/w=="),
            pass_through=answers("text_not_utf_8", result="b2sg/w=="),
        ),
        reply(
            "Text of another charset arrives unchanged, as base64",
            answers(
                "charset_latin_1", {"content-type": ["text/plain; charset=iso-8859-1"]}, body=b"M\xf6hre", base64=True
            ),
            bedrock_agent=answers("charset_latin_1", {"content-type": ["text/plain"]}, body=b"TfZocmU="),
            pass_through=answers("charset_latin_1", result="TfZocmU="),
        ),
        reply(
            "JSON under another name, such as `application/problem+json`, is text",
            answers("type_problem_json", body='{"title":"Dürre"}'.encode(), base64=False),
            bedrock_agent=answers("type_problem_json", body='{"title":"Dürre"}'.encode()),
            pass_through=answers("type_problem_json", result={"title": "Dürre"}),
        ),
        reply(
            "YAML is text",
            answers("type_yaml", body=_YAML.encode(), base64=False),
            bedrock_agent=answers("type_yaml", body=_YAML.encode()),
            pass_through=answers("type_yaml", result=_YAML),
        ),
        reply(
            "Media types are not case-sensitive",
            answers("type_in_capitals", {"content-type": ["IMAGE/PNG"]}, body=b"ascii", base64=True),
            bedrock_agent=answers("type_in_capitals", {"content-type": ["image/png"]}, body=b"YXNjaWk="),
            pass_through=answers("type_in_capitals", result="YXNjaWk="),
        ),
        reply(
            "An empty body is empty text",
            answers("body_empty", {"content-type": ["text/plain"]}, status=200, body=b"", base64=False),
            bedrock_agent=answers("body_empty", {"content-type": ["text/plain"]}, status=200, body=b""),
            pass_through=answers("body_empty", result=None),
        ),
        reply(
            "204 has no body",
            answers("status_204", {"x-kept": ["1"], "content-type": []}, status=204, body=b"", base64=False),
            bedrock_agent=answers("status_204", status=204, body=b""),
            pass_through=answers("status_204", result=None),
        ),
        reply(
            "304 has no body",
            answers("status_304", {"etag": ['"1"'], "content-type": []}, status=304, body=b"", base64=False),
            bedrock_agent=answers("status_304", status=304, body=b""),
            pass_through=reasons.NO_HTTP_REPLY,
        ),
        reply(
            "The reply to HEAD has no body, and keeps its `Content-Length`",
            answers("head", {"content-length": ["1234"]}, status=200, body=b"", base64=False),
            bedrock_agent=reasons.NO_AGENT_REPLY_HEADERS,
            pass_through=reasons.NO_HTTP_REPLY,
            websocket=reasons.NO_HEAD,
        ),
    ),
)
