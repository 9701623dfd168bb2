"""The fake Runtime API answers as the Runtime Interface Emulator does: the same cases against both."""

from __future__ import annotations

import json
import sys
import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
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
        self._extensions = f"http://{address}/2020-01-01/extension/"
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

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def ask(self, path: str) -> Future[httpx.Response]:
        """Asks for what may take its time."""
        return self._threads.submit(self.get, path)

    def register(
        self, events: object = (), *, name: str | None = "extension", content: bytes | None = None
    ) -> httpx.Response:
        """Registers an extension inside the runtime."""
        return self._client.post(
            f"{self._extensions}register",
            content=json.dumps({"events": events}) if content is None else content,
            headers={} if name is None else {"Lambda-Extension-Name": name},
        )

    def extension_next(self, identifier: str | None) -> httpx.Response:
        headers = {} if identifier is None else {"Lambda-Extension-Identifier": identifier}
        return self._client.get(f"{self._extensions}event/next", headers=headers)

    def ask_for_extension_next(self, identifier: str) -> Future[httpx.Response]:
        return self._threads.submit(self.extension_next, identifier)

    def event(self, event: object = None) -> tuple[str, Future[bytes]]:
        """Has an event sent and takes it; returns its id, and what the caller will get."""
        caller = self.invoke(event)
        return self.next().headers["lambda-runtime-aws-request-id"], caller

    def close(self) -> None:
        self._threads.shutdown()
        self._client.close()


EACH = pytest.fixture(params=["fake", pytest.param("emulator", marks=pytest.mark.e2e)])


@EACH
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    with _platform(request, snap_start=False) as found:
        yield found


@EACH
def with_restore(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """One that offers a restore, as the emulator does when it is told to cache inits."""
    with _platform(request, snap_start=True) as found:
        yield found


@contextmanager
def _platform(request: pytest.FixtureRequest, *, snap_start: bool) -> Iterator[Platform]:
    with ExitStack() as stack:
        if request.param == "fake":
            fake = FakeRuntimeApi(snap_start=snap_start)
            found = Platform(fake.address, lambda event: fake.invoke(event).body)
            stack.callback(found.close)
            stack.enter_context(fake)
        else:
            program = program_for_tests(request.config)
            flags = ["--enable-init-caching"] if snap_start else []
            emulator = Emulator(program, [*flags, sys.executable, "-S", "-c", IDLE])
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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "invocation/next", id="next"),
        pytest.param("GET", "init/error", id="init error"),
        pytest.param("GET", f"invocation/{uuid.UUID(int=1)}/response", id="response"),
        pytest.param("GET", f"invocation/{uuid.UUID(int=1)}/error", id="error"),
    ],
)
def test_another_method_is_not_allowed(method: str, path: str, platform: Platform) -> None:
    platform.invoke(None)

    response = platform.post(path) if method == "POST" else platform.get(path)

    assert (response.status_code, response.content) == (405, b"")
    assert response.headers["allow"] == ("GET" if method == "POST" else "POST")


# Extensions inside the runtime.


def refusal(response: httpx.Response) -> Any:
    assert response.status_code == 403
    return error_type(response)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"events":[]}', id="no events"),
        pytest.param(b'{"events":["INVOKE"]}', id="invocations"),
        pytest.param(b"{}", id="nothing said"),
    ],
)
def test_an_extension_gets_an_identifier(content: bytes, platform: Platform) -> None:
    platform.invoke(None)

    response = platform.register(content=content)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert str(uuid.UUID(response.headers["lambda-extension-identifier"]))
    assert sorted(response.json()) == ["functionName", "functionVersion", "handler"]


@pytest.mark.parametrize("events", [["SHUTDOWN"], ["INVOKE", "SHUTDOWN"], ["NONSENSE"]])
def test_an_extension_inside_the_runtime_is_told_of_invocations_only(events: list[str], platform: Platform) -> None:
    platform.invoke(None)

    assert refusal(platform.register(events)) == "Extension.InvalidEventType"


@pytest.mark.parametrize("name", [None, ""], ids=["no name", "empty name"])
def test_an_extension_needs_a_name(name: str | None, platform: Platform) -> None:
    platform.invoke(None)

    assert refusal(platform.register(name=name)) == "Extension.InvalidExtensionName"


def test_a_registration_that_is_not_json_is_refused(platform: Platform) -> None:
    platform.invoke(None)

    assert refusal(platform.register(content=b"events")) == "InvalidRequestFormat"


def test_two_extensions_need_two_names(platform: Platform) -> None:
    platform.invoke(None)
    first = platform.register(name="one")

    assert refusal(platform.register(name="one")) == "Extension.InvalidExtensionState"
    second = platform.register(name="another")
    identifiers = [response.headers["lambda-extension-identifier"] for response in (first, second)]
    assert len(set(identifiers)) == 2


def test_after_the_first_event_was_asked_for_no_extension_can_register(platform: Platform) -> None:
    platform.event()

    assert refusal(platform.register()) == "Extension.RegistrationClosed"


@pytest.mark.parametrize(
    ("identifier", "kind"),
    [
        pytest.param(None, "Extension.MissingExtensionIdentifier", id="missing"),
        pytest.param("nonsense", "Extension.InvalidExtensionIdentifier", id="nonsense"),
        pytest.param(str(uuid.UUID(int=1)), "Extension.UnknownExtensionIdentifier", id="unknown"),
    ],
)
def test_only_an_extension_that_is_registered_can_ask_for_events(
    identifier: str | None, kind: str, platform: Platform
) -> None:
    platform.invoke(None)

    assert refusal(platform.extension_next(identifier)) == kind


def test_the_runtime_gets_no_event_before_each_extension_has_asked_for_its_own(platform: Platform) -> None:
    platform.invoke("the event")
    identifier = platform.register().headers["lambda-extension-identifier"]

    asked = platform.ask_for_next()
    early = wait([asked], timeout=0.2).done
    platform.ask_for_extension_next(identifier)

    assert not early
    assert asked.result(SECONDS).json() == "the event"


def test_an_extension_without_events_waits_for_ever(platform: Platform) -> None:
    caller = platform.invoke(None)
    waiting = platform.ask_for_extension_next(platform.register().headers["lambda-extension-identifier"])
    request_id = platform.next().headers["lambda-runtime-aws-request-id"]
    platform.post(f"invocation/{request_id}/response", b"reply")
    platform.ask_for_next()

    assert caller.result(SECONDS) == b"reply"
    assert not waiting.done()


def test_an_extension_for_invocations_is_told_of_one(platform: Platform) -> None:
    platform.invoke(None)
    waiting = platform.ask_for_extension_next(platform.register(["INVOKE"]).headers["lambda-extension-identifier"])
    event = platform.next()

    told = waiting.result(SECONDS)
    assert told.status_code == 200
    assert str(uuid.UUID(told.headers["lambda-extension-event-identifier"]))
    assert told.json() == {
        "eventType": "INVOKE",
        "deadlineMs": int(event.headers["lambda-runtime-deadline-ms"]),
        "requestId": event.headers["lambda-runtime-aws-request-id"],
        "invokedFunctionArn": event.headers["lambda-runtime-invoked-function-arn"],
    }


# SnapStart. The emulator has nothing to restore: it answers /restore/next with the next event, where Lambda's answer is
# empty; so that what comes after a restore cannot be compared.


def test_without_snapstart_there_is_no_restore(platform: Platform) -> None:
    platform.invoke(None)

    for response in (platform.get("restore/next"), platform.post("restore/error")):
        assert (response.status_code, response.text) == (404, "404 page not found\n")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_restore_is_answered(with_restore: Platform) -> None:
    with_restore.invoke(None)

    assert with_restore.get("restore/next").status_code == 200


def test_a_restore_is_not_answered_before_each_extension_has_asked_for_its_event(with_restore: Platform) -> None:
    with_restore.invoke(None)
    identifier = with_restore.register().headers["lambda-extension-identifier"]

    asked = with_restore.ask("restore/next")
    early = wait([asked], timeout=0.2).done
    with_restore.ask_for_extension_next(identifier)

    assert not early
    assert asked.result(SECONDS).status_code == 200


def test_a_failed_restore_is_refused_before_there_was_one(with_restore: Platform) -> None:
    with_restore.invoke(None)

    assert refusal(with_restore.post("restore/error")) == "InvalidStateTransition"


def test_after_the_first_event_there_is_no_restore_any_more(with_restore: Platform) -> None:
    with_restore.event()

    assert refusal(with_restore.get("restore/next")) == "InvalidStateTransition"
    assert refusal(with_restore.post("restore/error")) == "InvalidStateTransition"


@pytest.mark.parametrize(("path", "method"), [("restore/next", "POST"), ("restore/error", "GET")])
def test_another_method_is_not_allowed_for_a_restore(path: str, method: str, with_restore: Platform) -> None:
    with_restore.invoke(None)

    response = with_restore.post(path) if method == "POST" else with_restore.get(path)

    assert (response.status_code, response.content) == (405, b"")


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
