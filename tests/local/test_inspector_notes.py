"""What the notes say of each step: every case is made by the translation that a run has."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from local.asking import request as asked
from support.round_trip import RoundTrip

from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.http.headers import build_request_head
from lambda_web_adapter.http.messages import Invocation, Response
from lambda_web_adapter.ipc.exchange_frame import Exchange
from lambda_web_adapter.local.gateways import GATEWAYS, GatewayOptions, Request
from lambda_web_adapter.local.gateways.authorizer import Authorizer
from lambda_web_adapter.local.gateways.cors import Cors
from lambda_web_adapter.local.inspector.notes import Note, explain
from lambda_web_adapter.local.inspector.notes import note as note_module
from lambda_web_adapter.local.records.conversion import to_detail
from lambda_web_adapter.local.records.masking import Masker
from lambda_web_adapter.local.records.records import FAILED, MAX_PART, REJECTED, SUCCEEDED, Record
from lambda_web_adapter.settings import Settings

Pairs = list[tuple[str, str]]
DOCS = Path(__file__).parents[2] / "docs"
EVERY = [pytest.param(name, id=name) for name in GATEWAYS]
ALL = tuple(GATEWAYS)
MULTI = ("http-api-v1", "rest-api", "alb-multi")
V2 = ("function-url", "http-api-v2")
LATTICE = ("vpc-lattice-v1", "vpc-lattice-v2")
LINES_KEPT = (*MULTI, "vpc-lattice-v2")
JOINING = (*V2, "vpc-lattice-v1")
MAPPED = (*MULTI, "alb")


def client(headers: Pairs = (), path: str = "/", query: str = "", body: bytes = b"", method: str = "GET") -> Request:  # type: ignore[assignment]
    return Request(
        method=method,
        raw_path=path,
        query=query,
        headers=[("host", "127.0.0.1:8000"), *headers],
        body=body,
        source_ip="203.0.113.7",
        port=8000,
    )


def notes_of(trip: RoundTrip, step: str, name: str) -> list[Note]:
    return [note for note in explain(trip.detail()) if (note.step, note.name) == (step, name)]


def only(trip: RoundTrip, step: str, name: str) -> Note:
    [note] = notes_of(trip, step, name)
    return note


def each(sources: tuple[str, ...], *case: object, id: str) -> list[object]:  # noqa: A002
    return [pytest.param(source, *case, id=f"{id}-{source}") for source in sources]


# Client → event

TWO_LINES = client([("accept", "a"), ("accept", "b")])
TWO_COOKIE_LINES = client([("cookie", "a=1; b=2"), ("cookie", "c=3")])


@pytest.mark.parametrize(
    ("source", "request_", "name", "kind", "before", "after", "text"),
    [
        *each(
            ALL, client([("te", "gzip")]), "te", "dropped", "gzip", "", "one connection|only the connection", id="hop"
        ),
        *each(JOINING[:2], TWO_LINES, "accept", "recoded", "a\nb", "a,b", "joined by commas", id="joined"),
        *each(JOINING[2:], TWO_LINES, "accept", "recoded", "a\nb", "a, b", "joined by commas", id="joined"),
        *each(("alb",), TWO_LINES, "accept", "lost", "a\nb", "b", "only the last", id="last line"),
        *each(V2, TWO_COOKIE_LINES, "cookie", "recoded", "a=1; b=2\nc=3", "a=1\nb=2\nc=3", "a list", id="cookies"),
        *each(
            ("vpc-lattice-v1",),
            TWO_COOKIE_LINES,
            "cookie",
            "recoded",
            "a=1; b=2\nc=3",
            "a=1; b=2; c=3",
            "become one",
            id="cookies",
        ),
        *each(("alb",), TWO_COOKIE_LINES, "cookie", "lost", "a=1; b=2\nc=3", "c=3", "only the last", id="cookies"),
        *each(ALL, client(), "x-forwarded-for", "added", "", "203.0.113.7", "came from", id="address"),
        *each(ALL, client(), "x-forwarded-proto", "added", "", "http", "the scheme", id="scheme"),
        *each(ALL, client(), "x-forwarded-port", "added", "", "8000", "the port", id="port"),
        *each(
            ALL[1:],
            client([("x-forwarded-for", "9.9.9.9")]),
            "x-forwarded-for",
            "changed",
            "9.9.9.9",
            "9.9.9.9, 203.0.113.7",
            "appended",
            id="forged address",
        ),
        *each(
            ("function-url",),
            client([("x-forwarded-for", "9.9.9.9")]),
            "x-forwarded-for",
            "lost",
            "9.9.9.9",
            "203.0.113.7",
            "is gone",
            id="forged address",
        ),
        *each(
            ALL,
            client([("x-forwarded-proto", "https")]),
            "x-forwarded-proto",
            "changed",
            "https",
            "http",
            "seen itself",
            id="forged scheme",
        ),
        *each(
            ("function-url", *MULTI, "alb"),
            client([("x-amzn-trace-id", "Root=1-5-6")]),
            "x-amzn-trace-id",
            "changed",
            "Root=1-5-6",
            "Self=1-00000000-000000000000000000000000;Root=1-5-6",
            "client's trace",
            id="trace",
        ),
        *each(
            ("rest-api",),
            client([("content-length", "0")]),
            "content-length",
            "dropped",
            "0",
            "",
            "no content",
            id="length",
        ),
        *each(
            ("http-api-v2", "http-api-v1"),
            client(),
            "content-length",
            "added",
            "",
            "0",
            "counted the bytes",
            id="length",
        ),
        *each(("http-api-v2",), client(path="/a%2Fb"), "path", "lost", "/a%2Fb", "/a/b", "`%2F`", id="slash"),
        *each(("http-api-v2",), client(path="/%E4"), "path", "lost", "/%E4", "/\ufffd", "not UTF-8", id="Latin-1"),
        *each(("http-api-v2",), client(path="/%2541"), "path", "recoded", "/%2541", "/%41", "encodes it", id="twice"),
        *each(
            ("rest-api", "http-api-v1"),
            client(query="a+b=c%2Fd"),
            "query",
            "recoded",
            "a+b=c%2Fd",
            "a b=c/d",
            "decodes",
            id="+",
        ),
        *each(
            ("rest-api", "http-api-v1"),
            client(query="a=%E4"),
            "query",
            "lost",
            "a=%E4",
            "a=\ufffd",
            "UTF-8",
            id="Latin-1",
        ),
        *each(MULTI, client(query="a=1&b=2&a=3"), "query", "lost", "a=1&b=2&a=3", "", "order", id="order"),
        *each(
            ("alb",), client(query="a=1&b=2&a=3"), "query", "lost", "a=1&b=2&a=3", "", "only the last", id="repeated"
        ),
        *each(MAPPED, client(query="a=1&flag"), "query", "lost", "flag", "", "without a value", id="bare"),
        *each(
            ALL,
            client([("content-type", "image/png")], body=b"\xff", method="POST"),
            "body",
            "recoded",
            "",
            "",
            "since its bytes are not UTF-8",
            id="bytes",
        ),
        *each(
            ALL,
            client([("content-type", "image/svg+xml")], body=b"<svg/>", method="POST"),
            "body",
            "recoded",
            "",
            "",
            r"as bodies of its type are \(`image/svg\+xml`\)",
            id="type",
        ),
        *each(ALL, client(body=b"text", method="POST"), "body", "recoded", "", "", "no `content-type`", id="untyped"),
        *each(
            ALL,
            client(
                [("content-type", "text/plain"), ("content-encoding", "gzip")], body=gzip.compress(b"a"), method="POST"
            ),
            "body",
            "recoded",
            "",
            "",
            "compressed",
            id="gzip",
        ),
    ],
)
def test_the_event_has_a_note(
    source: str, request_: Request, name: str, kind: str, before: str, after: str, text: str
) -> None:
    note = only(RoundTrip(source=source, request=request_), "event", name)

    assert (note.kind, note.before, note.after) == (kind, before, after)
    assert re.search(text, note.text)


@pytest.mark.parametrize(
    ("source", "request_", "name"),
    [
        *each(LINES_KEPT, TWO_LINES, "accept", id="lines"),
        *each(LINES_KEPT, TWO_COOKIE_LINES, "cookie", id="cookies"),
        *each(LATTICE, client(), "x-amzn-trace-id", id="trace"),
        *each(ALL[:1] + ALL[2:], client(path="/a%2Fb%20c/%E4"), "path", id="path"),
        *each((*V2, *LATTICE), client(query="b=%20+&a&b=%E4"), "query", id="query"),
        *each(("alb-multi",), client(query="a=%20+&a=%E4&b="), "query", id="query"),
        *each(
            ALL,
            client([("content-type", "text/plain; charset=utf-8")], body="é".encode(), method="POST"),
            "body",
            id="text",
        ),
        *each(ALL, client(), "body", id="no body"),
    ],
)
def test_what_is_the_same_in_the_event_has_no_note(source: str, request_: Request, name: str) -> None:
    assert notes_of(RoundTrip(source=source, request=request_), "event", name) == []


def test_capitalised_names_are_one_note() -> None:
    note = only(RoundTrip(source="http-api-v1", request=client([("x-tag", "1")])), "event", "headers")

    assert (note.kind, note.before, note.after) == ("changed", "host\nx-tag", "Host\nX-Tag")


def test_a_body_that_is_no_binary_media_type_is_lost() -> None:
    options = GatewayOptions(binary_media_types=())
    request = client([("content-type", "image/png")], body=b"\x89PNG", method="POST")

    assert only(RoundTrip(source="rest-api", request=request, options=options), "event", "body").kind == "lost"


def test_a_custom_domain_replaces_the_host() -> None:
    options = GatewayOptions(custom_domain="api.example.com")
    note = only(RoundTrip(source="http-api-v2", request=client(), options=options), "event", "host")

    assert (note.before, note.after) == ("127.0.0.1:8000", "api.example.com")
    assert "custom domain" in note.text


def test_a_login_adds_headers() -> None:
    options = GatewayOptions(authorizer=Authorizer(claims={"sub": "alice"}))
    note = only(RoundTrip(source="alb", request=client(), options=options), "event", "x-amzn-oidc-identity")

    assert (note.kind, note.after) == ("added", "alice")
    assert "--authorizer" in note.text


def test_a_rest_api_has_the_stage_apart_from_the_path() -> None:
    trip = RoundTrip(source="rest-api", request=client(path="/test/a"), options=GatewayOptions(stage="test"))
    note = only(trip, "event", "path")

    assert (note.before, note.after) == ("/test/a", "/a")
    assert "stage" in note.text
    assert notes_of(trip, "request", "path") == []
    assert only(trip, "request", "x-forwarded-prefix").after == "/test"


# Event → app


@pytest.mark.parametrize(
    ("headers", "name", "kind", "text"),
    [
        pytest.param([("expect", "100-continue")], "expect", "dropped", "whole body", id="expect"),
        pytest.param([("proxy-authorization", "x")], "proxy-authorization", "dropped", "one connection", id="hop"),
        pytest.param(
            [("x-amzn-event-source", "sqs")], "x-amzn-event-source", "dropped", "Only the adapter", id="reserved"
        ),
        pytest.param([("x-forwarded-prefix", "/a")], "x-forwarded-prefix", "dropped", "Only the adapter", id="prefix"),
        pytest.param([("remote-user", "root")], "remote-user", "dropped", "variable of its own", id="CGI"),
        pytest.param([("x_real_ip", "1.1.1.1")], "x_real_ip", "dropped", "`x-real-ip`", id="underscores"),
        pytest.param([("x-real-ip", "1.1.1.1")], "x-real-ip", "changed", "A client has sent", id="forged address"),
        pytest.param([], "x-real-ip", "added", "no client can invent", id="address"),
    ],
)
@pytest.mark.parametrize("source", EVERY)
def test_the_adapter_s_rules_for_headers_have_notes(
    source: str, headers: Pairs, name: str, kind: str, text: str
) -> None:
    note = only(RoundTrip(source=source, request=client(headers)), "request", name)

    assert note.kind == kind
    assert text in note.text


@pytest.mark.parametrize("source", [pytest.param(name, id=name) for name in (*MULTI, "vpc-lattice-v2", *V2)])
def test_cookies_become_one_header(source: str) -> None:
    note = only(RoundTrip(source=source, request=TWO_COOKIE_LINES), "request", "cookie")

    assert (note.kind, note.after) == ("recoded", "a=1; b=2; c=3")


@pytest.mark.parametrize("source", EVERY)
def test_a_counted_length_and_decoded_base64_have_notes(source: str) -> None:
    trip = RoundTrip(source=source, request=client(body=b"\xff", method="POST"))

    assert only(trip, "request", "body").kind == "recoded"
    assert [note.after for note in notes_of(trip, "request", "content-length")] == ["1"] * (source == "rest-api")


@pytest.mark.parametrize("source", [pytest.param(name, id=name) for name in ("http-api-v2", "http-api-v1")])
def test_a_request_without_a_body_has_no_length(source: str) -> None:
    note = only(RoundTrip(source=source, request=client()), "request", "content-length")

    assert (note.kind, note.before) == ("dropped", "0")


@pytest.mark.parametrize(
    ("source", "options", "variables", "path", "rest", "removed"),
    [
        pytest.param("http-api-v2", GatewayOptions(stage="test"), {}, "/test/a", "/a", "/test", id="stage"),
        pytest.param("http-api-v2", GatewayOptions(stage="test"), {}, "/test", "/", "/test", id="stage alone"),
        pytest.param("http-api-v1", GatewayOptions(stage="test"), {}, "/test/a", "/a", "/test", id="payload 1.0"),
        pytest.param(
            "rest-api",
            GatewayOptions(base_path="/shop"),
            {"AWS_LWA_REMOVE_BASE_PATH": "/shop"},
            "/shop/a",
            "/a",
            "/shop",
            id="base path",
        ),
        pytest.param(
            "rest-api",
            GatewayOptions(stage="test"),
            {"AWS_LWA_REMOVE_BASE_PATH": "/shop"},
            "/test/shop/a",
            "/a",
            "/shop",
            id="stage and base path",
        ),
    ],
)
def test_a_removed_prefix_has_a_note(
    source: str, options: GatewayOptions, variables: dict[str, str], path: str, rest: str, removed: str
) -> None:
    trip = RoundTrip(source=source, request=client(path=path), options=options, variables=variables)
    note = only(trip, "request", "path")

    assert (note.kind, note.after) == ("changed", rest)
    assert f"`{removed}`" in note.text


def test_a_decoded_path_is_encoded_again() -> None:
    trip = RoundTrip(
        source="http-api-v2", request=client(path="/test/caf%C3%A9%2541"), options=GatewayOptions(stage="test")
    )

    assert [(note.kind, note.after) for note in notes_of(trip, "request", "path")] == [
        ("recoded", "/caf%C3%A9%2541"),
        ("changed", "/caf%C3%A9%2541"),
    ]


@pytest.mark.parametrize("source", [pytest.param(name, id=name) for name in ("rest-api", "http-api-v1")])
def test_a_decoded_query_is_encoded_again(source: str) -> None:
    note = only(RoundTrip(source=source, request=client(query="a=b+c")), "request", "query")

    assert (note.kind, note.after) == ("recoded", "a=b%20c")
    assert "encodes it again" in note.text


@pytest.mark.parametrize("source", [pytest.param(name, id=name) for name in ("function-url", "alb")])
def test_what_a_request_line_cannot_have_is_escaped(source: str) -> None:
    trip = RoundTrip(source=source, request=client(path='/a"b', query='a="'))

    assert only(trip, "request", "path").after == "/a%22b"
    assert only(trip, "request", "query").after == "a=%22"


def test_context_headers_have_notes() -> None:
    trip = RoundTrip(source="alb", request=client(), variables={"AWS_LWA_CONTEXT_HEADERS": "true"})

    assert only(trip, "request", "x-amzn-request-context").kind == "added"
    assert "Lambda's context" in only(trip, "request", "x-amzn-lambda-context").text


def test_moved_credentials_are_named() -> None:
    request = client([("authorization", "AWS4-HMAC-SHA256"), ("x-auth", "Bearer a")])
    variables = {"AWS_LWA_AUTHORIZATION_SOURCE": "x-auth"}
    trip = RoundTrip(source="function-url", request=request, variables=variables)

    for name, kind in (("authorization", "changed"), ("x-auth", "dropped")):
        note = only(trip, "request", name)
        assert note.kind == kind
        assert "AWS_LWA_AUTHORIZATION_SOURCE" in note.text


# App → reply


def response(*headers: tuple[bytes, bytes], body: bytes = b"ok", status: int = 200) -> Response:
    return Response(status, list(headers), body)


@pytest.mark.parametrize(
    ("answer", "name", "kind", "text"),
    [
        pytest.param(response((b"content-length", b"2")), "content-length", "dropped", "counts the bytes", id="length"),
        pytest.param(
            response((b"transfer-encoding", b"chunked")),
            "transfer-encoding",
            "dropped",
            "only the connection",
            id="hop",
        ),
        pytest.param(response((b"connection", b"x-a"), (b"x-a", b"1")), "x-a", "dropped", "`Connection`", id="named"),
        pytest.param(
            response((b"content-type", b"image/png")), "body", "recoded", "type is binary (`image/png`)", id="type"
        ),
        pytest.param(
            response((b"content-type", b"text/plain"), body=b"\xe4"), "body", "recoded", "not UTF-8", id="Latin-1"
        ),
        pytest.param(
            response((b"content-encoding", b"br")), "body", "recoded", "compressed (`content-encoding: br`)", id="coded"
        ),
        pytest.param(response(body=b"\x00"), "body", "recoded", "control characters", id="controls"),
    ],
)
@pytest.mark.parametrize("source", EVERY)
def test_the_reply_has_a_note(source: str, answer: Response, name: str, kind: str, text: str) -> None:
    note = only(RoundTrip(source=source, request=client(), response=answer), "reply", name)

    assert note.kind == kind
    assert text in note.text


@pytest.mark.parametrize("source", EVERY)
def test_repeated_response_headers_are_joined_or_kept(source: str) -> None:
    answer = response((b"vary", b"a"), (b"vary", b"b"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"))
    trip = RoundTrip(source=source, request=client(), response=answer)

    assert [note.after for note in notes_of(trip, "reply", "vary")] == ["a, b"] * (source not in MULTI)
    spellings = [note.after for note in notes_of(trip, "reply", "set-cookie")]
    assert spellings == ["set-cookie\nSet-cookie"] * (source in ("alb", *LATTICE))
    descriptions = [note.after for note in notes_of(trip, "reply", "status")]
    assert descriptions == ["200 OK"] * (source in ("alb", "alb-multi", *LATTICE))


def test_more_cookies_than_spellings_are_lost() -> None:
    answer = response(*((b"set-cookie", b"a=%d" % number) for number in range(513)))

    notes = notes_of(RoundTrip(source="alb", request=client(), response=answer), "reply", "set-cookie")

    assert [note.kind for note in notes] == ["lost", "recoded"]


def test_excluded_headers_name_the_setting() -> None:
    variables = {"AWS_LWA_EXCLUDE_RESPONSE_HEADERS": "server"}
    trip = RoundTrip(source="alb", request=client(), response=response((b"server", b"me")), variables=variables)

    assert "AWS_LWA_EXCLUDE_RESPONSE_HEADERS" in only(trip, "reply", "server").text


def test_compression_names_the_setting() -> None:
    answer = response(
        (b"content-type", b"text/plain"), (b"etag", b'"1"'), (b"accept-ranges", b"bytes"), body=b"a" * 999
    )
    trip = RoundTrip(
        source="alb",
        request=client([("accept-encoding", "gzip")]),
        response=answer,
        variables={"AWS_LWA_ENABLE_COMPRESSION": "true"},
    )

    kinds = {note.name: note.kind for note in explain(trip.detail()) if note.step == "reply" and note.name != "status"}
    assert kinds == {
        "accept-ranges": "dropped",
        "body": "recoded",
        "content-encoding": "added",
        "etag": "changed",
        "vary": "added",
    }
    assert "AWS_LWA_ENABLE_COMPRESSION" in only(trip, "reply", "content-encoding").text


# Reply → client


@pytest.mark.parametrize(
    ("source", "content_type"),
    [
        pytest.param("function-url", "application/json", id="function-url"),
        pytest.param("rest-api", "application/json", id="rest-api"),
        pytest.param("http-api-v1", "text/plain; charset=utf-8", id="http-api-v1"),
        pytest.param("http-api-v2", "text/plain; charset=utf-8", id="http-api-v2"),
    ],
)
def test_a_missing_content_type_is_the_gateway_s(source: str, content_type: str) -> None:
    note = only(RoundTrip(source=source, request=client(), response=response()), "response", "content-type")

    assert (note.kind, note.after) == ("added", content_type)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        pytest.param("rest-api", "date", id="date"),
        pytest.param("rest-api", "server", id="server"),
        pytest.param("function-url", "www-authenticate", id="www-authenticate"),
    ],
)
def test_remapped_headers_are_named_on_both_sides(source: str, name: str) -> None:
    trip = RoundTrip(source=source, request=client(), response=response((name.encode(), b"x")))

    assert f"x-amzn-remapped-{name}" in only(trip, "response", name).text
    assert only(trip, "response", f"x-amzn-remapped-{name}").after == "x"


def test_base64_that_a_rest_api_leaves_is_lost() -> None:
    answer = response((b"content-type", b"image/png"), body=b"\x89PNG")
    options = GatewayOptions(binary_media_types=("image/png",))
    request = client([("accept", "*/*")])
    trip = RoundTrip(source="rest-api", request=request, response=answer, options=options)

    assert only(trip, "response", "body").kind == "lost"


def test_cors_of_a_function_url_adds_headers() -> None:
    options = GatewayOptions(cors=Cors(allow_origins=["http://a.example"]))
    trip = RoundTrip(source="function-url", request=client([("origin", "http://a.example")]), options=options)

    assert "--cors" in only(trip, "response", "access-control-allow-origin").text
    assert only(trip, "response", "vary").after == "Origin"


@pytest.mark.parametrize(
    ("method", "status"), [pytest.param("HEAD", 200, id="HEAD"), pytest.param("GET", 304, id="304")]
)
def test_a_body_that_no_client_gets_has_a_note(method: str, status: int) -> None:
    trip = RoundTrip(source="alb", request=client(method=method), response=response(status=status))

    assert [note.kind for note in notes_of(trip, "response", "body")] == ["dropped"]


def test_a_streamed_body_of_which_the_record_has_the_beginning_is_no_change() -> None:
    variables = {"AWS_LWA_INVOKE_MODE": "response_stream"}
    answer = response((b"content-type", b"image/png"), body=b"\x89PNG" * 100)
    record = RoundTrip(source="function-url", request=client(), response=answer, variables=variables).record()

    notes = explain(to_detail(record, None))

    assert record.is_streamed
    assert [note for note in notes if note.step in ("reply", "response")] == []


# Records that lack something


def test_large_bodies_that_are_cut_are_no_change() -> None:
    request = client([("content-type", "text/plain")], body=b"a" * (MAX_PART + 5), method="POST")
    answer = response((b"content-type", b"text/plain"), body=b"b" * (MAX_PART + 5))
    detail = RoundTrip(source="function-url", request=request, response=answer).detail()

    notes = explain(detail)

    assert detail.event.is_truncated
    assert detail.reply.is_truncated
    assert [note for note in notes if note.name == "body"] == []
    assert [note.name for note in notes if note.step == "request"] == ["x-amzn-trace-id", "x-real-ip"]


def test_a_body_of_which_the_exchange_has_the_beginning_is_no_change() -> None:
    request = client([("content-type", "text/plain")], body=b"a" * 100_000, method="POST")
    detail = RoundTrip(source="function-url", request=request).detail()

    assert detail.request is not None
    assert detail.request.body.is_truncated
    assert [note for note in explain(detail) if note.name == "body"] == []


@pytest.mark.parametrize("source", EVERY)
def test_masked_values_are_no_change(source: str) -> None:
    request = client([("authorization", "Bearer a"), ("cookie", "a=1; b=2"), ("x-secret", "x")])
    answer = response((b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2"))
    trip = RoundTrip(source=source, request=request, response=answer)

    masked, shown = explain(trip.detail(Masker(["x-secret"]))), explain(trip.detail())

    assert [(note.step, note.kind, note.name) for note in masked] == [
        (note.step, note.kind, note.name) for note in shown
    ]
    assert not any(secret in f"{note}" for note in masked for secret in ("Bearer a", "a=1", "b=2"))


@pytest.mark.parametrize("source", [pytest.param(name, id=name) for name in JOINING])
def test_masked_lines_that_are_joined_are_no_loss(source: str) -> None:
    """Both are `***` before, and so is what they have become."""
    request = client([("x-api-key", "1"), ("x-api-key", "2")])
    detail = RoundTrip(source=source, request=request).detail(Masker())

    [note] = [note for note in explain(detail) if note.name == "x-api-key"]

    assert (note.kind, note.before, note.after) == ("recoded", "***\n***", "***")
    assert "joined" in note.text


def test_a_cut_event_that_is_masked_says_nothing() -> None:
    request = client([("authorization", "Bearer a")], body=b"a" * (MAX_PART + 5), method="POST")

    notes = explain(RoundTrip(source="alb-multi", request=request).detail(Masker()))

    assert [note for note in notes if note.step in ("event", "request")] == []


def test_without_an_exchange_the_gateway_s_steps_are_explained() -> None:
    record = RoundTrip(source="rest-api", request=client(), response=response()).record()
    record.exchange = None

    assert {note.step for note in explain(to_detail(record, None))} == {"event", "response"}


def test_a_record_of_nothing_has_no_notes() -> None:
    assert explain(to_detail(Record(number=1, received=0.0, title=""), None)) == []


# Errors


def test_the_adapter_s_own_reply_is_named() -> None:
    document = json.dumps({"message": "No response for 3 s.", "errorType": "Function.AppTimeout"}).encode()
    own = Response(504, [(b"content-type", b"application/json")], document)
    record = RoundTrip(source="alb", request=client(), response=own).record()
    assert record.exchange
    record.exchange.response_head, record.exchange.error_type = b"", "Function.AppTimeout"
    detail = to_detail(record, None)

    [note] = [note for note in explain(detail) if note.step == "reply"]

    assert detail.adapter_error == "Function.AppTimeout"
    assert (note.kind, note.after) == ("added", "No response for 3 s.")
    assert "`Function.AppTimeout`" in note.text


def test_an_app_s_response_that_the_adapter_has_replaced_is_named() -> None:
    record = RoundTrip(source="alb", request=client()).record()
    assert record.exchange
    record.exchange.error_type = "Function.ResponseSizeTooLarge"

    [note] = [note for note in explain(to_detail(record, None)) if note.step == "reply"]

    assert note.kind == "changed"
    assert "`Function.ResponseSizeTooLarge`" in note.text


def test_the_reply_of_an_app_that_was_never_started_is_named() -> None:
    document = json.dumps({"message": "No app.", "errorType": "Runtime.AppNotFound"}).encode()
    own = Response(502, [(b"content-type", b"application/json")], document)
    record = RoundTrip(source="alb", request=client(), response=own).record()
    record.exchange = None

    [note] = [note for note in explain(to_detail(record, None)) if note.step == "reply"]

    assert "`Runtime.AppNotFound`" in note.text


def test_a_failed_invocation_is_explained_on_both_sides() -> None:
    record = RoundTrip(source="alb", request=client()).record()
    record.state, record.error_type, record.error_message = FAILED, "Runtime.ExitError", "exit status 1"
    record.exchange, record.reply = None, b'{"errorType":"Runtime.ExitError"}'

    notes = [note for note in explain(to_detail(record, None)) if note.step in ("reply", "response")]

    assert [(note.step, note.name) for note in notes] == [("reply", "status"), ("response", "status")]
    assert notes[0].after == "exit status 1"
    assert "the function failed" in notes[1].text


def test_a_malformed_reply_is_explained_field_by_field() -> None:
    record = RoundTrip(source="alb", request=client()).record()
    record.reply = b'{"statusCode":"many"}'
    record.reply_bytes = len(record.reply)

    [note] = [note for note in explain(to_detail(record, None)) if note.step == "response"]

    assert "malformed: statusCode" in note.text


def test_a_reply_without_a_status_is_the_body() -> None:
    record = RoundTrip(source="function-url", request=client()).record()
    record.reply, record.reply_bytes = b'{"a":1}', 7

    [note] = [note for note in explain(to_detail(record, None)) if note.step == "response"]

    assert "`statusCode`" in note.text


def test_a_rejected_request_has_the_gateway_s_reason() -> None:
    whole = RoundTrip(source="alb", request=client()).record()
    record = Record(number=1, received=0.0, title="GET /", state=REJECTED, problem="a preflight request")
    record.client_request, record.client_response = whole.client_request, whole.client_response

    [note] = explain(to_detail(record, None))

    assert note.step == "response"
    assert note.text.endswith("a preflight request")


# Events that are no requests

SOCKET = {
    "requestContext": {"connectionId": "a=", "eventType": "MESSAGE", "routeKey": "$default", "stage": "x"},
    "body": "hello",
}
AGENT = {
    "messageVersion": "1.0",
    "agent": {"name": "a"},
    "actionGroup": "a",
    "apiPath": "/a",
    "httpMethod": "GET",
    "parameters": [],
}


@pytest.mark.parametrize(
    ("event", "variables", "target", "text"),
    [
        pytest.param({"Records": []}, {}, "POST /events", "the event as its body", id="event"),
        pytest.param(SOCKET, {}, "POST /events", "(`websocket`)", id="WebSocket as an event"),
        pytest.param(SOCKET, {"AWS_LWA_WEBSOCKET_PATH": "/ws"}, "POST /ws/default", "of its route", id="WebSocket"),
        pytest.param(AGENT, {"AWS_LWA_BEDROCK_AGENT": "true"}, "GET /a", "its schema", id="agent"),
    ],
)
def test_events_that_are_no_requests_have_one_note_for_each_step(
    event: dict[str, object], variables: dict[str, str], target: str, text: str
) -> None:
    data, settings = json.dumps(event).encode(), Settings.from_environ(variables)
    source = find_source(event, settings)
    request = build_request(source, event, settings, data)
    reply = source.build_reply(response(), event)
    record = Record(number=1, received=0.0, title="", state=SUCCEEDED, event=data, event_bytes=len(data))
    record.reply, record.reply_bytes = reply, len(reply)
    record.exchange = Exchange(
        request_head=build_request_head(request, Invocation("1", data)),
        request_body=request.body,
        request_size=len(request.body),
        response_head=b"HTTP/1.1 200\r\nx-a: 1\r\n\r\n",
    )

    notes = explain(to_detail(record, None))

    assert [(note.step, note.name) for note in notes] == [("request", "method"), ("reply", "headers")]
    assert notes[0].after == target
    assert text in notes[0].text


# All notes


@pytest.mark.parametrize("source", EVERY)
def test_only_the_own_gateway_s_request_needs_no_options(source: str) -> None:
    """The usual request, with which each gateway's events are tested elsewhere too."""
    notes = explain(RoundTrip(source=source, request=asked()).detail())

    assert {note.step for note in notes} >= {"event", "request"}


def test_the_pages_that_notes_point_to_are_there() -> None:
    pages = [value for name, value in vars(note_module).items() if name.isupper()]
    missing = []
    for page in pages:
        name, _, anchor = page.partition("#")
        titles = re.findall(r"^#+ (.*)$", (DOCS / name).read_text(), re.MULTILINE)
        anchors = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
        missing += [page] * (anchor not in anchors)

    assert len(pages) > 10
    assert missing == []


def test_a_note_s_help_is_a_page_with_a_section() -> None:
    for source in GATEWAYS:
        trip = RoundTrip(source=source, request=replace(TWO_COOKIE_LINES, query="a=%20&flag", body=b"\xff"))
        assert all(re.fullmatch(r"([\w-]+\.md#[\w-]+)?", note.help) for note in explain(trip.detail()))
