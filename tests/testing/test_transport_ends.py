"""What is left when a LambdaTransport ends, when requests end in other ways than by a response, or side by side."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from testing.apps import SITES, Site, fastapi_site, flask_site

from lambda_web_adapter import current_context
from lambda_web_adapter.app_api.current_invocation import CURRENT, Invocation
from lambda_web_adapter.errors import NoInvocation
from lambda_web_adapter.settings import Settings
from lambda_web_adapter.testing import LambdaTransport
from lambda_web_adapter.testing.served_app import Channel, ServedApp

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "https://test"


@pytest.fixture(params=[pytest.param(name, id=name) for name in SITES])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    made = SITES[request.param]()
    yield made
    made.hanging.set()


def client_of(transport: LambdaTransport) -> httpx.Client:
    return httpx.Client(transport=transport, base_url=BASE)


def begin(client: httpx.Client, path: str) -> tuple[httpx.Response, Iterator[bytes]]:
    """Return a streamed response of which one part is read, and the rest of its parts."""
    response = client.send(client.build_request("GET", path), stream=True)
    parts = response.iter_raw()
    next(parts)
    return response, parts


# What comes after the end.


def test_requests_that_wait_for_each_other_do_so_in_the_next_event_loop_too(site: Site) -> None:
    transport = LambdaTransport(site.app)

    async def send() -> list[int]:
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            responses = await asyncio.gather(*(client.get("/work") for _ in range(3)))
        return [response.status_code for response in responses]

    assert [asyncio.run(send()) for _ in range(2)] == [[200] * 3] * 2


def test_a_stream_ends_with_its_transport(site: Site) -> None:
    transport = LambdaTransport(site.app, "function-url")
    client = client_of(transport)
    with transport.stream():
        response, parts = begin(client, "/parts")
    client.close()

    with pytest.raises(httpx.RemoteProtocolError, match="closed"):
        next(parts)
    response.close()


def test_a_stream_ends_with_its_transport_in_an_event_loop(site: Site) -> None:
    async def run() -> None:
        transport = LambdaTransport(site.app, "function-url")
        client = httpx.AsyncClient(transport=transport, base_url=BASE)
        with transport.stream():
            response = await client.send(client.build_request("GET", "/parts"), stream=True)
            parts = response.aiter_raw()
            await anext(parts)
        await client.aclose()
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            await anext(parts)
        await response.aclose()
        site.hanging.set()

    asyncio.run(run())


def test_a_request_that_runs_is_a_failure_when_the_transport_is_closed() -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app)
    client = client_of(transport)
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(client.get("/hang").status_code))
    thread.start()
    while "startup" not in site.done:
        pass
    client.close()
    thread.join()

    assert statuses in ([500], [502])


def test_tasks_that_the_app_leaves_behind_are_cancelled() -> None:
    tasks = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        tasks.append(asyncio.create_task(asyncio.Event().wait()))
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    with client_of(LambdaTransport(app)) as client:
        client.get("/")

    assert tasks[0].cancelled()


def test_close_ends_the_environment_of_an_event_loop_that_stands_still() -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app)
    with asyncio.Runner() as runner:
        runner.run(httpx.AsyncClient(transport=transport, base_url=BASE).get("/work"))
        transport.close()

    assert site.done == ["startup", "work", "shutdown", "released"]


def test_close_in_a_running_event_loop_is_an_error() -> None:
    site = fastapi_site()

    async def run() -> None:
        transport = LambdaTransport(site.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            await client.get("/work")
            with pytest.raises(RuntimeError, match="aclose"):
                transport.close()
            assert site.done == ["startup", "work"]

    asyncio.run(run())
    assert site.done == ["startup", "work", "shutdown", "released"]


# What the app raises in the thread of the test.


class _Interrupted:
    """A response in whose middle somebody types Ctrl-C."""

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"first"
        raise KeyboardInterrupt

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("kind", [KeyboardInterrupt, pytest.fail.Exception], ids=["Ctrl-C", "pytest.fail"])
def test_what_is_meant_for_the_test_reaches_it(kind: type[BaseException]) -> None:
    def app(_environ: Any, _start_response: Any) -> Any:
        raise kind

    with client_of(LambdaTransport(app)) as client, pytest.raises(kind):
        client.get("/")


def test_ctrl_c_in_the_middle_of_a_response_reaches_the_test() -> None:
    parts = _Interrupted()

    def app(_environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return parts

    with client_of(LambdaTransport(app)) as client, pytest.raises(KeyboardInterrupt):
        client.get("/")
    assert parts.is_closed


def test_what_a_generator_raises_is_the_error() -> None:
    def app(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        raise ZeroDivisionError

    with (
        client_of(LambdaTransport(app, raise_app_exceptions=True)) as client,
        pytest.raises(ZeroDivisionError),
    ):
        client.get("/")


# The current invocation.


def test_no_invocation_is_current_after_a_timeout(site: Site) -> None:
    transport = LambdaTransport(site.app)
    with client_of(transport) as client, transport.timeout_after(0.1):
        assert client.get("/hang").status_code == 504

        with pytest.raises(NoInvocation):
            current_context()
        assert "_X_AMZN_TRACE_ID" not in os.environ


def test_a_call_that_begins_after_its_timeout_has_an_invocation_of_its_own_only() -> None:
    ours, theirs = socket.socketpair()
    invocation = Invocation(b"\n", b"{}")
    seen: list[Invocation | None] = []

    def begin_late() -> None:
        call.tracker.begin(invocation)
        seen.append(CURRENT.get())

    with ours, theirs:
        call = ServedApp(flask_site().app, "wsgi", Settings.from_environ({}), Channel(ours)).new_call(
            None, is_single=True
        )
        call.abandon()
        thread = threading.Thread(target=begin_late)
        thread.start()
        thread.join()

    assert seen == [invocation]
    with pytest.raises(NoInvocation):
        current_context()


def test_no_invocation_is_current_after_a_stream_during_which_concurrency_has_changed(site: Site) -> None:
    transport = LambdaTransport(site.app, "function-url")
    with client_of(transport) as client:
        with transport.stream():
            response, parts = begin(client, "/parts")
        with transport.concurrent(2):
            assert client.get("/work").status_code == 200
        site.hanging.set()
        list(parts)
        response.close()

        with pytest.raises(NoInvocation):
            current_context()


def test_a_call_that_goes_on_after_its_timeout_ends_no_other_invocation() -> None:
    go_on = threading.Event()
    late: list[threading.Thread] = []
    request_ids = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/hang":
            late.append(threading.current_thread())
            go_on.wait()
        else:
            go_on.set()
            late[0].join()
            reader = threading.Thread(target=lambda: request_ids.append(current_context().aws_request_id))
            reader.start()
            reader.join()
        start_response("204 No Content", [])
        return []

    transport = LambdaTransport(app)
    with client_of(transport) as client:
        with transport.timeout_after(0.1):
            assert client.get("/hang").status_code == 504
        client.get("/")

        assert request_ids == [transport.last.request_id]


# Two transports.


def test_variables_of_two_transports_end_in_any_order() -> None:
    sites = (flask_site(), fastapi_site())
    with ExitStack() as streams:
        ends = []
        for site, table in zip(sites, ("one", "two"), strict=True):
            transport = LambdaTransport(site.app, "function-url", environ={"TABLE": table}, function_name=table)
            client = streams.enter_context(client_of(transport))
            with transport.stream():
                ends.append(begin(client, "/parts"))
            site.hanging.set()
        response, parts = ends.pop(0)
        list(parts)
        response.close()

        assert (os.environ["TABLE"], os.environ["AWS_LAMBDA_FUNCTION_NAME"]) == ("two", "two")

    assert {"TABLE", "AWS_LAMBDA_FUNCTION_NAME"} & {*os.environ} == set()


def test_an_app_s_log_is_in_its_own_transport() -> None:
    is_waiting, go_on = threading.Event(), threading.Event()

    def waiting(_environ: Any, start_response: Any) -> list[bytes]:
        is_waiting.set()
        go_on.wait()
        start_response("204 No Content", [])
        return []

    def logging_app(_environ: Any, start_response: Any) -> list[bytes]:
        logging.getLogger("app").warning("from the second app")
        start_response("204 No Content", [])
        return []

    first, second = LambdaTransport(waiting), LambdaTransport(logging_app)
    with client_of(first) as client, client_of(second) as other:
        thread = threading.Thread(target=client.get, args=("/",))
        thread.start()
        is_waiting.wait()
        other.get("/")
        go_on.set()
        thread.join()

    assert "from the second app" in second.last.log
    assert first.last.log == ""


# Wrong values.


def test_no_invocations_at_once_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 or more"), LambdaTransport(flask_site().app).concurrent(0):
        pass


def test_a_variable_that_is_no_string_is_an_error() -> None:
    environ: Any = {"PORT": 80}

    with pytest.raises(TypeError, match="PORT"):
        LambdaTransport(flask_site().app, environ=environ)
