"""The Runtime API for tests answers as the Runtime Interface Emulator does: the same cases against both.

Neither shapes a streamed response, where Lambda slows down after 6 MiB, and both take no more than 6 MiB of one, where
Lambda takes 200 MB. The emulator gives the caller all of it at its end. With one invocation at a time it drops the
trailers; and a response that is cut short has it close the connection without a word and refuse all else until the
function's time is up, where the one for tests answers as the emulator does with many.
"""

from __future__ import annotations

import base64
import json
import sys
import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.processes import SECONDS, wait_until
from support.rie import Emulator, ManagedEmulator, program_for_tests
from support.uploading import ERROR_BODY, ERROR_TYPE, PRELUDE, Upload

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lambda_web_adapter.testing.runtime_api import Call

LIMIT = 6 * 1024 * 1024 + 100
# The emulator starts this as its bootstrap; the tests themselves call the Runtime API in its place, from then on.
IDLE = "import signal; print('idle', flush=True); signal.pause()"


class Platform:
    """A Runtime API and a caller of the function."""

    def __init__(
        self,
        address: str,
        invoke: Callable[..., bytes],
        until_started: Callable[[], object] = bool,
        until_streamed: Callable[[str], object] = bool,
    ) -> None:
        self._address = address
        self._client = httpx.Client(base_url=f"http://{address}/2018-06-01/runtime/", trust_env=False, timeout=SECONDS)
        self._extensions = f"http://{address}/2020-01-01/extension/"
        self._invoke = invoke
        self._until_started = until_started
        self._until_streamed = until_streamed
        self._threads = ThreadPoolExecutor()

    def invoke(self, event: object, **options: Any) -> Future[bytes]:
        """Has somebody call the function; what they get comes after the runtime has asked for the next event."""
        caller = self._threads.submit(self._invoke, event, **options)
        self._until_started()
        return caller

    def next(self) -> httpx.Response:
        return self._client.get("invocation/next")

    def until_next_is_refused(self) -> httpx.Response:
        """Asks until that is refused, as it is from the moment on at which a streamed response has begun."""
        answers: list[httpx.Response] = []

        def refused() -> bool:
            answers.append(self.next())
            return answers[-1].status_code != 200

        wait_until(refused, "the next event is refused")
        return answers[-1]

    def ask_for_next(self) -> Future[httpx.Response]:
        """Asks, as a runtime does that is done."""
        return self._threads.submit(self.next)

    def post(self, path: str, content: bytes = b"{}", **headers: str) -> httpx.Response:
        return self._client.post(path, content=content, headers=headers)

    def upload(self, request_id: str, **more: Any) -> Upload:
        """Begins a streamed response."""
        return Upload(self._address, request_id, **more)

    def until_streamed(self, request_id: str) -> None:
        """Waits until a streamed response to an event has begun, where that can be seen: in `RuntimeApi`."""
        self._until_streamed(request_id)

    def upload_whole(
        self, request_id: str, *chunks: bytes, trailers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, Any]:
        """Streams a response from its beginning to its end; returns the status and the document of the answer."""
        with self.upload(request_id, **more) as upload:
            return upload.send(*chunks).end(trailers)

    def post_meanwhile(self, path: str, content: bytes = b"{}") -> Future[httpx.Response]:
        """Posts what may have to wait."""
        return self._threads.submit(self.post, path, content)

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


EACH = pytest.fixture(params=["RuntimeApi", pytest.param("emulator", marks=pytest.mark.e2e)])


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
        if request.param == "RuntimeApi":
            api = RuntimeApi(snap_start=snap_start)
            found = Platform(api.address, lambda event, **options: api.invoke(event, **options).body)
            stack.callback(found.close)
            stack.enter_context(api)
        else:
            program = program_for_tests(request.config)
            flags = ["--enable-init-caching"] if snap_start else []
            emulator = Emulator(program, [*flags, sys.executable, "-S", "-c", IDLE])
            found = Platform(
                emulator.runtime_api,
                lambda event, **options: invoke_emulator(emulator, event, **options),
                lambda: emulator.process.wait_for("(?m)^idle$"),
            )
            stack.callback(found.close)
            stack.enter_context(emulator)
        yield found


@pytest.fixture(params=["RuntimeApi", pytest.param("emulator", marks=pytest.mark.e2e)])
def managed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    """A platform with many invocations at once, as Lambda Managed Instances have them."""
    with ExitStack() as stack:
        if request.param == "RuntimeApi":
            api = RuntimeApi(concurrent=True)
            found = Platform(
                api.address,
                lambda event, **options: seen_by_caller(api.invoke(event, **options)),
                until_streamed=api.wait_for_stream,
            )
            stack.callback(found.close)
            stack.enter_context(api)
        else:
            (tmp_path / "bootstrap").write_text(f"#!/usr/bin/env python3\n{IDLE}\n")
            for path in (tmp_path, tmp_path / "bootstrap"):
                path.chmod(0o755)
            emulator = ManagedEmulator(program_for_tests(request.config), tmp_path, workers=2)
            found = Platform(
                emulator.runtime_api,
                lambda event, **options: invoke_emulator(emulator, event, **options),
                lambda: emulator.process.wait_for("(?m)^idle$"),
            )
            stack.callback(found.close)
            stack.enter_context(emulator)
        yield found


def invoke_emulator(emulator: Emulator, event: object, client_context: object = None) -> bytes:
    """What the emulator's caller gets, who sends the client context as the Invoke API has it."""
    encoded = base64.b64encode(json.dumps(client_context).encode()).decode()
    headers = {} if client_context is None else {"X-Amz-Client-Context": encoded}
    return emulator.invoke(event, **headers).content


def seen_by_caller(call: Call) -> bytes:
    """What a gateway that reads trailers makes of a call."""
    error = call.trailers.get(ERROR_BODY.lower())
    return call.body if error is None else base64.b64decode(error)


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


def test_next_gives_the_client_context(platform: Platform) -> None:
    """The emulator gives no trace id to the runtime, and knows no tenants."""
    platform.invoke({}, client_context={"custom": {"a": "b"}})

    assert platform.next().headers["lambda-runtime-client-context"] == '{"custom": {"a": "b"}}'


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


# Streamed responses.

ACCEPTED = (202, {"status": "OK"})
STREAM_ERROR = {"errorMessage": "m", "errorType": "Runtime.StreamError"}
TRAILERS = {
    ERROR_TYPE: "Runtime.StreamError",
    ERROR_BODY: base64.b64encode(json.dumps(STREAM_ERROR).encode()).decode(),
}


def refused(answer: tuple[int, Any]) -> tuple[int, str]:
    """The status of a refusal, and its type."""
    status, document = answer
    assert sorted(document) == ["errorMessage", "errorType"]
    return status, document["errorType"]


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([PRELUDE, b"one", b"two"], id="prelude and chunks"),
        pytest.param([PRELUDE], id="prelude alone"),
        pytest.param([b"no ", b"prelude"], id="no prelude"),
        pytest.param([], id="nothing"),
    ],
)
def test_a_streamed_response_reaches_the_caller_byte_for_byte(chunks: list[bytes], platform: Platform) -> None:
    request_id, caller = platform.event()

    answer = platform.upload_whole(request_id, *chunks)
    platform.ask_for_next()

    assert answer == ACCEPTED
    assert caller.result(SECONDS) == b"".join(chunks)


@pytest.mark.parametrize("mode", [None, ""], ids=["no mode", "empty mode"])
def test_a_response_can_come_in_chunks_without_being_streamed(mode: str | None, platform: Platform) -> None:
    request_id, caller = platform.event()

    answer = platform.upload_whole(request_id, b"in ", b"parts", mode=mode, trailer=None)
    platform.ask_for_next()

    assert answer == ACCEPTED
    assert caller.result(SECONDS) == b"in parts"


def test_a_streamed_response_can_end_with_an_error(platform: Platform) -> None:
    request_id, caller = platform.event()

    answer = platform.upload_whole(request_id, PRELUDE, b"one", trailers=TRAILERS)
    platform.ask_for_next()

    assert answer == ACCEPTED
    assert caller.result(SECONDS) == PRELUDE + b"one"


@pytest.mark.parametrize("mode", ["buffered", "Streaming"])
def test_another_response_mode_is_refused_and_so_is_all_that_comes_after_it(mode: str, platform: Platform) -> None:
    request_id, _ = platform.event()

    answer = platform.upload_whole(request_id, PRELUDE, mode=mode)
    response = platform.post(f"invocation/{request_id}/response")
    error = platform.post(f"invocation/{request_id}/error")
    following = platform.next()

    assert refused(answer) == (400, "InvalidFunctionResponseMode")
    for each in (response, error, following):
        assert (each.status_code, error_type(each)) == (403, "InvalidStateTransition")


def test_the_response_mode_is_looked_at_without_chunks_too(platform: Platform) -> None:
    request_id, _ = platform.event()

    headers = {"lambda-runtime-function-response-mode": "buffered"}
    answer = platform.post(f"invocation/{request_id}/response", b"{}", **headers)

    assert (answer.status_code, error_type(answer)) == (400, "InvalidFunctionResponseMode")
    assert platform.next().status_code == 403


@pytest.mark.parametrize("call", ["response", "error"])
def test_after_a_streamed_response_a_second_answer_is_refused(call: str, platform: Platform) -> None:
    request_id, _ = platform.event()
    platform.upload_whole(request_id, PRELUDE)

    streamed = platform.upload_whole(request_id, PRELUDE)
    response = platform.post(f"invocation/{request_id}/{call}")

    assert refused(streamed) == (403, "InvalidStateTransition")
    assert (response.status_code, error_type(response)) == (403, "InvalidStateTransition")


def test_a_streamed_response_to_an_unknown_id_is_refused(platform: Platform) -> None:
    platform.event()

    assert refused(platform.upload_whole(str(uuid.uuid4()), PRELUDE)) == (400, "InvalidRequestID")


@pytest.mark.parametrize("call", ["response", "error"])
def test_while_a_response_is_streamed_another_answer_waits_and_is_refused(call: str, platform: Platform) -> None:
    request_id, caller = platform.event()

    with platform.upload(request_id) as upload:
        upload.send(PRELUDE, b"one")
        platform.until_next_is_refused()
        other = platform.post_meanwhile(f"invocation/{request_id}/{call}")
        early = wait([other], timeout=0.2).done
        answer = upload.send(b"two").end()
    platform.ask_for_next()

    assert not early
    assert answer == ACCEPTED
    assert (other.result(SECONDS).status_code, error_type(other.result())) == (403, "InvalidStateTransition")
    assert caller.result(SECONDS) == PRELUDE + b"onetwo"


def test_while_a_response_is_streamed_the_next_event_is_refused(platform: Platform) -> None:
    request_id, _ = platform.event()

    with platform.upload(request_id) as upload:
        upload.send(PRELUDE)
        refusal = platform.until_next_is_refused()
        answer = upload.end()

    assert (refusal.status_code, error_type(refusal)) == (403, "InvalidStateTransition")
    assert answer == ACCEPTED
    assert not wait([platform.ask_for_next()], timeout=0.2).done


@pytest.mark.parametrize(
    ("size", "status"), [pytest.param(LIMIT, 202, id="at the limit"), pytest.param(LIMIT + 1, 413, id="over it")]
)
def test_a_streamed_response_has_a_limit(platform: Platform, size: int, status: int) -> None:
    request_id, _ = platform.event()

    answer, _ = platform.upload_whole(request_id, b"x" * (LIMIT - 1), b"x" * (size - LIMIT + 1))

    assert answer == status


def test_after_a_streamed_response_that_is_too_large_the_invocation_is_over(platform: Platform) -> None:
    request_id, _ = platform.event()

    too_large = platform.upload_whole(request_id, PRELUDE, b"x" * LIMIT)
    error = platform.post(f"invocation/{request_id}/error")

    assert refused(too_large) == (413, "RequestEntityTooLarge")
    assert error.status_code == 403
    assert not wait([platform.ask_for_next()], timeout=0.2).done


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


def test_responses_are_streamed_side_by_side(managed: Platform) -> None:
    found = open_events(managed, 1, 2)

    with ExitStack() as stack:
        uploads = {event: stack.enter_context(managed.upload(request_id)) for event, (request_id, _) in found.items()}
        for upload in uploads.values():
            upload.send(PRELUDE)
        for event, upload in reversed(uploads.items()):
            assert upload.send(f"to {event}".encode()).end() == ACCEPTED

    assert {event: caller.result(SECONDS) for event, (_, caller) in found.items()} == {
        event: PRELUDE + f"to {event}".encode() for event in (1, 2)
    }


def test_the_trailers_of_a_streamed_response_are_what_the_caller_gets(managed: Platform) -> None:
    ((request_id, caller),) = open_events(managed, 1).values()

    answer = managed.upload_whole(request_id, PRELUDE, b"one", trailers=TRAILERS)

    assert answer == ACCEPTED
    assert json.loads(caller.result(SECONDS)) == STREAM_ERROR


def test_trailers_that_were_not_announced_are_none(managed: Platform) -> None:
    ((request_id, caller),) = open_events(managed, 1).values()

    answer = managed.upload_whole(request_id, PRELUDE, b"one", trailers=TRAILERS, trailer=None)

    assert answer == ACCEPTED
    assert caller.result(SECONDS) == PRELUDE + b"one"


def test_a_streamed_response_without_its_end_is_refused(managed: Platform) -> None:
    ((cut_short, _), (other, caller)) = open_events(managed, 1, 2).values()

    with managed.upload(cut_short) as upload:
        upload.send(PRELUDE, b"one").break_off()
        answer = upload.answer()

    assert refused(answer) == (400, "TruncatedHTTPRequest")
    assert managed.post(f"invocation/{cut_short}/error").status_code == 400
    assert managed.upload_whole(other, PRELUDE) == ACCEPTED
    assert caller.result(SECONDS) == PRELUDE


def test_another_response_mode_is_refused_among_many(managed: Platform) -> None:
    ((wrong, _), (other, _)) = open_events(managed, 1, 2).values()

    answer = managed.upload_whole(wrong, PRELUDE, mode="buffered")

    assert refused(answer) == (400, "InvalidFunctionResponseMode")
    assert managed.post(f"invocation/{wrong}/error").status_code == 400
    assert managed.upload_whole(other, PRELUDE) == ACCEPTED


def test_a_second_answer_to_a_streamed_response_is_refused_among_many(managed: Platform) -> None:
    ((request_id, _), (other, _)) = open_events(managed, 1, 2).values()

    with managed.upload(request_id) as upload:
        upload.send(PRELUDE)
        managed.until_streamed(request_id)
        assert managed.upload_whole(other, PRELUDE) == ACCEPTED
        meanwhile = managed.upload_whole(request_id, PRELUDE)
        answer = upload.end()

    assert refused(meanwhile) == (400, "InvalidRequestID")
    assert answer == ACCEPTED
    assert refused(managed.upload_whole(request_id, PRELUDE)) == (400, "InvalidRequestID")


def test_a_streamed_response_has_a_limit_among_many(managed: Platform) -> None:
    ((too_large, _), (other, _)) = open_events(managed, 1, 2).values()

    answer = managed.upload_whole(too_large, PRELUDE, b"x" * LIMIT)

    assert refused(answer) == (413, "RequestEntityTooLarge")
    assert managed.post(f"invocation/{too_large}/error").status_code == 400
    assert managed.upload_whole(other, PRELUDE) == ACCEPTED
