"""The Runtime API for anybody's tests. `adapter/test_contract.py` compares its answers with the emulator's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.processes import SECONDS
from support.uploading import PRELUDE, Upload

from lambda_web_adapter.testing import RuntimeApi, WaitFailed
from lambda_web_adapter.testing.runtime_api import CLOSED, RESET, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNTIME = """
import http.client, json, os, sys

connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

def call(method, path, body=None, headers={}):
    connection.request(method, "/2018-06-01/runtime/" + path, body, headers)
    response = connection.getresponse()
    return response.headers, response.read()

while True:
    headers, body = call("GET", "invocation/next")
    event = json.loads(body)
    if event == "exit":
        sys.exit(3)
    path = "invocation/" + headers["Lambda-Runtime-Aws-Request-Id"]
    if event == "fail":
        document = json.dumps({"errorType": "Failed", "errorMessage": "as it should"})
        call("POST", path + "/error", document, {"Lambda-Runtime-Function-Error-Type": "Own.Failed"})
    else:
        call("POST", path + "/response", json.dumps([event, dict(headers), dict(os.environ)]))
"""


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with RuntimeApi() as api:
        yield api


@pytest.fixture
def process(api: RuntimeApi) -> Iterator[subprocess.Popen[bytes]]:
    """A runtime that is a process."""
    environ = {"PATH": os.environ["PATH"], **api.environ(MY_OWN="yes", TZ=":Europe/Berlin")}
    with subprocess.Popen([sys.executable, "-S", "-c", RUNTIME], env=environ) as process:
        api.watch(process)
        yield process
        process.kill()


@pytest.fixture
def client(api: RuntimeApi) -> Iterator[httpx.Client]:
    """A runtime that is this test."""
    with httpx.Client(base_url=f"http://{api.address}/2018-06-01/runtime", trust_env=False, timeout=SECONDS) as client:
        yield client


@pytest.mark.usefixtures("process")
def test_a_runtime_gets_events_and_replies(api: RuntimeApi) -> None:
    before = time.time()
    reply = api.invoke(
        {"a": "ö"},
        request_id="one",
        timeout=7,
        trace_id="Root=1-2-3",
        client_context={"custom": {"a": "ö"}},
        cognito_identity={"cognitoIdentityId": "i"},
        tenant_id="blue",
        headers={"Lambda-Runtime-Invocation-Id": None, "X-Own": "yes"},
    )

    event, headers, environ = reply.json
    assert (reply.is_error, reply.error, reply.error_type, reply.status_code) == (False, None, None, None)
    assert (reply.name, reply.request_id, event) == ("response", "one", {"a": "ö"})
    assert before + 7 - 0.001 <= float(headers["Lambda-Runtime-Deadline-Ms"]) / 1000 <= time.time() + 7
    assert api.deadline_of("one") == pytest.approx(float(headers["Lambda-Runtime-Deadline-Ms"]) / 1000, abs=0.01)
    assert headers["Lambda-Runtime-Trace-Id"] == "Root=1-2-3"
    assert json.loads(headers["Lambda-Runtime-Client-Context"]) == {"custom": {"a": "ö"}}
    assert json.loads(headers["Lambda-Runtime-Cognito-Identity"]) == {"cognitoIdentityId": "i"}
    assert (headers["Lambda-Runtime-Aws-Tenant-Id"], headers["X-Own"]) == ("blue", "yes")
    assert (environ["AWS_LAMBDA_RUNTIME_API"], environ["AWS_LAMBDA_FUNCTION_NAME"]) == (api.address, "test")
    assert (environ["MY_OWN"], environ["TZ"]) == ("yes", ":Europe/Berlin")


def test_an_unknown_option_is_an_error_that_names_the_known_ones(api: RuntimeApi) -> None:
    options: dict[str, Any] = {"seconds": 3}

    with pytest.raises(TypeError, match=r"Expected the options request_id, timeout, .*, got seconds\."):
        api.queue_event({}, **options)


@pytest.mark.usefixtures("process")
def test_an_error_is_a_reply_as_well(api: RuntimeApi) -> None:
    reply = api.invoke("fail")

    assert (reply.is_error, reply.error_type, reply.status_code) == (True, "Own.Failed", None)
    assert reply.error == {"errorType": "Failed", "errorMessage": "as it should"}


@pytest.mark.usefixtures("process")
def test_a_wait_for_a_runtime_that_has_ended_fails_with_its_exit_code_and_its_calls(api: RuntimeApi) -> None:
    api.invoke(1)

    with pytest.raises(WaitFailed) as failure:
        api.invoke("exit", request_id="last")

    lines = str(failure.value).splitlines()
    assert lines[0] == "Expected a reply to last. The process ended with exit code 3."
    assert lines[1] == "Invocations without a reply: last. Events in the queue: 0. Calls that wait for one: 0."
    assert [line.split()[2:4] for line in lines[3:]] == [
        ["GET", "/2018-06-01/runtime/invocation/next"],
        ["POST", api.calls_of("response")[0].path],
        ["GET", "/2018-06-01/runtime/invocation/next"],
    ]


def test_a_wait_without_any_call_names_the_variable() -> None:
    with RuntimeApi(wait_timeout=0.01) as api, pytest.raises(WaitFailed) as failure:
        api.invoke({})

    assert str(failure.value).splitlines()[1:] == [
        "Invocations without a reply: none. Events in the queue: 1. Calls that wait for one: 0.",
        f"The runtime has made no call. Is AWS_LAMBDA_RUNTIME_API={api.address} in its environ?",
    ]


@pytest.mark.usefixtures("process")
def test_a_runtime_is_idle_when_it_waits_for_the_next_event(api: RuntimeApi) -> None:
    api.wait_until_idle()
    assert api.call_names == ["next"]

    api.wait_for_reply(api.queue_event(1))
    api.wait_until_idle()

    assert api.call_names == ["next", "response", "next"]


def test_a_runtime_with_an_open_invocation_is_not_idle(api: RuntimeApi, client: httpx.Client) -> None:
    request_id = api.queue_event({})
    client.get("invocation/next")
    api.wait_for_delivery(request_id)

    with pytest.raises(WaitFailed, match=f"Invocations without a reply: {request_id}"):
        api.wait_until_idle(timeout=0.01)


def test_a_failed_init_ends_the_wait_for_an_idle_runtime(api: RuntimeApi, client: httpx.Client) -> None:
    client.post("init/error", json={"errorType": "Runtime.ImportError", "errorMessage": "No module named 'app'"})

    assert api.wait_for_init_error().json["errorType"] == "Runtime.ImportError"
    with pytest.raises(WaitFailed, match="No module named 'app'"):
        api.wait_until_idle()


def test_a_streamed_reply_has_prelude_and_parts(api: RuntimeApi, client: httpx.Client) -> None:
    request_id = api.queue_event({})
    client.get("invocation/next")

    with Upload(api.address, request_id) as upload:
        upload.send(PRELUDE, b"one", b"two").end()

    reply = api.wait_for_reply(request_id)
    assert (reply.is_error, reply.status_code, reply.payload) == (False, 200, b"onetwo")
    assert reply.parts == [b"one", b"two"]
    assert reply.prelude == {"statusCode": 200, "headers": {"content-type": "text/plain"}, "cookies": []}


def test_a_streamed_reply_can_end_with_an_error(api: RuntimeApi, client: httpx.Client) -> None:
    request_id = api.queue_event({})
    client.get("invocation/next")

    with Upload(api.address, request_id) as upload:
        upload.send(PRELUDE, b"one").end(
            {
                "Lambda-Runtime-Function-Error-Type": "Own.Failed",
                "Lambda-Runtime-Function-Error-Body": "eyJlcnJvclR5cGUiOiAiRmFpbGVkIn0=",
            }
        )

    reply = api.wait_for_reply(request_id)
    assert (reply.is_error, reply.error_type, reply.error) == (True, "Own.Failed", {"errorType": "Failed"})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(RESET, httpx.ReadError, id="reset"),
        pytest.param(CLOSED, httpx.RemoteProtocolError, id="closed"),
        pytest.param(Answer(200, b"12345", cut_at=3), httpx.RemoteProtocolError, id="cut"),
        pytest.param(Answer(delay=3600), httpx.ReadTimeout, id="delay"),
    ],
)
def test_a_script_breaks_a_connection(
    answer: Answer, error: type[Exception], api: RuntimeApi, client: httpx.Client
) -> None:
    api.script("next", answer)
    api.queue_event({"a": 1})

    with pytest.raises(error):
        client.get("invocation/next", timeout=0.2 if answer.delay else SECONDS)
    assert client.get("invocation/next").json() == {"a": 1}


@pytest.mark.parametrize("status", [500, 410, 413])
def test_a_script_answers_with_a_status_once(status: int, api: RuntimeApi, client: httpx.Client) -> None:
    api.script("response", Answer(status))
    request_id = api.queue_event({})
    client.get("invocation/next")

    assert client.post(f"invocation/{request_id}/response").status_code == status
    assert api.wait_for_reply(request_id).body == b""


def test_calls_that_wait_can_be_answered(api: RuntimeApi, client: httpx.Client) -> None:
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(client.get, "invocation/next")
        api.wait_until_idle()

        api.answer_waiting(Answer(503))

    assert waiting.result().status_code == 503


def test_an_app_can_be_stopped_at_a_place_of_its_own(api: RuntimeApi) -> None:
    api.hold("here")
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(httpx.get, f"http://{api.address}/test/here", trust_env=False)
        api.wait_for_call("test/here")
        assert not waiting.done()

        api.release("here")

    assert waiting.result().status_code == 202


@pytest.mark.parametrize(
    ("options", "initialization_type"),
    [
        pytest.param({}, "on-demand", id="on demand"),
        pytest.param({"concurrent": True}, "lambda-managed-instances", id="managed instances"),
        pytest.param({"snap_start": True}, "snap-start", id="SnapStart"),
    ],
)
def test_the_environ_has_the_kind_of_the_environment(options: dict[str, Any], initialization_type: str) -> None:
    with RuntimeApi(**options) as api:
        assert api.environ()["AWS_LAMBDA_INITIALIZATION_TYPE"] == initialization_type


def test_it_needs_neither_pytest_nor_what_the_adapter_needs() -> None:
    program = "import sys; from lambda_web_adapter.testing import RuntimeApi; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert {"pytest", "httpx", "orjson", "lambda_web_adapter.adapter", "lambda_web_adapter.local"} & {*loaded} == set()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        pytest.param(lambda api: api.script("respond", Answer(500)), "Did you mean 'response'", id="script"),
        pytest.param(lambda api: api.wait_for_call("netx"), "Did you mean 'next'", id="call"),
        pytest.param(lambda api: api.wait_for_reply("nonsense"), "No event has the id 'nonsense'", id="reply"),
        pytest.param(lambda api: api.wait_for_stream("nonsense"), "No event has the id 'nonsense'", id="stream"),
        pytest.param(lambda api: api.wait_for_delivery("nonsense"), "No event has the id 'nonsense'", id="delivery"),
    ],
)
def test_what_cannot_come_is_refused_at_once(
    use: Callable[[RuntimeApi], object], message: str, api: RuntimeApi
) -> None:
    with pytest.raises(ValueError, match=message):
        use(api)


# What a runtime, or a test, breaks off.


def connect(api: RuntimeApi) -> socket.socket:
    host, _, port = api.address.partition(":")
    connection = socket.create_connection((host, int(port)))
    connection.settimeout(SECONDS)
    return connection


def test_a_reply_shorter_than_its_length_has_failed(api: RuntimeApi, client: httpx.Client) -> None:
    request_id = api.queue_event({})
    client.get("/invocation/next")
    head = f"POST /2018-06-01/runtime/invocation/{request_id}/response HTTP/1.1\r\nHost: api\r\n"
    with connect(api) as connection:
        connection.sendall(f'{head}Content-Length: 100\r\n\r\n{{"a": 1}}'.encode())
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)

    reply = api.wait_for_reply(request_id)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"TruncatedHTTPRequest" in answer
    assert (reply.is_truncated, reply.is_error) == (True, True)


@pytest.mark.parametrize("length", ["-1", "many"])
def test_a_length_that_is_none_is_a_bad_request(length: str, api: RuntimeApi) -> None:
    with connect(api) as connection:
        head = "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: api\r\n"
        connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert api.calls == []


def test_one_that_is_not_closed_does_not_keep_the_interpreter_from_ending() -> None:
    program = """
import http.client, threading
from lambda_web_adapter.testing import RuntimeApi

api = RuntimeApi()
connection = http.client.HTTPConnection(api.address)
connection.request("GET", "/2018-06-01/runtime/invocation/next")
api.wait_until_idle()
raise SystemExit("the end of the test")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert ended.stderr.strip() == "the end of the test"
