"""Streamed and compressed replies under both emulators, one at a time and many at once.

AWS's emulator gives its caller all of a stream at the end. With one invocation at a time it drops the trailers, so that
a response that broke off is what there was of it; with many, the error in the trailers is all that the caller gets. The
local run has InvokeWithResponseStream, whose caller gets both.
"""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from e2e.events import HTTP_SOURCES, Request, alb, function_url, rest_api, sqs
from e2e.replies import Reply, read_reply, read_streamed_reply
from support.processes import PROJECT
from support.streamed_format import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.conftest import AnyEmulator, Emulate, Launch, Manage
    from support.rie import StreamedPayload

pytestmark = pytest.mark.e2e

EXAMPLES = PROJECT / "examples"
STREAM = "response_stream"
GZIP = {"accept-encoding": "gzip"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
WORKERS = 8
each_source = pytest.mark.parametrize("source", ["rest-api", "function-url"])


class Site:
    """An example in one emulator, whose replies are streamed."""

    def __init__(self, emulator: AnyEmulator) -> None:
        self.emulator = emulator

    def send(self, source: str, **request: Any) -> Reply:
        return read_streamed_reply(self.emulator.stream(HTTP_SOURCES[source](Request(**request))))


def example(launch: Launch, name: str) -> Iterator[Site]:
    with launch("main:app", cwd=EXAMPLES / name, AWS_LWA_INVOKE_MODE=STREAM) as emulator:
        yield Site(emulator)


@pytest.fixture(scope="module")
def seeds(launch: Launch) -> Iterator[Site]:
    yield from example(launch, "fastapi_app")


@pytest.fixture(scope="module")
def recipes(launch: Launch) -> Iterator[Site]:
    yield from example(launch, "flask_app")


# FastAPI


@each_source
def test_a_stream_is_a_prelude_eight_zero_bytes_and_the_body(seeds: Site, source: str) -> None:
    payload = seeds.emulator.stream(HTTP_SOURCES[source](Request(path="/varieties/crimson-flowered")))

    head, zeros, body = payload.content.partition(SEPARATOR)
    assert json.loads(head) == {"statusCode": 200, "headers": {"content-type": "application/json"}}
    assert zeros == b"\0" * 8
    assert body.decode() == (
        '{"slug":"crimson-flowered","name":"Crimson Flowered","species":"broad bean","sow_in":11,"packets":7}'
    )


@each_source
def test_fastapi_gives_bytes_and_empty_bodies(seeds: Site, source: str) -> None:
    path = "/varieties/noir-de-crimee/photo"

    put = seeds.send(source, method="PUT", path=path, headers={"content-type": "image/png"}, body=PIXEL)
    got = seeds.send(source, path=path)

    assert (put.status, put.body) == (204, b"")
    assert (got.status, got.headers["content-type"], got.body) == (200, ["image/png"], PIXEL)


@each_source
def test_fastapi_sets_several_cookies(seeds: Site, source: str) -> None:
    reply = seeds.send(
        source,
        method="POST",
        path="/varieties/brandywine/loans",
        headers={"content-type": "application/json"},
        body='{"gardener": "Zoë", "packets": 1}',
    )

    assert reply.status == 202
    assert [cookie.partition("=")[0] for cookie in reply.cookies] == ["gardener", "last_loan"]
    assert "1 x Brandywine for Zoë" in json.loads(seeds.send(source, path="/packing-list").text)


@each_source
def test_fastapi_redirects_without_a_body(seeds: Site, source: str) -> None:
    reply = seeds.send(source, path="/p/brandywine")

    assert (reply.status, reply.body) == (307, b"")
    assert reply.headers["content-length"] == ["0"]
    assert reply.headers["location"][0].endswith("/varieties/brandywine")


# Flask


@each_source
def test_flask_streams_while_it_writes(recipes: Site, source: str) -> None:
    reply = recipes.send(source, path="/recipes.csv")

    assert reply.status == 200
    assert reply.headers == {
        "content-type": ["text/csv; charset=utf-8"],
        "content-disposition": ["attachment; filename=recipes.csv"],
    }
    assert reply.text.startswith("title,cook,ingredients\r\nShakshuka,Noa,6 eggs; 800 g tomatoes; 2 peppers\r\n")


@each_source
def test_flask_answers_head_without_a_body(recipes: Site, source: str) -> None:
    reply = recipes.send(source, method="HEAD")

    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-type"] == ["text/html; charset=utf-8"]


@each_source
def test_flask_redirects_with_a_cookie(recipes: Site, source: str) -> None:
    reply = recipes.send(source, method="POST", path="/sign-in", headers=FORM, body="name=No%C3%A9mie")

    (cookie,) = reply.cookies
    assert reply.status == 303
    assert reply.headers["location"] == ["/prod/" if source == "rest-api" else "/"]
    assert cookie.startswith("session=")


@each_source
def test_flask_s_exceptions_are_pages(recipes: Site, source: str) -> None:
    reply = recipes.send(source, path="/burnt")

    assert reply.status == 500
    assert "<h1>500 Internal Server Error</h1>" in reply.text


# Who takes no stream


def test_a_load_balancer_is_answered_whole_in_the_same_environment(seeds: Site) -> None:
    before = seeds.send("function-url", path="/varieties/crimson-flowered")
    whole = read_reply("alb", seeds.emulator.invoke(alb(Request(path="/varieties/crimson-flowered"))))
    after = seeds.send("rest-api", path="/varieties/crimson-flowered")

    assert (whole.status, whole.body) == (200, before.body)
    assert after.body == before.body


def test_a_queue_is_answered_whole_in_the_same_environment(seeds: Site) -> None:
    response = seeds.emulator.invoke(sqs("not JSON"))

    assert response.json() == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}


# What goes wrong in the middle, and many at once

# It sends the caller's marker; half way, it does as it is told: it waits for all others, or ends.
PARTS = f"""
import asyncio, os

everybody = asyncio.Barrier({WORKERS})

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    marker = dict(scope["headers"])[b"x-marker"]
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}})
    await send({{"type": "http.response.body", "body": marker, "more_body": True}})
    if scope["path"] == "/together":
        await everybody.wait()
    if scope["path"] == "/exit":
        os._exit(3)
    await send({{"type": "http.response.body", "body": b" again, " + marker, "more_body": True}})
    await send({{"type": "http.response.body", "body": b" " * 1000}})
"""


def body(marker: str) -> str:
    return f"{marker} again, {marker}" + " " * 1000


def marked(path: str, marker: str) -> dict[str, Any]:
    return function_url(Request(path=path, headers={"x-marker": marker, **GZIP}))


def stream(managed: AnyEmulator, path: str, marker: str) -> StreamedPayload:
    return managed.stream(marked(path, marker), X_Amzn_RequestId=str(uuid.uuid4()))


def test_an_app_that_ends_in_the_middle_is_started_again(tmp_path: Path, emulate: Emulate) -> None:
    (tmp_path / "main.py").write_text(PARTS)
    emulator = emulate("main:app", cwd=tmp_path, AWS_LWA_INVOKE_MODE=STREAM)

    payload = emulator.stream(marked("/exit", "one"))
    (bootstrap,) = emulator.runtimes()
    broken, whole = read_streamed_reply(payload), read_streamed_reply(emulator.stream(marked("/", "two")))

    assert (broken.status, broken.text) == (200, "one")
    assert payload.error is None or payload.error["errorType"] == "Runtime.AppExited"
    emulator.process.wait_for(r"ERROR.*Runtime\.AppExited: GET /exit breaks off\. The app ended \(exit code 3\)")
    assert whole.text == body("two")
    assert emulator.runtimes() == [bootstrap]


def test_an_app_that_ends_in_the_middle_is_an_error_to_the_caller_among_many(manage: Manage) -> None:
    managed = manage(PARTS, workers=WORKERS, invoke_mode=STREAM)

    failed = managed.fail(marked("/exit", "one"))
    whole = read_streamed_reply(stream(managed, "/", "two"))

    assert failed["errorType"] == "Runtime.AppExited"
    assert "exit code 3" in failed["errorMessage"]
    assert whole.text == body("two")


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
def test_streams_side_by_side_are_not_mixed_up(compress: bool, manage: Manage) -> None:
    managed = manage(PARTS, workers=WORKERS, invoke_mode=STREAM, compress=compress)
    markers = [f"marker-{number}" for number in range(WORKERS)]

    with ThreadPoolExecutor(WORKERS) as callers:
        together = list(callers.map(lambda marker: stream(managed, "/together", marker), markers))

    replies = list(map(read_streamed_reply, together))
    assert [text(reply) for reply in replies] == list(map(body, markers))
    assert all(("content-encoding" in reply.headers) == compress for reply in replies)


# Compressed ones


def text(reply: Reply) -> str:
    """The body, without its coding."""
    return (gzip.decompress(reply.body) if "content-encoding" in reply.headers else reply.body).decode()


def compressing(emulate: Emulate, name: str) -> AnyEmulator:
    return emulate("main:app", cwd=EXAMPLES / name, AWS_LWA_INVOKE_MODE=STREAM, AWS_LWA_ENABLE_COMPRESSION="true")


@pytest.mark.parametrize(("name", "words"), [("fastapi_app", "Seed library"), ("flask_app", "Crème brûlée")])
def test_both_examples_are_compressed_in_a_stream_and_whole(name: str, words: str, emulate: Emulate) -> None:
    emulator = compressing(emulate, name)
    sent = Request(headers=GZIP)

    replies = [
        read_streamed_reply(emulator.stream(rest_api(sent))),
        read_streamed_reply(emulator.stream(function_url(sent))),
        read_reply("alb", emulator.invoke(alb(sent))),
    ]

    for reply in replies:
        assert reply.headers["content-encoding"] == ["gzip"]
        assert words in text(reply)
    assert [reply.is_base64 for reply in replies] == [False, False, True]


def test_a_stream_is_as_it_was_for_those_who_take_no_coding(emulate: Emulate) -> None:
    emulator = compressing(emulate, "flask_app")

    reply = read_streamed_reply(emulator.stream(rest_api(Request(path="/recipes.csv"))))

    assert "content-encoding" not in reply.headers
    assert reply.headers["vary"] == ["accept-encoding"]
    assert reply.text.startswith("title,cook,ingredients\r\n")
