"""Snippets: what is pasted sends what was recorded."""

from __future__ import annotations

import ast
import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from local.asking import FULL, event, request
from local.inspector.replaying import ReplayRun
from properties.strategies import raw_paths, raw_queries
from support.processes import plain_environment

from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.gateways import GatewayOptions, Request, Response
from lambda_web_adapter.local.inspector.python_source import bytes_literal, literal
from lambda_web_adapter.local.inspector.replay_models import ReplayError
from lambda_web_adapter.local.inspector.snippet_requests import SnippetContext
from lambda_web_adapter.local.inspector.snippets import SnippetKind, build_snippet, context_of
from lambda_web_adapter.local.records.conversion import to_detail
from lambda_web_adapter.local.records.masking import Masker
from lambda_web_adapter.local.records.record_models import Body, HttpRequest, InvocationDetail, RecordError

KINDS: list[SnippetKind] = ["curl", "httpx", "event", "pytest"]

_tokens = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8).map("x-{}".format)
_values = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs", "Cc"]), max_size=20).map(str.strip)
_hostile = st.sampled_from(["'", '"', "$(touch x)", "`id`", "\\", "@/etc/passwd", "!!", ";", "\n", "%s", "<(id)", "~"])
_bodies = (
    st.binary(max_size=40)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(str.encode)
    | st.lists(_hostile, max_size=5).map("".join).map(str.encode)
)
requests = st.builds(
    HttpRequest,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PURGE!", "P'T"]),
    target=st.builds("{}?{}".format, raw_paths, raw_queries) | raw_paths,
    headers=st.lists(st.tuples(_tokens, _values | _hostile.map(str.strip)), max_size=5),
    body=_bodies.map(Body.of),
)


def detail_of(
    client: Request | None = FULL,
    source: str = "alb",
    *,
    response: Response | None = None,
    raw_event: bytes = b"{}",
    masker: Masker | None = None,
) -> InvocationDetail:
    record = ReplayRun().record(client, source, raw_event)
    record.client_response = response
    record.client_response_bytes = len(response.body) if response else 0
    return to_detail(record, masker)


def with_request(model: HttpRequest) -> InvocationDetail:
    return detail_of(response=Response(status=200, headers=[], body=b"")).model_copy(update={"client_request": model})


def text_of(kind: SnippetKind, detail: InvocationDetail, url: str = "http://127.0.0.1:8000") -> str:
    return build_snippet(kind, detail, SnippetContext(url=url)).text


class Seen:
    """A server on a port, and the last request that it has got."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.method = self.target = ""
        self.headers: list[tuple[str, str]] = []
        self.body = b""


@contextmanager
def serving() -> Iterator[Seen]:
    class Handler(BaseHTTPRequestHandler):
        raw_requestline: bytes

        def parse_request(self) -> bool:
            complete = super().parse_request()
            if complete:
                last.method, last.target, _ = self.raw_requestline.decode("latin-1").split()
                last.headers = [
                    (name, value.encode("latin-1").decode("utf-8", "replace")) for name, value in self.headers.items()
                ]
                last.body = self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(204)
                self.end_headers()
                self.close_connection = True
            return False

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    last = Seen(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield last
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    with serving() as server:
        yield server


def run_in_bash(text: str, **variables: str) -> None:
    environment = plain_environment(variables)
    subprocess.run(["bash"], input=text.encode(), check=True, capture_output=True, timeout=30, env=environment)


def test_curl_sends_what_was_recorded_whatever_it_is(seen: Seen) -> None:
    @given(requests)
    @example(
        HttpRequest(method="POST", target="/'$(id)", headers=[("x-a", ""), ("x-a", "'")], body=Body.of(b"@/etc/hosts"))
    )
    @example(HttpRequest(method="PUT", target="/a/../b/[1-3]?{a,b}", headers=[], body=Body.of(bytes(range(256)))))
    @example(HttpRequest(method="POST", target="/", headers=[("x-a", "@b")], body=Body.of(b"a\r\nb\n")))
    def check(model: HttpRequest) -> None:
        run_in_bash(text_of("curl", with_request(model), seen.url))

        sent = [(name, value) for name, value in seen.headers if name.lower() not in ("host", "content-length")]
        assert (seen.method, seen.target, seen.body) == (model.method, model.target, model.body.to_bytes())
        assert sent == model.headers

    check()


def test_curl_sends_a_large_body_through_a_pipe(seen: Seen) -> None:
    body = b"a" * 300_000

    run_in_bash(text_of("curl", with_request(HttpRequest(method="POST", target="/", body=Body.of(body))), seen.url))

    assert seen.body == body


def test_curl_requests_a_head(seen: Seen) -> None:
    run_in_bash(text_of("curl", with_request(HttpRequest(method="HEAD", target="/a")), seen.url))

    assert (seen.method, seen.target) == ("HEAD", "/a")


def test_httpx_sends_what_was_recorded(seen: Seen) -> None:
    model = HttpRequest(
        method="POST", target="/a%2Fb?c=%20", headers=[("x-a", "1"), ("X-A", "ü")], body=Body.of("é\0".encode())
    )

    text = text_of("httpx", with_request(model), seen.url)
    subprocess.run([sys.executable, "-c", text], check=True, timeout=30, env=plain_environment())

    assert (seen.method, seen.target, seen.body) == ("POST", "/a%2Fb?c=%20", "é\0".encode())
    assert [value for name, value in seen.headers if name.lower() == "x-a"] == ["1", "ü"]


@pytest.mark.parametrize("kind", ["httpx", "pytest"])
def test_generated_python_compiles_for_any_request(kind: SnippetKind) -> None:
    @given(requests)
    def check(model: HttpRequest) -> None:
        compile(text_of(kind, with_request(model)), "snippet", "exec")

    check()


json_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(json_texts)
def test_a_literal_is_the_value(value: Any) -> None:
    assert ast.literal_eval(literal(value, "    ")) == value


@given(st.binary())
def test_a_literal_of_bytes_is_the_bytes(data: bytes) -> None:
    source = bytes_literal(data)
    value = ast.literal_eval(source.removesuffix(".encode()"))

    assert (value if isinstance(value, bytes) else value.encode()) == data


def test_a_long_literal_has_an_item_on_each_line() -> None:
    assert literal({"a": ["x" * 60, "y" * 60], "b": 1}) == (
        "{\n    'a': [\n        '" + "x" * 60 + "',\n        '" + "y" * 60 + "',\n    ],\n    'b': 1,\n}"
    )


SECRETS = request(headers=[("Authorization", "Bearer a"), ("cookie", "a=1; b=2"), ("x-api-key", "k")])


def test_masked_headers_of_curl_are_variables(seen: Seen) -> None:
    text = text_of("curl", detail_of(SECRETS, masker=Masker()), seen.url)

    run_in_bash(text, AUTHORIZATION="Bearer 'x' $y", COOKIE="c=3", X_API_KEY="k2")

    headers = {name.lower(): value for name, value in seen.headers}
    assert (headers["authorization"], headers["cookie"], headers["x-api-key"]) == ("Bearer 'x' $y", "c=3", "k2")


def test_a_masked_header_without_a_variable_is_named(seen: Seen) -> None:
    text = text_of("curl", detail_of(SECRETS, masker=Masker()), seen.url)

    result = subprocess.run(["bash", "-c", text], env={"PATH": os.environ["PATH"]}, capture_output=True, check=False)

    assert result.returncode != 0
    assert b"AUTHORIZATION: parameter null or not set" in result.stderr


@pytest.mark.parametrize("kind", ["httpx", "pytest"])
def test_masked_headers_of_python_are_variables(kind: SnippetKind) -> None:
    response = Response(status=200, headers=[], body=b"")

    text = text_of(kind, detail_of(SECRETS, response=response, masker=Masker()))

    assert text.startswith("import os\n")
    for name in ("AUTHORIZATION", "COOKIE", "X_API_KEY"):
        assert f"os.environ['{name}']" in text


@pytest.mark.parametrize("kind", KINDS)
def test_without_masks_there_are_the_secrets(kind: SnippetKind) -> None:
    raw_event = json.dumps(event("alb", SECRETS)).encode()
    response = Response(status=200, headers=[], body=b"")

    text = text_of(kind, detail_of(SECRETS, response=response, raw_event=raw_event))

    assert "Bearer a" in text
    assert "os.environ" not in text


def test_the_event_is_indented_json() -> None:
    snippet = build_snippet("event", detail_of(raw_event='{"a": ["ü"]}'.encode()), SnippetContext())

    assert snippet.text == '{\n  "a": [\n    "ü"\n  ]\n}\n'
    assert (snippet.language, snippet.filename) == ("json", "event.json")


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in EVENT_SOURCES])
def test_curl_of_an_event_of_a_gateway_is_its_request(name: str, seen: Seen) -> None:
    raw_event = json.dumps(event(name, request("POST", "/a", body=b"hello", headers=[("x-a", "b")]))).encode()

    run_in_bash(text_of("curl", detail_of(None, "event", raw_event=raw_event), seen.url))

    assert (seen.method, seen.target, seen.body) == ("POST", "/a", b"hello")


def test_curl_of_another_event_invokes_the_function(seen: Seen) -> None:
    run_in_bash(text_of("curl", detail_of(None, "event", raw_event=b'{"Records": []}'), seen.url))

    assert seen.target == "/2015-03-31/functions/function/invocations"
    assert seen.body == b'{"Records": []}'


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        pytest.param("curl", {"client_request": None, "event": Body(size=0)}, "No event", id="curl, no event"),
        pytest.param("event", {"event": Body(size=0)}, "No event", id="no event"),
        pytest.param(
            "event", {"event": Body(size=9, is_truncated=True, data="{")}, "the 9 bytes", id="truncated event"
        ),
        pytest.param("event", {"event": Body.of(b"[" * 900 + b"]" * 900)}, "200 levels", id="deep event"),
        pytest.param("pytest", {"client_response": None}, "no response", id="no response"),
        pytest.param(
            "httpx",
            {"client_request": HttpRequest(method="GET", target="/", body=Body(size=9, is_truncated=True))},
            "the 9 bytes",
            id="truncated body",
        ),
    ],
)
def test_a_record_with_too_little_has_no_snippet(kind: SnippetKind, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ReplayError, match=message):
        text_of(kind, detail_of().model_copy(update=changes))


def test_the_context_is_that_of_the_run() -> None:
    run = ReplayRun(GatewayOptions(stage="prod", binary_media_types=("image/*",)))
    run.inspected.listeners[:] = [("alb", "http://127.0.0.1:8000"), ("rest-api", "https://127.0.0.1:8001/prod")]

    context = context_of(run.inspected, "rest-api")

    assert context.url == "https://127.0.0.1:8001"
    assert context.app == "main:app"
    assert context.gateway == {"stage": "prod", "binary_media_types": ["image/*"]}
    assert context_of(run.inspected, "event").url == "http://127.0.0.1:8000"
    assert context_of(run.inspected, "alb").gateway == {}


def test_a_test_expects_status_stable_headers_cookies_and_body() -> None:
    headers = [
        ("content-type", "application/json"),
        ("date", "today"),
        ("x-amzn-requestid", "1"),
        ("set-cookie", "session=abc; Path=/"),
        ("vary", "a"),
        ("vary", "b"),
    ]
    response = Response(status=201, headers=headers, body=b'{"a": [1, null, true]}')

    snippet = build_snippet("pytest", detail_of(response=response), SnippetContext(gateway={"stage": "prod"}))

    assert snippet.filename == "test_recorded.py"
    assert "LambdaTransport('main:app', event_source='alb', stage='prod')" in snippet.text
    tail = snippet.text.split("\n\n    assert ")[1]
    assert tail == (
        "response.status_code == 201\n"
        "    assert response.headers['content-type'] == 'application/json'\n"
        "    assert response.headers['vary'] == 'a, b'\n"
        '    cookies = response.headers.get_list("set-cookie")\n'
        "    assert [cookie.partition(\"=\")[0] for cookie in cookies] == ['session']\n"
        "    # Values that are others each time, such as ids and moments, have to be replaced or left out.\n"
        "    assert response.json() == {'a': [1, None, True]}\n"
    )


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        pytest.param("text/html; charset=utf-8", "ü".encode(), "response.text == 'ü'", id="text"),
        pytest.param("image/png", b"\xff", "response.content == b'\\xff'", id="bytes"),
        pytest.param("application/json", b"NaN", "response.content == b'NaN'", id="no literal"),
        pytest.param("application/json", b"{", "response.content == b'{'", id="no JSON"),
        pytest.param("application/json", b"[" * 1999, f"response.content == {b'[' * 1999!r}", id="too deep"),
        pytest.param("text/plain", b"a" * 5000, "len(response.content) == 5000", id="large"),
    ],
)
def test_a_test_compares_the_body_by_its_type(content_type: str, body: bytes, expected: str) -> None:
    response = Response(status=200, headers=[("content-type", content_type)], body=body)

    assert text_of("pytest", detail_of(response=response)).endswith(f"    assert {expected}\n")


@pytest.mark.parametrize(
    ("body", "comment"),
    [
        pytest.param(b"hello", "# Values that are others each time", id="whole"),
        pytest.param(b"a" * 5000, "# The body of 5000 bytes is too large", id="large"),
    ],
)
def test_a_test_says_what_its_body_has(body: bytes, comment: str) -> None:
    response = Response(status=200, headers=[], body=body)

    assert comment in text_of("pytest", detail_of(response=response))


def test_a_test_of_an_event_invokes_the_function() -> None:
    detail = detail_of(None, "event", raw_event=b'{"Records": []}')

    text = text_of("pytest", detail.model_copy(update={"reply": Body.of(b'{"ok": true}')}))

    assert "EVENT = {'Records': []}\n" in text
    assert "        reply = transport.invoke(EVENT)\n\n    # Values that are others each time" in text
    assert text.endswith("    assert reply == {'ok': True}\n")
    compile(text, "snippet", "exec")


def test_a_test_of_a_failed_event_expects_the_error() -> None:
    detail = detail_of(None, "event", raw_event=b'{"Records": []}')

    text = text_of("pytest", detail.model_copy(update={"error": RecordError(type="KeyError", message="no")}))

    assert "pytest.raises(InvocationFailed) as failure" in text
    assert text.endswith("    assert failure.value.error_type == 'KeyError'\n")
    compile(text, "snippet", "exec")


def test_a_compressed_body_is_compared_as_the_client_reads_it() -> None:
    headers = [("content-type", "text/plain"), ("content-encoding", "gzip")]
    response = Response(status=200, headers=headers, body=gzip.compress(b"hello"))

    assert text_of("pytest", detail_of(response=response)).endswith("assert response.text == 'hello'\n")
