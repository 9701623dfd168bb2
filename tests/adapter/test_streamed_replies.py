"""Responses that go out while the app makes them, from each kind of app, one at a time and among many."""

from __future__ import annotations

import base64
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import bootstrap
from adapter.test_loop import QUEUE, get
from support.streamed_format import CONTENT_TYPE, read_streamed

from lambda_web_adapter.testing.runtime_api import RESET, Answer, Reading, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from support.processes import Running

    from lambda_web_adapter.testing.runtime_api import ReplyStream

APPS = {
    "asgi": ["streaming:app"],
    "wsgi": ["streaming:wsgi"],
    "command": ["--", sys.executable, "streaming_command.py"],
}
STREAM = {"AWS_LWA_INVOKE_MODE": "RESPONSE_STREAM"}  # as the templates of the Rust adapter's examples spell it
MANY = {"AWS_LAMBDA_MAX_CONCURRENCY": "4"}
BLOCK = bytes(range(256)) * 256


class Environment:
    """A bootstrap that streams, and the Runtime API that it talks to."""

    def __init__(self, api: RuntimeApi, process: Running, words: list[str]) -> None:
        self.api = api
        self.process = process
        self.is_command = "--" in words

    def stream(self, event: Any, **more: Any) -> ReplyStream:
        return self.api.wait_for_stream(self.api.queue_event(event, **more))

    def whole(self, event: Any) -> Any:
        return read_streamed(self.stream(event).wait_for_end().body)

    def memory(self, name: str) -> int:
        """The bootstrap's memory in KiB: `VmRSS` is what it has, `VmHWM` the most that it had."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

    def works(self) -> None:
        """Says that the next event is served."""
        self.api.release("two")
        self.api.release("three")
        assert self.whole(get("/parts")).body == b"onetwothree"


def start(stack: ExitStack, kind: str, workers: str, **variables: str) -> Environment:
    many = MANY if workers == "many" else {}
    api = stack.enter_context(RuntimeApi(concurrent=bool(many)))
    process = stack.enter_context(bootstrap(api, *APPS[kind], **STREAM, **many, **variables))
    return Environment(api, process, APPS[kind])


_KINDS = [pytest.param((kind, workers), id=f"{kind}-{workers}") for kind in APPS for workers in ("one", "many")]
EACH = pytest.mark.parametrize("environment", _KINDS, indirect=True)
# For tests after which all is as it was before, and which do not look at the log.
SHARED = pytest.mark.parametrize("shared", _KINDS, indirect=True)


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> Iterator[Environment]:
    """One of its own for each test."""
    with ExitStack() as stack:
        yield start(stack, *request.param)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[ExitStack, dict[tuple[str, str], Environment]]]:
    with ExitStack() as stack:
        yield stack, {}


@pytest.fixture
def shared(
    request: pytest.FixtureRequest, running: tuple[ExitStack, dict[tuple[str, str], Environment]]
) -> Environment:
    """One that other tests have used before; a new one where a test has broken it."""
    stack, found = running
    if request.param not in found or found[request.param].process.ended:
        found[request.param] = start(stack, *request.param)
    return found[request.param]


def url(path: str, query: str = "", method: str = "GET") -> dict[str, Any]:
    event = get(path) | {"rawQueryString": query}
    event["requestContext"]["http"]["method"] = method
    return event


def rest(path: str, query: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {
        "httpMethod": "GET",
        "path": path,
        "headers": {},
        "multiValueQueryStringParameters": query,
        "requestContext": {"path": path, "stage": "prod", "identity": {"sourceIp": "203.0.113.7"}},
        "body": None,
        "isBase64Encoded": False,
    }


def alb(path: str) -> dict[str, Any]:
    return {"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": path, "headers": {}}


@SHARED
@pytest.mark.parametrize("event", [url("/parts"), rest("/parts")], ids=["function-url", "rest-api"])
def test_each_part_is_sent_before_the_app_makes_the_next(shared: Environment, event: Any) -> None:
    api = shared.api
    api.hold("two")
    api.hold("three")

    stream = shared.stream(event)

    stream.wait_for_payload(3)
    assert stream.payload == b"one"
    api.release("two")
    stream.wait_for_payload(6)
    assert stream.payload == b"onetwo"
    api.release("three")
    found = read_streamed(stream.wait_for_end().body)
    assert (found.status, found.headers["content-type"], found.body) == (200, "text/plain", b"onetwothree")
    assert stream.is_complete
    assert not stream.trailers
    shared.works()


@EACH
def test_the_post_is_what_lambda_asks_for(environment: Environment) -> None:
    nonce = {"Lambda-Runtime-Invocation-Id": "the-nonce"}

    stream = environment.stream(url("/parts"), headers=nonce).wait_for_end()

    assert stream.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert stream.headers["transfer-encoding"] == "chunked"
    assert stream.headers["content-type"] == CONTENT_TYPE
    assert stream.headers["lambda-runtime-invocation-id"] == "the-nonce"
    assert "lambda-runtime-function-error-type" in stream.headers["trailer"].lower()
    assert "content-length" not in stream.headers
    environment.works()
    calls = [call for call in environment.api.runtime_calls if call.name in ("next", "response")]
    responses = [call.connection for call in calls if call.name == "response"]
    assert len(set(responses)) == len(responses)
    assert not {call.connection for call in calls if call.name == "next"} & set(responses)


@SHARED
def test_headers_and_cookies_stand_in_the_prelude(shared: Environment) -> None:
    query = "set-cookie=a%3D1&set-cookie=b%3D2%3B+Path%3D%2F&link=%3C1%3E&link=%3C2%3E"

    found = shared.whole(url("/status/404", query))

    assert found.status == 404
    assert found.cookies == ["a=1", "b=2; Path=/"]
    assert found.headers["link"] == "<1>, <2>"
    assert not {"transfer-encoding", "connection", "content-length"} & {name.lower() for name in found.headers}


@SHARED
@pytest.mark.parametrize("status", [200, 204, 302, 304])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_response_without_a_body_ends_at_once(shared: Environment, status: int, method: str) -> None:
    stream = shared.stream(url(f"/empty/{status}", method=method))

    found = read_streamed(stream.wait_for_end().body)

    assert stream.is_complete
    assert (found.status, found.body) == (status, b"")
    shared.works()


@SHARED
def test_an_empty_body_is_announced_as_such(shared: Environment) -> None:
    """Behind a CDN, clients were seen to wait for the end of an empty body without a length."""
    redirect, nothing = shared.whole(url("/empty/302")), shared.whole(url("/empty/204"))

    if not shared.is_command:  # which says that there is a body, and only later that it is empty
        assert redirect.headers["content-length"] == "0"
    assert "content-length" not in nothing.headers


@SHARED
def test_the_length_in_a_response_to_head_is_kept(shared: Environment) -> None:
    found = shared.whole(url("/parts", "content-length=11", method="HEAD"))

    assert found.headers["content-length"] == "11"
    assert found.body == b""


@pytest.mark.parametrize("shared", [("command", "one"), ("command", "many")], indirect=True)
def test_a_head_that_comes_before_the_body_is_sent_at_once(shared: Environment) -> None:
    shared.api.hold("head")

    stream = shared.stream(url("/late/parts"))

    assert stream.prelude["statusCode"] == 200
    assert stream.payload == b""
    shared.api.release("head")
    assert read_streamed(stream.wait_for_end().body).body == b"onetwothree"


@EACH
def test_headers_that_a_rest_api_does_not_take_are_an_error_that_says_so(environment: Environment) -> None:
    found = environment.whole(rest("/parts", {"x-large": ["x" * 17_000]}))

    assert found.status == 502
    assert "takes 16384" in json.loads(found.body)["message"]
    environment.process.wait_for("ERROR.*ResponseSizeTooLarge.*GET /parts")
    environment.works()
    assert environment.whole(url("/parts", f"x-large={'x' * 17_000}")).status == 200


# What goes wrong in the middle.


def failed(stream: ReplyStream) -> Any:
    """The error of a stream that broke off, behind a body that has nothing of it."""
    found = read_streamed(stream.wait_for_end().body)
    assert stream.is_complete, "the end must not be missing"
    assert (found.status, found.body) == (200, b"one")
    document = json.loads(base64.b64decode(stream.trailers["lambda-runtime-function-error-body"], validate=True))
    assert document["errorType"] == stream.trailers["lambda-runtime-function-error-type"]
    return document


@EACH
@pytest.mark.parametrize("path", ["/exits", "/killed"])
def test_an_app_that_ends_in_the_middle_is_an_error_in_the_trailers(environment: Environment, path: str) -> None:
    document = failed(environment.stream(url(path)))

    assert document["errorType"] == "Runtime.AppExited"
    assert ("exit code 7" if path == "/exits" else "SIGKILL") in document["errorMessage"]
    environment.process.wait_for(f"ERROR.*Runtime.AppExited.*GET {path}")
    environment.works()


@EACH
def test_a_response_that_breaks_off_is_an_error_in_the_trailers(environment: Environment) -> None:
    document = failed(environment.stream(url("/raises")))

    assert document["errorType"] == "Function.InvalidResponse"
    assert "only part of its response" in document["errorMessage"]
    environment.process.wait_for("ERROR.*Function.InvalidResponse.*GET /raises")
    environment.process.wait_for("RuntimeError: in the middle of the response")
    environment.works()


@EACH
def test_a_response_that_does_not_go_on_is_ended_before_the_deadline(environment: Environment) -> None:
    environment.api.hold("hanging")

    stream = environment.stream(url("/hangs"), timeout=2)

    assert failed(stream)["errorType"] == "Function.AppTimeout"
    assert stream.chunks[-1].at < stream.began + 2
    environment.process.wait_for("ERROR.*Function.AppTimeout.*GET /hangs")
    environment.api.release("hanging")
    environment.works()


@pytest.mark.parametrize("environment", [("asgi", "one"), ("asgi", "many")], indirect=True)
def test_the_log_shows_where_a_generator_hangs(environment: Environment) -> None:
    """A framework would cancel it as soon as the connection closes."""
    stream = environment.stream(url("/waits"), timeout=2)

    assert failed(stream)["errorType"] == "Function.AppTimeout"
    environment.process.wait_for(r"streaming\.py\", line \d+, in waiting")
    environment.works()


@SHARED
def test_an_error_before_the_response_is_streamed_as_a_response(shared: Environment) -> None:
    found = shared.whole(get("/parts", x_one="two\nlines"))

    assert found.status == 400
    assert json.loads(found.body)["errorType"] == "Runtime.InvalidEvent"
    shared.works()


@pytest.mark.parametrize("workers", ["one", "many"])
def test_a_status_that_fails_the_invocation_fails_it_before_the_stream(workers: str) -> None:
    with ExitStack() as stack:
        environment = start(stack, "asgi", workers, AWS_LWA_ERROR_STATUS_CODES="500-599")

        outcome = environment.api.invoke(url("/status/503"))

        assert outcome.name == "error"
        assert outcome.json["errorType"] == "Function.AppRejectedEvent"
        assert outcome.json["errorMessage"].endswith("status 503: onetwothree")
        environment.works()


@pytest.mark.parametrize("kind", APPS)
@pytest.mark.parametrize("workers", ["one", "many"])
def test_of_a_rejection_without_end_only_the_beginning_is_read(kind: str, workers: str) -> None:
    with ExitStack() as stack:
        environment = start(stack, kind, workers, AWS_LWA_ERROR_STATUS_CODES="503")

        for _ in range(4):
            outcome = environment.api.invoke(url("/without-end/503"), timeout=10)

            assert outcome.name == "error"
            assert outcome.json["errorType"] == "Function.AppRejectedEvent"
            environment.works()


@EACH
def test_each_connection_of_a_stream_is_closed(environment: Environment) -> None:
    environment.works()
    descriptors = Path(f"/proc/{environment.process.pid}/fd")
    before = len(list(descriptors.iterdir()))

    for _ in range(20):
        environment.whole(url("/empty/200"))

    assert len(list(descriptors.iterdir())) < before + 10


@EACH
@pytest.mark.parametrize("status", [413, 410, 400])
def test_a_refusal_in_the_middle_is_survived(environment: Environment, status: int) -> None:
    environment.api.hold("two")
    stream = environment.stream(url("/parts"))
    stream.wait_for_payload(3)
    stream.end_with(Answer(status))
    environment.api.release("two")

    environment.process.wait_for(f"ERROR.*/response to GET /parts with {status}")
    environment.works()


@EACH
@pytest.mark.parametrize("end", [Answer(413), RESET], ids=["refused", "reset"])
def test_an_app_goes_on_no_longer_than_somebody_takes_its_response(environment: Environment, end: Answer) -> None:
    environment.api.reading = Reading(limit=1 << 40, is_kept=False)
    stream = environment.stream(url("/without-end/200"), timeout=60)
    stream.wait_for_payload(4 * len(BLOCK))
    stream.end_with(end)

    environment.process.wait_for("ERROR.*GET /without-end")
    environment.api.reading = Reading()
    environment.works()
    assert "Exception in ASGI application" not in environment.process.text


@EACH
def test_a_runtime_api_that_breaks_its_connection_is_survived(environment: Environment) -> None:
    environment.api.hold("two")
    stream = environment.stream(url("/parts"))
    stream.wait_for_payload(3)
    stream.end_with(RESET)
    environment.api.release("two")

    environment.process.wait_for("ERROR.*GET /parts")
    environment.works()


# What is not streamed.


@EACH
def test_events_of_those_who_take_no_stream_are_answered_whole_with_one_warning(environment: Environment) -> None:
    for _ in range(3):
        outcome = environment.api.invoke(alb("/parts"))

        assert outcome.stream is None
        assert outcome.json["body"] == "onetwothree"
    environment.works()
    environment.process.wait_for("cannot be streamed")
    assert environment.process.text.count("WARNING") == environment.process.text.count("alb") == 1


@EACH
def test_an_event_that_is_no_request_gets_the_plain_body(environment: Environment) -> None:
    outcome = environment.api.invoke(QUEUE)

    assert outcome.stream is None
    assert outcome.json == "onetwothree"
    assert "WARNING" not in environment.process.text


def test_without_the_setting_nothing_is_streamed(request: pytest.FixtureRequest) -> None:
    with RuntimeApi() as api, bootstrap(api, *APPS["asgi"]):
        outcome = api.invoke(url("/parts"))

        assert outcome.stream is None
        assert outcome.json["body"] == "onetwothree"


# Large ones.


@EACH
def test_a_body_of_any_size_goes_through_in_little_memory(environment: Environment) -> None:
    environment.works()
    before = environment.memory("VmRSS")
    environment.api.reading = Reading(limit=1 << 40, is_kept=False)

    stream = environment.stream(url("/blocks/1024"), timeout=120).wait_for_end(60)

    assert stream.is_complete
    assert stream.payload_size == 1024 * len(BLOCK)
    assert environment.memory("VmHWM") - before < 8 * 1024
    environment.api.reading = Reading()
    environment.works()


@EACH
def test_a_reader_that_stands_still_has_the_app_stand_still(environment: Environment) -> None:
    api = environment.api
    api.reading = Reading(limit=1 << 40, is_kept=False, buffer=65536)
    api.hold("reading")

    stream = environment.stream(url("/blocks/1024"), timeout=60)

    megabytes = 0
    while api.has_call_within("test/block", megabytes + 1, 0.5):
        megabytes += 1
        assert megabytes < 48, "the app does not wait"
    api.release("reading")
    assert stream.wait_for_end(60).payload_size == 1024 * len(BLOCK)
    api.reading = Reading()
    environment.works()
