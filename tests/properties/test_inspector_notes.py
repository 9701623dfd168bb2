"""The inspector's notes: one for each difference between two messages, none for what is the same, and none untrue.

The lines of each message are read here once more, independently of the package: from the models as they are, and from
the JSON of events and replies.
"""

from __future__ import annotations

import json
import string
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.round_trip import RoundTrip

from lambda_web_adapter.http.messages import Response
from lambda_web_adapter.local.gateways import GATEWAYS, Request
from lambda_web_adapter.local.inspector.notes import Note, explain
from lambda_web_adapter.local.records.masking import Masker
from properties.strategies import bodies, cookies, free_headers, listed_headers, methods, query_pairs, raw_paths

if TYPE_CHECKING:
    from lambda_web_adapter.local.records.record_models import InvocationDetail

Lines = dict[str, list[str]]
_VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x24F, exclude_categories=["Cc"]), max_size=8).map(
    str.strip
)
_OWN_NAMES = st.sampled_from(
    ["x-forwarded-for", "x-forwarded-proto", "x-amzn-trace-id", "authorization", "te", "content-type", "expect"]
)
_own_headers = st.lists(st.tuples(_OWN_NAMES, _VALUES), max_size=3)
_requests = st.builds(
    lambda headers, lines, pairs, **parts: Request(
        headers=[("host", "shop.example"), *headers, *(("cookie", line) for line in lines)],
        query="&".join(f"{name}={value}" for name, value in pairs),
        source_ip="203.0.113.7",
        port=8000,
        **parts,
    ),
    headers=st.builds(
        lambda *parts: [*parts[0], *parts[1], *parts[2]], free_headers, listed_headers.map(list), _own_headers
    ),
    lines=cookies,
    pairs=query_pairs,
    method=methods,
    raw_path=raw_paths,
    body=bodies,
)
_answers = st.builds(
    Response,
    status=st.sampled_from([200, 201, 204, 304, 404, 500]),
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    b"vary",
                    b"Vary",
                    b"set-cookie",
                    b"date",
                    b"server",
                    b"www-authenticate",
                    b"content-type",
                    b"connection",
                ]
            )
            | st.sampled_from([b"content-length", b"x-a", b"x-b", b"keep-alive", b"content-encoding"]),
            st.text(string.ascii_letters + "éß,=;", max_size=6).map(str.encode),
        ),
        max_size=6,
    ),
    body=bodies,
)
every_gateway = pytest.mark.parametrize("source", [pytest.param(name, id=name) for name in GATEWAYS])
# Names that notes have for what is no single header.
_PARTS = {"method", "path", "query", "body", "status", "headers"}


def by_name(lines: list[tuple[str, str]]) -> Lines:
    values: Lines = {}
    for name, value in lines:
        values.setdefault(name.lower(), []).append(value)
    return values


def lines_in(document: dict[str, Any], cookie_header: str) -> Lines:
    """The header lines that an event or a reply has: lists before single values, and `cookies` before all."""
    lists = document.get("multiValueHeaders") or {}
    single = {} if lists else document.get("headers") or {}
    lines = [(name, value) for name, values in lists.items() for value in values]
    for name, value in single.items():
        lines += [(name, each) for each in (value if isinstance(value, list) else [value])]
    if document.get("cookies"):
        lines = [line for line in lines if line[0].lower() != cookie_header]
        lines += [(cookie_header, cookie) for cookie in document["cookies"]]
    return by_name(lines)


def steps_of(detail: InvocationDetail) -> dict[str, tuple[Lines, Lines]]:
    assert detail.client_request
    assert detail.request
    assert detail.response
    assert detail.client_response
    event = lines_in(json.loads(detail.event.data), "cookie")
    reply = lines_in(json.loads(detail.reply.data), "set-cookie")
    return {
        "event": (by_name(detail.client_request.headers), event),
        "request": (event, by_name(detail.request.headers)),
        "reply": (by_name(detail.response.headers), reply),
        "response": (reply, by_name(detail.client_response.headers)),
    }


def has_values(note: Note, before: Lines, after: Lines) -> bool:
    return note.before == "\n".join(before.get(note.name, [])) and note.after == "\n".join(after.get(note.name, []))


@every_gateway
@given(request=_requests, response=_answers, masker=st.sampled_from([None, Masker()]))
def test_each_difference_of_headers_has_one_note(
    source: str, request: Request, response: Response, masker: Masker | None
) -> None:
    detail = RoundTrip(source=source, request=request, response=response).detail(masker)
    notes = explain(detail)

    for step, (before, after) in steps_of(detail).items():
        different = Counter(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        of_headers = [
            note
            for note in notes
            if note.step == step and note.name not in _PARTS and "another spelling" not in note.text
        ]
        assert Counter(note.name for note in of_headers) == different
        assert [note for note in of_headers if not has_values(note, before, after)] == []


@every_gateway
@given(request=_requests, response=_answers)
def test_kinds_are_what_the_values_show(source: str, request: Request, response: Response) -> None:
    """What is added was not there, what is dropped is not there any more, and the rest is on both sides."""
    detail = RoundTrip(source=source, request=request, response=response).detail()
    steps = steps_of(detail)

    for note in explain(detail):
        if note.name in _PARTS or "another spelling" in note.text:
            continue
        before, after = (note.name in lines for lines in steps[note.step])
        assert (before, after) == {"added": (False, True), "dropped": (True, False)}.get(note.kind, (True, True))


@every_gateway
@given(request=_requests, response=_answers)
def test_notes_of_path_query_and_body_are_true(source: str, request: Request, response: Response) -> None:
    detail = RoundTrip(source=source, request=request, response=response).detail()
    assert detail.request
    assert detail.client_request
    target, sent = detail.request.target, detail.client_request.target

    notes = {(note.step, note.name): note for note in explain(detail)}

    assert ("request", "method") not in notes
    for (step, name), note in notes.items():
        if (step, name) in {("request", "path"), ("request", "query")}:
            assert note.after in target
        if (step, name) in {("event", "path"), ("event", "query")}:
            assert note.before in sent
            assert note.kind in ("recoded", "lost")
        if name == "body":
            assert note.kind in ("recoded", "dropped")
    assert (("event", "body") in notes) == _is_base64(detail)
    assert (("request", "body") in notes) == _is_base64(detail)


def _is_base64(detail: InvocationDetail) -> bool:
    event = json.loads(detail.event.data)
    return bool(event.get("isBase64Encoded") or event.get("is_base64_encoded"))


@every_gateway
@given(request=_requests)
def test_a_path_and_a_query_that_arrive_as_they_were_have_no_notes(source: str, request: Request) -> None:
    detail = RoundTrip(source=source, request=request).detail()
    event, names = json.loads(detail.event.data), {(note.step, note.name) for note in explain(detail)}
    path = event.get("rawPath", event.get("raw_path", event.get("path")))

    assert detail.request
    assert (("event", "path") in names) == (path.partition("?")[0] != request.raw_path and source == "http-api-v2")
    assert (("request", "path") in names) == (detail.request.target.partition("?")[0] != path.partition("?")[0])
