"""The fake Runtime API answers as the Runtime Interface Emulator does: the same cases against both."""

from __future__ import annotations

import json
import sys
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fake_runtime_api import FakeRuntimeApi
from processes import SECONDS
from rie import Emulator, ManagedEmulator, program_for_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT = 6 * 1024 * 1024 + 100
# The emulator starts this as its bootstrap; the tests themselves call the Runtime API in its place, from then on.
IDLE = "import signal; print('idle', flush=True); signal.pause()"


class Platform:
    """A Runtime API and a caller of the function."""

    def __init__(
        self, address: str, invoke: Callable[[object], bytes], until_started: Callable[[], object] = bool
    ) -> None:
        self._client = httpx.Client(base_url=f"http://{address}/2018-06-01/runtime/", trust_env=False, timeout=SECONDS)
        self._invoke = invoke
        self._until_started = until_started
        self._threads = ThreadPoolExecutor()

    def invoke(self, event: object) -> Future[bytes]:
        """Has somebody call the function; what they get comes after the runtime has asked for the next event."""
        caller = self._threads.submit(self._invoke, event)
        self._until_started()
        return caller

    def next(self) -> httpx.Response:
        return self._client.get("invocation/next")

    def ask_for_next(self) -> Future[httpx.Response]:
        """Asks, as a runtime does that is done."""
        return self._threads.submit(self.next)

    def post(self, path: str, content: bytes = b"{}", **headers: str) -> httpx.Response:
        return self._client.post(path, content=content, headers=headers)

    def event(self, event: object = None) -> tuple[str, Future[bytes]]:
        """Has an event sent and takes it; returns its id, and what the caller will get."""
        caller = self.invoke(event)
        return self.next().headers["lambda-runtime-aws-request-id"], caller

    def close(self) -> None:
        self._threads.shutdown()
        self._client.close()


@pytest.fixture(params=["fake", pytest.param("emulator", marks=pytest.mark.e2e)])
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    with ExitStack() as stack:
        if request.param == "fake":
            fake = FakeRuntimeApi()
            found = Platform(fake.address, lambda event: fake.invoke(event).body)
            stack.callback(found.close)
            stack.enter_context(fake)
        else:
            program = program_for_tests(request.config)
            emulator = Emulator(program, [sys.executable, "-S", "-c", IDLE])
            found = Platform(
                emulator.runtime_api,
                lambda event: emulator.invoke(event).content,
                lambda: emulator.process.wait_for("(?m)^idle$"),
            )
            stack.callback(found.close)
            stack.enter_context(emulator)
        yield found


@pytest.fixture(params=["fake", pytest.param("emulator", marks=pytest.mark.e2e)])
def managed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    """A platform with many invocations at once, as Lambda Managed Instances have them."""
    with ExitStack() as stack:
        if request.param == "fake":
            fake = FakeRuntimeApi(many=True)
            found = Platform(fake.address, lambda event: fake.invoke(event).body)
            stack.callback(found.close)
            stack.enter_context(fake)
        else:
            (tmp_path / "bootstrap").write_text(f"#!/usr/bin/env python3\n{IDLE}\n")
            for path in (tmp_path, tmp_path / "bootstrap"):
                path.chmod(0o755)
            emulator = ManagedEmulator(program_for_tests(request.config), tmp_path, slots=2)
            found = Platform(
                emulator.runtime_api,
                lambda event: emulator.invoke_when_asked(event).content,
                lambda: emulator.process.wait_for("(?m)^idle$"),
            )
            stack.callback(found.close)
            stack.enter_context(emulator)
        yield found


def error_type(response: httpx.Response) -> Any:
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert sorted(document) == ["errorMessage", "errorType"]
    return document["errorType"]


def test_next_gives_the_event_with_its_id_deadline_and_function(platform: Platform) -> None:
    platform.invoke({"a": "ö"})

    response = platform.next()

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"a": "ö"}
    assert str(uuid.UUID(response.headers["lambda-runtime-aws-request-id"]))
    assert len(response.headers["lambda-runtime-deadline-ms"]) == 13
    assert response.headers["lambda-runtime-invoked-function-arn"].startswith("arn:aws:lambda:us-east-1:")
    assert "lambda-runtime-trace-id" not in response.headers
    assert "lambda-runtime-invocation-id" not in response.headers


def test_a_response_is_accepted_and_reaches_the_caller_byte_for_byte(platform: Platform) -> None:
    request_id, caller = platform.event()

    response = platform.post(f"invocation/{request_id}/response", b"\xff\x00 no JSON")
    platform.ask_for_next()

    assert (response.status_code, response.json()) == (202, {"status": "OK"})
    assert caller.result(SECONDS) == b"\xff\x00 no JSON"


def test_an_error_is_accepted_and_reaches_the_caller(platform: Platform) -> None:
    request_id, caller = platform.event()
    document = json.dumps({"errorMessage": "m", "errorType": "Runtime.E", "stackTrace": []}).encode()

    response = platform.post(
        f"invocation/{request_id}/error", document, **{"lambda-runtime-function-error-type": "Runtime.E"}
    )
    platform.ask_for_next()

    assert (response.status_code, response.json()) == (202, {"status": "OK"})
    assert caller.result(SECONDS) == document


def test_two_events_come_one_after_the_other(platform: Platform) -> None:
    first, first_caller = platform.event(1)
    platform.post(f"invocation/{first}/response", b"one")
    second_event = platform.ask_for_next()
    assert first_caller.result(SECONDS) == b"one"

    second_caller = platform.invoke(2)
    second = second_event.result(SECONDS)
    platform.post(f"invocation/{second.headers['lambda-runtime-aws-request-id']}/response", b"two")
    platform.ask_for_next()

    assert second.json() == 2
    assert second.headers["lambda-runtime-aws-request-id"] != first
    assert second_caller.result(SECONDS) == b"two"


def test_asking_again_for_an_open_event_gives_the_same_one(platform: Platform) -> None:
    request_id, _ = platform.event({"a": 1})

    again = platform.next()

    assert again.headers["lambda-runtime-aws-request-id"] == request_id
    assert again.json() == {"a": 1}


@pytest.mark.parametrize("call", ["response", "error"])
def test_an_unknown_id_is_refused(platform: Platform, call: str) -> None:
    platform.event()

    response = platform.post(f"invocation/{uuid.uuid4()}/{call}")

    assert (response.status_code, error_type(response)) == (400, "InvalidRequestID")


@pytest.mark.parametrize("call", ["response", "error"])
def test_an_answer_before_the_first_event_is_refused(platform: Platform, call: str) -> None:
    platform.invoke(None)

    response = platform.post(f"invocation/{uuid.uuid4()}/{call}")

    assert (response.status_code, error_type(response)) == (400, "InvalidRequestID")


@pytest.mark.parametrize("second", ["response", "error"])
@pytest.mark.parametrize("first", ["response", "error"])
def test_a_second_answer_is_refused(platform: Platform, first: str, second: str) -> None:
    request_id, _ = platform.event()
    platform.post(f"invocation/{request_id}/{first}")

    response = platform.post(f"invocation/{request_id}/{second}")

    assert (response.status_code, error_type(response)) == (403, "InvalidStateTransition")


@pytest.mark.parametrize(
    ("size", "status"), [pytest.param(LIMIT, 202, id="at the limit"), pytest.param(LIMIT + 1, 413, id="over it")]
)
def test_a_response_has_a_limit(platform: Platform, size: int, status: int) -> None:
    request_id, _ = platform.event()

    response = platform.post(f"invocation/{request_id}/response", b"x" * size)

    assert response.status_code == status


def test_after_a_response_that_is_too_large_the_invocation_is_over(platform: Platform) -> None:
    request_id, _ = platform.event()

    too_large = platform.post(f"invocation/{request_id}/response", b"x" * (LIMIT + 1))
    error = platform.post(f"invocation/{request_id}/error")

    assert error_type(too_large) == "RequestEntityTooLarge"
    assert error.status_code == 403


def test_init_error_is_accepted_once_and_ends_everything(platform: Platform) -> None:
    platform.invoke(None)

    first, second, third = platform.post("init/error"), platform.post("init/error"), platform.next()

    assert (first.status_code, first.json()) == (202, {"status": "OK"})
    assert (second.status_code, error_type(second)) == (403, "InvalidStateTransition")
    assert (third.status_code, error_type(third)) == (403, "InvalidStateTransition")


def test_init_error_after_the_start_is_refused(platform: Platform) -> None:
    platform.event()

    response = platform.post("init/error")

    assert (response.status_code, error_type(response)) == (403, "InvalidStateTransition")


def test_other_paths_are_not_there(platform: Platform) -> None:
    platform.invoke(None)

    assert platform.post("nonsense").status_code == 404


# Many invocations at once.


def open_events(managed: Platform, *events: object) -> dict[object, tuple[str, Future[bytes]]]:
    """Has events sent and takes them all; returns each one's id, and what its caller will get."""
    asked = [managed.ask_for_next() for _ in events]
    callers = {event: managed.invoke(event) for event in events}
    answers = [each.result(SECONDS) for each in asked]
    ids = {answer.json(): answer.headers["lambda-runtime-aws-request-id"] for answer in answers}
    return {event: (ids[event], callers[event]) for event in events}


def test_as_many_events_are_open_as_are_asked_for(managed: Platform) -> None:
    found = open_events(managed, 1, 2, 3)

    for event, (request_id, _) in reversed(found.items()):
        answer = managed.post(f"invocation/{request_id}/response", f"to {event}".encode())
        assert (answer.status_code, answer.json()) == (202, {"status": "OK"})

    assert {event: caller.result(SECONDS) for event, (_, caller) in found.items()} == {
        event: f"to {event}".encode() for event in (1, 2, 3)
    }


def test_an_unknown_id_is_refused_among_many(managed: Platform) -> None:
    found = open_events(managed, 1, 2)

    answer = managed.post(f"invocation/{uuid.uuid4()}/response")

    assert (answer.status_code, error_type(answer)) == (400, "InvalidRequestID")
    for request_id, _ in found.values():
        assert managed.post(f"invocation/{request_id}/response").status_code == 202


def test_a_second_answer_is_refused_among_many(managed: Platform) -> None:
    (request_id, _), (other, _) = open_events(managed, 1, 2).values()
    managed.post(f"invocation/{request_id}/response")

    answer = managed.post(f"invocation/{request_id}/response")

    assert (answer.status_code, error_type(answer)) == (400, "InvalidRequestID")
    assert managed.post(f"invocation/{other}/response").status_code == 202
