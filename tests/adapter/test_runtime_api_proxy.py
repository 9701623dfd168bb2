"""AWS_LWA_LAMBDA_RUNTIME_API_PROXY: an extension that stands in front of the Runtime API."""

from __future__ import annotations

import http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import APPS
from adapter.test_loop import body, get
from support.processes import free_addresses

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from types import TracebackType
    from typing import Self

    from adapter.conftest import Start

VARIABLE = "AWS_LWA_LAMBDA_RUNTIME_API_PROXY"


class Proxy:
    """Passes on what comes to the Runtime API, as it comes, and takes note of it.

    Attributes:
        address: `host:port`.
        heard: method and path of each request.
    """

    def __init__(self, upstream: str, address: str = "127.0.0.1:0", prefix: str = "") -> None:
        self.heard: list[str] = []
        host, _, port = address.rpartition(":")
        self._server = _Server(self, upstream, prefix, (host, int(port)))
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # one waits for an event
    block_on_close = False

    def __init__(self, proxy: Proxy, upstream: str, prefix: str, address: tuple[str, int]) -> None:
        self.proxy = proxy
        self.upstream = upstream
        self.prefix = prefix
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """One of the two has gone away, as at the end of each test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    rfile: BufferedReader

    def do_GET(self) -> None:  # the name that http.server calls
        self._pass_on()

    def do_POST(self) -> None:  # the name that http.server calls
        self._pass_on()

    def _pass_on(self) -> None:
        self.server.proxy.heard.append(f"{self.command} {self.path}")
        assert self.path.startswith(f"{self.server.prefix}/2018-06-01/")
        upstream = http.client.HTTPConnection(self.server.upstream)
        try:
            upstream.putrequest(self.command, self.path.removeprefix(self.server.prefix), skip_host=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders()
            for part in self._body():
                upstream.send(part)
            answer = upstream.getresponse()
            data = answer.read()
        finally:
            upstream.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> Iterator[bytes]:
        """The request's body as it stands on the wire; of one in chunks, each as it comes."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int((line := self.rfile.readline()).strip(), 16):
            yield line + self.rfile.read(size + 2)
        yield line
        while (trailer := self.rfile.readline()) != b"\r\n":
            yield trailer
        yield b"\r\n"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
        """What was heard is kept; nothing is written."""


@pytest.fixture
def proxy(api: RuntimeApi) -> Iterator[Proxy]:
    with Proxy(api.address) as running:
        yield running


@pytest.mark.parametrize("form", ["{}", "http://{}", "http://{}/"])
def test_invocations_go_through_the_proxy(
    form: str, api: RuntimeApi, proxy: Proxy, start: Start, either_app: str
) -> None:
    start(either_app, **{VARIABLE: form.format(proxy.address)})

    assert [body(api.invoke(get("/")))["count"] for _ in range(2)] == [1, 2]
    failed = api.invoke(b"no JSON")
    api.wait_for_call("next", 4)

    assert failed.name == "error"
    assert proxy.heard == [f"{call.method} {call.path}" for call in api.runtime_calls]
    assert failed.headers["host"] == proxy.address


def test_a_start_that_fails_since_a_setting_cannot_be_used_is_reported_through_the_proxy(
    api: RuntimeApi, start: Start
) -> None:
    with Proxy(api.address, prefix="/of/the/extension") as proxy:
        bootstrap = start("main:app", **{VARIABLE: f"{proxy.address}/of/the/extension", "AWS_LWA_PORT": "none"})

        assert bootstrap.wait() == 1
        assert proxy.heard == ["POST /of/the/extension/2018-06-01/runtime/init/error"]


def test_a_path_goes_before_that_of_each_call(api: RuntimeApi, start: Start) -> None:
    with Proxy(api.address, prefix="/of/the/extension") as proxy:
        start("main:app", **{VARIABLE: f"http://{proxy.address}/of/the/extension/"})

        assert body(api.invoke(get("/")))["count"] == 1
        assert api.invoke(b"no JSON").name == "error"
        assert {path[: path.index("/2018")] for path in proxy.heard} == {
            "GET /of/the/extension",
            "POST /of/the/extension",
        }


def test_streamed_replies_go_through_the_proxy_part_by_part(api: RuntimeApi, proxy: Proxy, start: Start) -> None:
    api.hold("two")
    start("streaming:app", **{VARIABLE: proxy.address}, AWS_LWA_INVOKE_MODE="response_stream")
    request = api.queue_event(get("/parts"))
    stream = api.wait_for_stream(request)
    stream.wait_for_payload(len(b"one"))
    early = stream.is_over
    api.release("two")

    assert not early
    assert stream.wait_for_end().payload == b"onetwothree"
    assert f"POST {api.wait_for_reply(request).path}" in proxy.heard


def test_many_invocations_at_once_go_through_the_proxy(start: Start) -> None:
    with RuntimeApi(concurrent=True) as api, Proxy(api.address) as proxy:
        start(
            "main:app",
            AWS_LAMBDA_RUNTIME_API=api.address,
            AWS_LAMBDA_MAX_CONCURRENCY="2",
            **{VARIABLE: proxy.address},
        )
        outcomes = [api.wait_for_reply(request) for request in [api.queue_event(get("/")) for _ in range(4)]]

        assert {body(outcome)["path"] for outcome in outcomes} == {"/"}
        assert sorted(proxy.heard)[-4:] == sorted(f"POST {outcome.path}" for outcome in outcomes)


def test_a_failed_start_is_told_through_the_proxy(api: RuntimeApi, proxy: Proxy, start: Start) -> None:
    assert start("missing:app", **{VARIABLE: proxy.address}).wait() != 0

    assert [call.name for call in api.runtime_calls] == ["init/error"]
    assert proxy.heard == ["POST /2018-06-01/runtime/init/error"]


def test_restores_go_through_the_proxy(api: RuntimeApi, proxy: Proxy, start: Start) -> None:
    start("main:wsgi", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start", **{VARIABLE: proxy.address})
    api.invoke(get("/"))

    assert proxy.heard[0] == "GET /2018-06-01/runtime/restore/next"


def test_the_extension_is_registered_with_lambda_itself(api: RuntimeApi, proxy: Proxy, start: Start) -> None:
    """A proxy is for the runtime's calls; many know no others, and it may not listen yet."""
    start("main:wsgi", **{VARIABLE: proxy.address})
    api.invoke(get("/"))

    assert len(api.calls_of("extension/register")) == len(api.calls_of("extension/event/next")) == 1
    assert [path for path in proxy.heard if "extension" in path] == []


def test_the_app_sees_lambda_s_own_address(api: RuntimeApi, proxy: Proxy, start: Start) -> None:
    start("main:app", cwd=APPS, **{VARIABLE: proxy.address})
    api.invoke(get("/tell/hello"))

    assert api.calls_of("test/hello")
    assert [path for path in proxy.heard if "/test/" in path] == []


@pytest.mark.parametrize("workers", ["", "2"], ids=["one at a time", "many at once"])
def test_a_proxy_need_not_listen_yet(workers: str, start: Start) -> None:
    (address,) = free_addresses(1)
    with RuntimeApi(concurrent=bool(workers)) as api:
        variables = {"AWS_LAMBDA_MAX_CONCURRENCY": workers} if workers else {}
        log = start("main:wsgi", AWS_LAMBDA_RUNTIME_API=api.address, **{VARIABLE: address}, **variables)
        log.wait_for(f"INFO.*{address}.*yet")
        with Proxy(api.address, address):
            assert body(api.invoke(get("/")))["path"] == "/"

            assert "ERROR" not in log.text


def test_a_proxy_that_never_listens_ends_the_environment(api: RuntimeApi, start: Start) -> None:
    (address,) = free_addresses(1)
    log = start("main:app", **{VARIABLE: address})

    assert log.wait() != 0
    log.wait_for(f"ERROR.*cannot be reached by its proxy {address} .{VARIABLE}. after")
    assert api.calls_of("test/shutdown")
    assert api.runtime_calls == []


def test_an_address_that_makes_no_sense_is_named(api: RuntimeApi, start: Start) -> None:
    assert start("main:app", **{VARIABLE: "https://127.0.0.1:1"}).wait() != 0

    (call,) = api.calls_of("init/error")
    assert call.json["errorType"] == "Runtime.InvalidSettings"
    assert VARIABLE in call.json["errorMessage"]
