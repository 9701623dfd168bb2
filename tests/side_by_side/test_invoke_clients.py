"""boto3 and the AWS CLI call a local run as they call Lambda: with its URL, and with made-up credentials."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from support.processes import SECONDS, Running, plain_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each event says what is to happen.
APP = """
import json
import os
import time

from lambda_web_adapter import current_context


def parts():
    yield b"one "
    yield b"two "
    raise RuntimeError("in the middle")


def app(environ, start_response):
    if environ["PATH_INFO"] == "/parts":
        start_response("200 OK", [("content-type", "text/plain")])
        return (part for part in (b"one ", b"two ", b"three"))
    if environ["PATH_INFO"] == "/broken":
        start_response("200 OK", [("content-type", "text/plain")])
        return parts()
    if environ["PATH_INFO"] != "/events":
        start_response("200 OK", [("content-type", "text/plain")])
        return [b"a page"]
    event = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    print("event", json.dumps(event)[:100], flush=True)
    if "wait" in event:
        while not os.path.exists(event["wait"]):
            time.sleep(0.01)
    failed = event.get("fail") or (event.get("fail until") and not os.path.exists(event["fail until"]))
    start_response("500 No" if failed else "200 OK", [("content-type", "application/json")])
    context = current_context()
    custom = context.client_context.custom if context.client_context else None
    shown = {"event": event, "custom": custom, "tenant": context.tenant_id, "id": context.aws_request_id}
    return [json.dumps(shown).encode() + b" " * event.get("pad", 0)]
"""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
ARN = "arn:aws:lambda:us-west-2:123456789012:function:my-function:live"
MB = 1024 * 1024


class LocalRun:
    """A local run of the app, and the clients of its API.

    Attributes:
        boto3: boto3's client, which does not repeat what has failed.
    """

    def __init__(self, folder: Path, *options: str, **variables: str) -> None:
        (folder / "main.py").write_text(APP)
        self.folder = folder
        program = [sys.executable, "-m", "lambda_web_adapter", "--port", "0", *options]
        self.process = Running(program, cwd=folder, env=plain_environment(variables))
        self.url = self.process.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        self.boto3: Any = boto3.client(
            "lambda",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=SECONDS),
        )

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `aws lambda` in the folder of the app."""
        aws = Path(sys.executable).with_name("aws")
        return subprocess.run(
            [sys.executable, aws, "--endpoint-url", self.url, "lambda", *arguments],
            cwd=self.folder,
            env=plain_environment({**CREDENTIALS, "AWS_CONFIG_FILE": "none", "AWS_MAX_ATTEMPTS": "1"}),
            capture_output=True,
            text=True,
            check=False,
        )

    def __enter__(self) -> LocalRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.boto3.close()
        self.process.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRun]:
    with LocalRun(tmp_path_factory.mktemp("app"), "--dead-letter-dir", "dead") as local:
        yield local


@pytest.fixture(scope="module")
def streaming_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRun]:
    with LocalRun(tmp_path_factory.mktemp("app"), AWS_LWA_INVOKE_MODE="response_stream") as local:
        yield local


@pytest.fixture(scope="module")
def client(run: LocalRun) -> Any:
    return run.boto3


def invoke(client: Any, **arguments: Any) -> dict[str, Any]:
    """Invokes the function, and reads the payload."""
    response: dict[str, Any] = client.invoke(**{"FunctionName": "f", **arguments})
    return {**response, "Payload": response["Payload"].read()}


def get(path: str) -> str:
    """The event of a function URL."""
    http = {"method": "GET", "path": path, "sourceIp": "127.0.0.1"}
    context = {"domainName": "abc.lambda-url.us-east-1.on.aws", "http": http}
    event = {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {}, "requestContext": context}
    return json.dumps(event)


@pytest.mark.parametrize("name", ["my-function", "my-function:live", "123456789012:function:my-function", ARN])
def test_boto3_invokes(client: Any, name: str) -> None:
    response = invoke(client, FunctionName=name, Payload=b'{"a": "\\u00e9"}')

    payload = json.loads(response["Payload"])
    assert payload["event"] == {"a": "é"}
    assert payload["id"] == response["ResponseMetadata"]["RequestId"]
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in response
    assert "LogResult" not in response


def test_boto3_gets_the_log(client: Any) -> None:
    response = invoke(client, Payload=b'{"log": "me"}', LogType="Tail", Qualifier="$LATEST")

    log = base64.b64decode(response["LogResult"]).decode()
    request_id = response["ResponseMetadata"]["RequestId"]
    assert log.startswith(f"START RequestId: {request_id} Version: $LATEST\n")
    assert '\nevent {"log": "me"}\n' in log
    assert f"\nREPORT RequestId: {request_id}\tDuration: " in log


def test_boto3_passes_context_and_tenant(client: Any) -> None:
    context = base64.b64encode(b'{"custom": {"k": "v"}}').decode()

    response = invoke(client, ClientContext=context, TenantId="blue")

    payload = json.loads(response["Payload"])
    assert (payload["event"], payload["custom"], payload["tenant"]) == ({}, {"k": "v"}, "blue")


def test_boto3_sees_a_function_error(client: Any) -> None:
    response = invoke(client, Payload=b'{"fail": true}')

    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    assert json.loads(response["Payload"])["errorType"] == "Function.AppRejectedEvent"


def test_boto3_does_a_dry_run(run: LocalRun, client: Any) -> None:
    response = invoke(client, InvocationType="DryRun", Payload=b'{"dry": "run"}')
    invoke(client, Payload=b'{"after": "dry run"}')

    assert (response["StatusCode"], response["Payload"]) == (204, b"")
    run.process.wait_for('event {"after": "dry run"}')
    assert 'event {"dry"' not in run.process.text


def test_boto3_queues_an_event(run: LocalRun, client: Any, tmp_path: Path) -> None:
    """The response does not wait for the function, which waits for a file."""
    gate = tmp_path / "gate"

    response = invoke(client, InvocationType="Event", Payload=json.dumps({"wait": str(gate)}))

    assert (response["StatusCode"], response["Payload"]) == (202, b"")
    gate.touch()
    run.process.wait_for(r"asynchronous event 200 \d+ ms, environment \d")


def test_a_failed_event_is_tried_again_with_its_id(run: LocalRun, client: Any, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    response = invoke(
        client,
        InvocationType="Event",
        Payload=json.dumps({"Records": [{"eventSource": "aws:sqs"}], "fail until": str(gate)}),
    )
    request_id = response["ResponseMetadata"]["RequestId"]

    run.process.wait_for(r"asynchronous sqs event error \d+ ms, environment \d+.*: attempt 1 of 3: ")
    gate.touch()
    run.process.wait_for(r"asynchronous sqs event 200 \d+ ms, environment \d")
    assert request_id in run.process.text


def test_an_event_that_fails_three_times_is_kept(run: LocalRun, client: Any) -> None:
    event = b'{"fail": true, "number": 42}'

    response = client.invoke_async(FunctionName="f", InvokeArgs=event)

    assert response["Status"] == 202
    request_id = response["ResponseMetadata"]["RequestId"]
    run.process.wait_for(rf"Dead letter: event {request_id}, RetriesExhausted after 3 attempts: Function\.")
    assert (run.folder / "dead" / f"{request_id}.json").read_bytes() == event


@pytest.mark.parametrize("large", ["request", "response"])
def test_five_megabytes_go_both_ways(client: Any, large: str) -> None:
    event = {"text": "x" * 5 * MB} if large == "request" else {"pad": 5 * MB}

    response = invoke(client, Payload=json.dumps(event))

    payload = response["Payload"]
    assert len(payload) > 5 * MB
    assert json.loads(payload)["event"] == event


def test_a_response_beyond_six_megabytes_is_a_function_error(client: Any) -> None:
    response = invoke(client, Payload=json.dumps({"pad": 7 * MB}))

    assert response["FunctionError"] == "Unhandled"
    assert json.loads(response["Payload"])["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        pytest.param({"Payload": b'"' + b"x" * 7 * MB + b'"'}, "RequestEntityTooLargeException", 413, id="6 MB"),
        pytest.param(
            {"Payload": b'"' + b"x" * MB + b'"', "InvocationType": "Event"},
            "RequestEntityTooLargeException",
            413,
            id="1 MB",
        ),
        pytest.param({"Payload": b"{no json"}, "InvalidRequestContentException", 400, id="no JSON"),
        pytest.param({"ClientContext": "%%%"}, "InvalidRequestContentException", 400, id="client context"),
        pytest.param({"FunctionName": "f:a", "Qualifier": "b"}, "InvalidParameterValueException", 400, id="qualifiers"),
    ],
)
def test_boto3_raises_lambdas_errors(client: Any, arguments: dict[str, Any], code: str, status: int) -> None:
    with pytest.raises(ClientError) as caught:
        invoke(client, **arguments)

    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_throttling_is_an_error_of_its_own(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with LocalRun(tmp_path, "--throttle", "--environments", "1") as local, ThreadPoolExecutor() as pool:
        client = local.boto3
        # Nothing before it: the one environment is busy for a moment after a reply, and would reject the event.
        first = pool.submit(invoke, client, Payload=json.dumps({"wait": str(gate)}))
        local.process.wait_for('event {"wait"')
        try:
            with pytest.raises(client.exceptions.TooManyRequestsException) as caught:
                invoke(client)
            queued = invoke(client, InvocationType="Event", Payload=b'{"queued": true}')
        finally:
            gate.touch()
        assert first.result(SECONDS)["StatusCode"] == 200
        assert queued["StatusCode"] == 202
        local.process.wait_for('event {"queued": true}')  # it was tried again

    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert error["retryAfterSeconds"] == "1"
    assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_boto3_reads_a_stream(streaming_run: LocalRun) -> None:
    response = streaming_run.boto3.invoke_with_response_stream(FunctionName="f", Payload=get("/parts"), LogType="Tail")

    *chunks, complete = response["EventStream"]
    payload = b"".join(chunk["PayloadChunk"]["Payload"] for chunk in chunks)
    head, _, body = payload.partition(bytes(8))
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert (json.loads(head)["statusCode"], body) == (200, b"one two three")
    assert base64.b64decode(complete["InvokeComplete"]["LogResult"]).startswith(b"START RequestId: ")
    assert "ErrorCode" not in complete["InvokeComplete"]


def test_boto3_sees_that_a_stream_has_failed(streaming_run: LocalRun) -> None:
    response = streaming_run.boto3.invoke_with_response_stream(FunctionName="f", Payload=get("/broken"))

    *chunks, complete = response["EventStream"]
    payload = b"".join(chunk["PayloadChunk"]["Payload"] for chunk in chunks)
    assert payload.endswith(b"one two ")
    error = complete["InvokeComplete"]
    assert error["ErrorCode"].startswith(("Function.", "Runtime."))
    assert json.loads(error["ErrorDetails"])["errorMessage"]


def test_boto3_streams_what_is_not_streamed(client: Any) -> None:
    succeeded = list(client.invoke_with_response_stream(FunctionName="f", Payload=b'{"a": 1}')["EventStream"])
    failed = list(client.invoke_with_response_stream(FunctionName="f", Payload=b'{"fail": 1}')["EventStream"])

    assert json.loads(succeeded[0]["PayloadChunk"]["Payload"])["event"] == {"a": 1}
    assert succeeded[1:] == [{"InvokeComplete": {}}]
    assert failed[0]["InvokeComplete"]["ErrorCode"] == "Function.AppRejectedEvent"


def test_boto3s_waiters_find_an_active_function(client: Any) -> None:
    for name in ("function_exists", "function_active_v2", "function_updated_v2", "function_active", "function_updated"):
        client.get_waiter(name).wait(FunctionName="f", WaiterConfig={"Delay": 1, "MaxAttempts": 1})


def test_the_cli_invokes(run: LocalRun) -> None:
    context = base64.b64encode(b'{"custom": {"k": "v"}}').decode()

    completed = run.cli(
        "invoke", "--function-name", "f", "--payload", '{"a": 1}', "--log-type", "Tail", "--client-context", context,
        "--tenant-id", "blue", "reply.json",
    )  # fmt: skip

    assert completed.returncode == 0, completed.stderr
    shown = json.loads(completed.stdout)
    reply = json.loads((run.folder / "reply.json").read_text())
    assert (shown["StatusCode"], shown["ExecutedVersion"]) == (200, "$LATEST")
    assert base64.b64decode(shown["LogResult"]).startswith(b"START RequestId: ")
    assert (reply["event"], reply["custom"], reply["tenant"]) == ({"a": 1}, {"k": "v"}, "blue")


def test_the_cli_reads_its_payload_from_a_file(run: LocalRun) -> None:
    (run.folder / "event.json").write_text('{"from": "a file"}')

    run.cli("invoke", "--function-name", ARN, "--payload", "file://event.json", "reply.json")

    assert json.loads((run.folder / "reply.json").read_text())["event"] == {"from": "a file"}


@pytest.mark.parametrize(("kind", "status"), [("Event", 202), ("DryRun", 204)])
def test_the_cli_knows_other_invocation_types(run: LocalRun, kind: str, status: int) -> None:
    completed = run.cli("invoke", "--function-name", "f", "--invocation-type", kind, "reply.json")

    assert json.loads(completed.stdout)["StatusCode"] == status
    assert (run.folder / "reply.json").read_bytes() == b""


def test_the_cli_shows_a_function_error(run: LocalRun) -> None:
    completed = run.cli("invoke", "--function-name", "f", "--payload", '{"fail": true}', "reply.json")

    assert completed.returncode == 0
    assert json.loads(completed.stdout)["FunctionError"] == "Unhandled"
    assert json.loads((run.folder / "reply.json").read_text())["errorType"] == "Function.AppRejectedEvent"


def test_the_cli_shows_lambdas_errors(run: LocalRun) -> None:
    (run.folder / "large.json").write_text(json.dumps("x" * 7 * MB))

    bad = run.cli("invoke", "--function-name", "f", "--payload", "{", "reply.json")
    large = run.cli("invoke", "--function-name", "f", "--payload", "file://large.json", "reply.json")

    assert "(InvalidRequestContentException) when calling the Invoke operation" in bad.stderr
    assert "(RequestEntityTooLargeException) when calling the Invoke operation" in large.stderr


def test_the_cli_waits_for_the_function(run: LocalRun) -> None:
    completed = run.cli("wait", "function-active-v2", "--function-name", "f")

    assert (completed.returncode, completed.stderr) == (0, "")
