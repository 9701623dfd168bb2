"""Streamed replies through the local gateways: what a client has, and when it has it."""

from __future__ import annotations

import json
import re
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from local.streaming import Local, prelude, trailers
from support.processes import SECONDS, wait_until

from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.gateways.prelude import SEPARATOR
from lambda_web_adapter.local.invoke_api.invoke_client import INVOKE_PATH

STREAMING = ("function-url", "rest-api")
every_streaming = pytest.mark.parametrize("source", [pytest.param(name, id=name) for name in STREAMING])
every_other = pytest.mark.parametrize(
    "source", [pytest.param(name, id=name) for name in GATEWAYS if name not in STREAMING]
)


@pytest.fixture
def source() -> str:
    return "function-url"


@pytest.fixture
def local(source: str) -> Iterator[Local]:
    with Local(source) as found:
        yield found


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Callable[[str], re.Match[str]]:
    """Waits for a line of the log: it is written when the client may have all already."""
    seen = ""

    def wait_for(pattern: str) -> re.Match[str]:
        def written() -> re.Match[str] | None:
            nonlocal seen
            seen += capsys.readouterr().err
            return re.search(pattern, seen, re.MULTILINE)

        wait_until(written, f"{pattern} in the log")
        assert seen.count("\n") == 1
        found = re.search(pattern, seen, re.MULTILINE)
        assert found
        return found

    return wait_for


@every_streaming
def test_each_part_reaches_the_client_before_there_is_another(local: Local) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude(201, cookies=["a=1", "b=2"]))
    response = asked.result(SECONDS)
    parts = response.iter_raw()

    assert (response.status_code, response.headers["content-type"]) == (201, "text/plain")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers["transfer-encoding"] == "chunked"
    for number in range(3):
        reply.send(b"part %d" % number)
        assert next(parts) == b"part %d" % number
    assert reply.end() == (202, {"status": "OK"})
    assert list(parts) == []


@every_streaming
def test_a_prelude_may_come_byte_by_byte(local: Local) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    for byte in prelude(202) + b"\0body":
        reply.send(bytes([byte]))
    reply.end()
    response = asked.result(SECONDS)

    assert (response.status_code, response.read()) == (202, b"\0body")


@every_streaming
def test_a_reply_may_come_in_one_packet(local: Local) -> None:
    asked = local.ask()
    local.bootstrap.stream(local.bootstrap.next()).end(last=prelude(200) + b"body")

    assert asked.result(SECONDS).read() == b"body"


@every_streaming
def test_a_body_may_be_empty(local: Local) -> None:
    asked = local.ask()
    local.bootstrap.stream(local.bootstrap.next()).end(last=prelude(200))

    assert asked.result(SECONDS).read() == b""


def test_the_log_says_when_the_first_byte_went_out_and_how_many_did(
    local: Local, log: Callable[[str], re.Match[str]]
) -> None:
    asked = local.ask(path="/a?b=c")
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude(200) + b"1")
    response = asked.result(SECONDS)
    reply.end(last=b"23")
    response.read()

    found = log(r"^GET /a\?b=c 200 (\d+) ms, first byte after (\d+) ms, 3 bytes$")
    assert int(found[2]) <= int(found[1])


@every_streaming
@pytest.mark.parametrize(
    ("method", "status", "length"), [("HEAD", 200, "7"), ("GET", 204, None), ("HEAD", 204, None), ("GET", 304, None)]
)
def test_there_is_no_body_where_there_can_be_none(local: Local, method: str, status: int, length: str | None) -> None:
    headers = {"content-type": "text/plain", "content-length": "7"}
    for _ in range(2):  # on one connection
        asked = local.ask(method)
        reply = local.bootstrap.stream(local.bootstrap.next())
        reply.send(prelude(status, headers=headers) + b"body")
        response = asked.result(SECONDS)
        assert reply.end() == (202, {"status": "OK"})

        assert (response.status_code, response.read()) == (status, b"")
        assert "transfer-encoding" not in response.headers
        assert response.headers.get("content-length") == length


@every_streaming
def test_a_length_that_the_prelude_says_is_passed_on(local: Local) -> None:
    asked = local.ask()
    local.bootstrap.stream(local.bootstrap.next()).end(last=prelude(headers={"Content-Length": "4"}) + b"body")
    response = asked.result(SECONDS)

    assert (response.headers["content-length"], response.read()) == ("4", b"body")
    assert "transfer-encoding" not in response.headers


@pytest.mark.parametrize(
    "body", [pytest.param(b"a", id="less"), pytest.param(b"bodies", id="more"), pytest.param(b"", id="nothing")]
)
def test_a_body_of_another_length_than_promised_is_broken_off(
    local: Local, body: bytes, log: Callable[[str], re.Match[str]]
) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude(headers={"content-length": "4"}))
    response = asked.result(SECONDS)
    assert reply.end(last=body)[0] == 202

    with pytest.raises(httpx.RemoteProtocolError):
        response.read()
    log("broken off: Function.WrongLength: The body does not have the 4 bytes that content-length says$")


@every_streaming
def test_a_stream_of_another_content_type_is_all_body(local: Local) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next(), "application/json")
    reply.send(prelude())
    response = asked.result(SECONDS)
    reply.end(last=b"\xff")

    assert (response.status_code, response.headers["content-type"]) == (200, "application/octet-stream")
    assert response.read() == prelude() + b"\xff"


@every_streaming
def test_a_failure_in_the_middle_breaks_the_clients_connection(
    local: Local, log: Callable[[str], re.Match[str]]
) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude() + b"begun")
    parts = asked.result(SECONDS).iter_raw()

    assert next(parts) == b"begun"
    assert reply.end(trailers("Function.AppBroke", "no such\nkey")) == (202, {"status": "OK"})
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        next(parts)
    log(r"^GET / 200 \d+ ms, first byte after \d+ ms, 5 bytes: broken off: Function\.AppBroke: no such key$")


def test_a_failure_is_seen_also_when_all_comes_in_one_packet(local: Local) -> None:
    """The trailers have been read before the app that looks for them begins to run."""
    asked = local.ask()
    local.bootstrap.stream(local.bootstrap.next()).end(trailers("Function.A", "b"), last=prelude() + b"begun")

    with pytest.raises(httpx.RemoteProtocolError):
        asked.result(SECONDS).read()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({}, "Function.A", id="no document"),
        pytest.param({"Lambda-Runtime-Function-Error-Body": "not base64"}, "Function.A: not base64", id="not base64"),
    ],
)
def test_a_failure_is_one_also_without_a_document(
    local: Local, body: dict[str, str], expected: str, log: Callable[[str], re.Match[str]]
) -> None:
    asked = local.ask()
    local.bootstrap.stream(local.bootstrap.next()).end(
        {"Lambda-Runtime-Function-Error-Type": "Function.A", **body}, last=prelude()
    )

    with pytest.raises(httpx.RemoteProtocolError):
        asked.result(SECONDS).read()
    log(f"broken off: {expected}$")


@every_streaming
def test_the_end_of_the_bootstraps_connection_breaks_the_clients(
    local: Local, log: Callable[[str], re.Match[str]]
) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude() + b"begun")
    parts = asked.result(SECONDS).iter_raw()
    assert next(parts) == b"begun"

    reply.cut()

    with pytest.raises(httpx.RemoteProtocolError):
        next(parts)
    log("broken off: Runtime.TruncatedResponse: The bootstrap's connection ended in the middle of its response$")


def test_a_chunk_that_is_none_breaks_the_clients_connection(local: Local) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude() + b"begun")
    response = asked.result(SECONDS)
    reply.socket.sendall(b"not a length\r\n")

    with pytest.raises(httpx.RemoteProtocolError):
        response.read()


def test_the_end_of_the_bootstrap_says_more_than_that_of_its_connection(
    local: Local, log: Callable[[str], re.Match[str]]
) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude() + b"begun")
    response = asked.result(SECONDS)

    local.environment_ends(b'{"errorType":"Runtime.ExitError","errorMessage":"It ended."}')
    reply.cut()

    with pytest.raises(httpx.RemoteProtocolError):
        response.read()
    log("broken off: Runtime.ExitError: It ended.$")


@every_streaming
def test_a_failure_before_the_prelude_is_whole_is_shown(local: Local) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude()[:-1])
    reply.end(trailers("Function.AppBroke", "no such key"))
    response = asked.result(SECONDS)

    assert (response.status_code, response.read()) == (502, b"Function.AppBroke: no such key\n")


def test_the_end_of_the_connection_before_the_prelude_is_whole_is_shown(local: Local) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude()[:9])
    reply.cut()
    response = asked.result(SECONDS)

    assert response.status_code == 502
    assert response.read().startswith(b"Runtime.TruncatedResponse: ")


@every_streaming
@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        pytest.param(prelude()[:-1], b"the prelude: The stream ended after ", id="a NUL too few"),
        pytest.param(b"", b"the prelude: The stream ended after 0 bytes", id="nothing"),
        pytest.param(b"{" + SEPARATOR, b"the reply: Invalid JSON", id="no JSON"),
        pytest.param(b"{}" + SEPARATOR, b"statusCode: Field required", id="no status"),
    ],
)
def test_a_malformed_prelude_is_explained_and_the_function_goes_on(
    local: Local, payload: bytes, problem: bytes
) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    answered = reply.end(last=payload)
    response = asked.result(SECONDS)

    assert response.status_code == 502
    assert problem in response.read()
    assert answered[0] == 202


@every_other
def test_a_gateway_that_cannot_stream_finds_a_prelude_malformed(local: Local, source: str) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.end(last=prelude() + b"body")
    response = asked.result(SECONDS)

    assert response.status_code == GATEWAYS[source].refusal
    assert b"the reply is malformed" in response.read()


@every_other
def test_a_gateway_that_cannot_stream_takes_a_reply_that_comes_in_parts(local: Local) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next(), "application/json")
    for part in (b'{"statusCode":', b'201,"multiValueHeaders":{},', b'"body":"hi"}'):
        reply.send(part)
    reply.end()
    response = asked.result(SECONDS)

    assert (response.status_code, response.read()) == (201, b"hi")


@every_other
def test_a_gateway_that_cannot_stream_shows_a_failure_in_the_middle(local: Local, source: str) -> None:
    asked = local.ask()
    local.bootstrap.stream(local.bootstrap.next()).end(trailers("Function.A", "b"), last=b"{")
    response = asked.result(SECONDS)

    assert (response.status_code, response.read()) == (GATEWAYS[source].refusal, b"Function.A: b\n")


def test_invoke_gets_the_payload_in_one_piece_prelude_and_nuls_included(local: Local) -> None:
    asked = local.ask("POST", INVOKE_PATH, b"{}")
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude())
    reply.end(last=b"body")
    response = asked.result(SECONDS)

    assert (response.status_code, response.read()) == (200, prelude() + b"body")
    assert "x-amz-function-error" not in response.headers


def test_invoke_says_that_a_stream_failed(local: Local) -> None:
    asked = local.ask("POST", INVOKE_PATH, b"{}")
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude())
    reply.end(trailers("Function.A", "b"))
    response = asked.result(SECONDS)

    assert (response.status_code, response.headers["x-amz-function-error"]) == (200, "Unhandled")
    assert json.loads(response.read()) == {"errorType": "Function.A", "errorMessage": "b", "stackTrace": []}


def test_invoke_takes_no_more_than_lambda_passes_on_in_one_piece(local: Local) -> None:
    asked = local.ask("POST", INVOKE_PATH, b"{}")
    reply = local.bootstrap.stream(local.bootstrap.next())
    for _ in range(7):
        reply.send(bytes(1024 * 1024))
    response = asked.result(SECONDS)

    assert json.loads(response.read())["errorType"] == "Function.ResponseSizeTooLarge"
    assert reply.end() == (202, {"status": "OK"})


def test_a_client_that_leaves_does_not_stop_the_function(local: Local, log: Callable[[str], re.Match[str]]) -> None:
    asked = local.ask()
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude() + b"begun")
    asked.result(SECONDS).close()

    log("5 bytes: the client has left; the function goes on, as on Lambda$")
    for _ in range(100):
        reply.send(bytes(1024 * 1024))
    assert reply.end() == (202, {"status": "OK"})


def test_a_client_that_reads_nothing_stops_the_bootstrap_and_one_that_reads_again_gets_all(local: Local) -> None:
    total = 64 * 1024 * 1024
    client = socket.create_connection(("127.0.0.1", local.port), SECONDS)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    reply = local.bootstrap.stream(local.bootstrap.next())
    reply.send(prelude())
    rest = memoryview(b"%x\r\n%b\r\n" % (total, bytes(total)))
    reply.socket.setblocking(False)
    while select.select([], [reply.socket], [], 1)[1]:  # the sockets between take some megabytes, and then no more
        rest = rest[reply.socket.send(rest) :]
    assert len(rest) > total / 2

    def send_the_rest() -> tuple[int, object]:
        reply.socket.settimeout(SECONDS)
        reply.socket.sendall(rest)
        return reply.end()

    with client, client.makefile("rb") as incoming, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_the_rest)
        received, last = 0, b""
        while found := incoming.read1(1024 * 1024):
            received, last = received + len(found), found

    assert sending.result(SECONDS)[0] == 202
    assert received > total
    assert last.endswith(b"0\r\n\r\n")


def test_a_client_that_reads_nothing_does_not_keep_the_server() -> None:
    with Local("function-url") as local, socket.create_connection(("127.0.0.1", local.port), SECONDS) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        reply = local.bootstrap.stream(local.bootstrap.next())
        reply.send(prelude())
        reply.socket.setblocking(False)
        while select.select([], [reply.socket], [], 0.5)[1]:
            reply.socket.send(b"100000\r\n%b\r\n" % bytes(0x100000))

        local.stop()


def test_one_reply_at_a_time_is_taken(local: Local) -> None:
    asked = local.ask()
    path = local.bootstrap.next()
    reply = local.bootstrap.stream(path)
    reply.send(prelude())
    response = asked.result(SECONDS)

    assert local.bootstrap.post(path, b"{}") == 403
    assert local.bootstrap.post(path.replace("/response", "/error"), b"{}") == 403
    assert reply.end(last=b"body")[0] == 202
    assert local.bootstrap.post(path, b"{}") == 400
    assert response.read() == b"body"


def test_a_mode_that_lambda_does_not_know_fails_the_invocation(local: Local) -> None:
    asked = local.ask()
    status, document = local.bootstrap.stream(local.bootstrap.next(), mode="buffered").end(last=b"{}")
    response = asked.result(SECONDS)

    assert (status, document["errorType"]) == (400, "InvalidFunctionResponseMode")
    assert (response.status_code, response.read().split(b":")[0]) == (502, b"Runtime.InvalidResponseModeHeader")


def test_a_reply_in_one_piece_that_does_not_come_whole_fails_the_invocation(local: Local) -> None:
    asked = local.ask()
    path = local.bootstrap.next()
    local.bootstrap.connection.putrequest("POST", path)
    for name, value in {**local.bootstrap.headers, "Content-Length": "100"}.items():
        local.bootstrap.connection.putheader(name, value)
    local.bootstrap.connection.endheaders(b'{"statusCode":200')
    local.bootstrap.connection.close()
    response = asked.result(SECONDS)

    assert (response.status_code, response.read().split(b":")[0]) == (502, b"Runtime.TruncatedResponse")


def test_after_a_stream_the_next_event_is_served(local: Local) -> None:
    for number in range(3):
        asked = local.ask()
        reply = local.bootstrap.stream(local.bootstrap.next())
        reply.end(trailers("Function.A", "b") if number == 1 else {}, last=prelude() + b"body")
        response = asked.result(SECONDS)
        if number == 1:
            with pytest.raises(httpx.RemoteProtocolError):
                response.read()
        else:
            assert response.read() == b"body"


def curl(local: Local) -> subprocess.Popen[bytes]:
    url = f"http://127.0.0.1:{local.port}/"
    return subprocess.Popen(["curl", "--silent", "--noproxy", "*", "--no-buffer", url], stdout=subprocess.PIPE)


def test_curl_shows_each_part_as_it_comes(local: Local) -> None:
    with curl(local) as process:
        assert process.stdout
        reply = local.bootstrap.stream(local.bootstrap.next())
        reply.send(prelude())
        for line in (b"one\n", b"two\n"):
            reply.send(line)
            assert process.stdout.readline() == line
        reply.end()

        assert process.wait(SECONDS) == 0


def test_curl_reports_a_stream_that_breaks_off(local: Local) -> None:
    with curl(local) as process:
        reply = local.bootstrap.stream(local.bootstrap.next())
        reply.send(prelude() + b"one\n")
        reply.end(trailers("Function.A", "b"))

        assert process.wait(SECONDS) == 18  # partial file
