"""LambdaTransport with the app in the test's process: what a client gets, and what a test sees."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import testing.sample
from testing.apps import SITES, TESTER, Site, fastapi_site, flask_site

from lambda_web_adapter import before_freeze, on_shutdown
from lambda_web_adapter.app_api import hooks
from lambda_web_adapter.errors import AppNotFound, AppStartFailed, SettingsError
from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.testing import InvocationFailed, LambdaTransport, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BASE = "https://test"
SQS = {"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": "hello"}]}
each_source = pytest.mark.parametrize("source", [pytest.param(name, id=name) for name in EVENT_SOURCES])


@pytest.fixture(params=[pytest.param(name, id=name) for name in SITES])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    made = SITES[request.param]()
    yield made
    made.hanging.set()


@pytest.fixture
def transport(site: Site) -> Iterator[LambdaTransport]:
    with LambdaTransport(site.app, "function-url") as made:
        yield made


@pytest.fixture
def client(transport: LambdaTransport) -> httpx.Client:
    return httpx.Client(transport=transport, base_url=BASE)


@pytest.fixture
def no_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks that a test registers are gone after it."""
    for name in ("_before_freeze", "_on_shutdown"):
        monkeypatch.setattr(hooks, name, [])


# What a client gets.


@each_source
def test_a_request_comes_back_through_every_source(site: Site, source: str) -> None:
    transport = LambdaTransport(site.app, source)
    with httpx.Client(transport=transport, base_url=BASE) as client:
        response = client.post("/echo", content="Zoë".encode(), headers={"content-type": "text/plain"})

    assert (response.status_code, response.text) == (200, "Zoë")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert transport.last.source == source


@each_source
def test_bytes_come_back_through_every_source(site: Site, source: str) -> None:
    body = bytes(range(256))
    with httpx.Client(transport=LambdaTransport(site.app, source), base_url=BASE) as client:
        response = client.post("/echo", content=body)
    assert response.content == body


@each_source
@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in SITES])
def test_an_async_client_gets_the_same(name: str, source: str) -> None:
    async def send() -> httpx.Response:
        transport = LambdaTransport(SITES[name]().app, source)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.post("/echo", content="Zoë".encode(), headers={"content-type": "text/plain"})

    response = asyncio.run(send())

    assert (response.status_code, response.text) == (200, "Zoë")


def test_the_app_has_a_function_s_context(site: Site) -> None:
    transport = LambdaTransport(site.app, function_name="shop", environ={"TABLE": "orders"}, timeout=7)
    with httpx.Client(transport=transport, base_url=BASE) as client:
        about = client.get("/about").json()

    assert (about["function"], about["table"]) == ("shop", "orders")
    assert 0 < about["remaining"] <= 7000
    assert about["id"] == transport.last.request_id
    assert "TABLE" not in os.environ
    assert "AWS_LAMBDA_FUNCTION_NAME" not in os.environ


def test_settings_apply(site: Site) -> None:
    transport = LambdaTransport(site.app, environ={"AWS_LWA_REMOVE_BASE_PATH": "/v1"})
    with httpx.Client(transport=transport, base_url=BASE) as client:
        assert client.get("/v1/work").status_code == 200


def test_the_gateway_has_options(site: Site) -> None:
    with httpx.Client(transport=LambdaTransport(site.app, "rest-api", stage="dev"), base_url=BASE) as client:
        inside, outside = client.get("/dev/work"), client.get("/work")

    assert (inside.status_code, outside.status_code) == (200, 403)


def test_the_gateway_answers_by_itself(site: Site) -> None:
    transport = LambdaTransport(site.app, "function-url", cors={"AllowOrigins": ["https://shop"]})
    with httpx.Client(transport=transport, base_url=BASE) as client:
        headers = {"origin": "https://shop", "access-control-request-method": "GET"}
        response = client.options("/work", headers=headers)

    assert response.headers["access-control-allow-origin"] == "https://shop"
    assert transport.history == []
    with pytest.raises(LookupError, match="no invocation"):
        _ = transport.last


def test_a_body_that_is_too_large_is_the_gateway_s_413(site: Site) -> None:
    with httpx.Client(transport=LambdaTransport(site.app, "alb"), base_url=BASE) as client:
        assert client.post("/echo", content=bytes(2_000_000)).status_code == 413
        assert site.done == []


# Where the app runs.


def test_a_wsgi_app_is_called_where_the_test_waits() -> None:
    with httpx.Client(transport=LambdaTransport(flask_site().app), base_url=BASE) as client:
        assert client.get("/about").json()["thread"] == threading.get_ident()


def test_an_asgi_app_shares_the_event_loop_of_an_async_client() -> None:
    async def send() -> Any:
        async with httpx.AsyncClient(transport=LambdaTransport(fastapi_site().app), base_url=BASE) as client:
            return (await client.get("/about")).json()["thread"]

    assert asyncio.run(send()) == threading.get_ident()


def test_the_app_has_the_context_variables_of_the_test(client: httpx.Client) -> None:
    testers = []
    for name in ("Noa", "Zoë"):
        token = TESTER.set(name)
        testers.append(client.get("/about").json()["tester"])
        TESTER.reset(token)

    assert testers == ["Noa", "Zoë"]


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in SITES])
def test_the_app_of_an_async_client_has_them_as_well(name: str) -> None:
    async def send() -> Any:
        async with httpx.AsyncClient(transport=LambdaTransport(SITES[name]().app), base_url=BASE) as client:
            TESTER.set("Noa")
            return (await client.get("/about")).json()["tester"]

    assert asyncio.run(send()) == "Noa"


def test_a_transport_belongs_to_one_event_loop(transport: LambdaTransport, client: httpx.Client) -> None:
    client.get("/work")

    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(transport.acold())


def test_a_transport_outlives_an_event_loop(site: Site) -> None:
    transport = LambdaTransport(site.app)

    async def send() -> int:
        return (await transport.handle_async_request(httpx.Request("GET", f"{BASE}/work"))).status_code

    async def send_and_close() -> int:
        status = await send()
        await transport.aclose()
        return status

    assert [asyncio.run(send()), asyncio.run(send_and_close())] == [200, 200]
    assert transport.last.is_cold


# What a test sees.


def test_the_last_invocation_has_all_that_passed(transport: LambdaTransport, client: httpx.Client) -> None:
    client.post("/echo?a=1", content="hello", headers={"content-type": "text/plain"})

    last = transport.last
    assert last.source == "function-url"
    assert last.event["rawPath"] == "/echo"
    assert (last.reply["statusCode"], last.reply["body"]) == (200, "hello")
    assert last.request is not None
    assert (last.request.method, last.request.extensions["target"], last.request.content) == (
        "POST",
        b"/echo?a=1",
        b"hello",
    )
    assert last.request.headers["x-forwarded-proto"] == "https"
    assert last.response is not None
    assert (last.response.status_code, last.response.text) == (200, "hello")
    assert (last.error, last.is_cold) == (None, True)
    assert last.duration_ms > 0


def test_the_app_s_error_is_visible_and_the_client_gets_a_500(transport: LambdaTransport, client: httpx.Client) -> None:
    response = client.get("/broken")

    assert response.status_code == 500
    assert isinstance(transport.last.error, ZeroDivisionError)
    assert "the app's bug" in transport.last.log


def test_the_app_s_error_can_be_raised_to_the_test(site: Site) -> None:
    transport = LambdaTransport(site.app, raise_app_exceptions=True)
    with httpx.Client(transport=transport, base_url=BASE) as client, pytest.raises(ZeroDivisionError):
        client.get("/broken")


def test_history_has_the_invocations_in_order(transport: LambdaTransport, client: httpx.Client) -> None:
    client.get("/work")
    client.get("/about")

    assert [record.event["rawPath"] for record in transport.history] == ["/work", "/about"]
    assert [record.is_cold for record in transport.history] == [True, False]


def test_the_response_comes_when_the_app_is_done() -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app)
    with httpx.Client(transport=transport, base_url=BASE) as client:
        client.get("/background")

        assert site.done == ["startup", "background"]
        assert transport.last.background_ms > 0


# Cold starts.


def test_the_lifespan_is_that_of_the_environment() -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app)
    with httpx.Client(transport=transport, base_url=BASE) as client:
        assert client.get("/state").json() == "open"
        client.get("/work")
        assert site.done == ["startup", "work"]
        transport.cold()
        assert site.done == ["startup", "work", "shutdown", "released"]
        client.get("/work")
        assert transport.last.is_cold

    assert site.done[-3:] == ["work", "shutdown", "released"]


def test_a_lifespan_that_fails_is_raised_with_its_cause() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        raise ConnectionError("no database")

    with (
        httpx.Client(transport=LambdaTransport(app), base_url=BASE) as client,
        pytest.raises(AppStartFailed, match="no database") as raised,
    ):
        client.get("/")

    assert isinstance(raised.value.__cause__, ConnectionError)


@pytest.mark.usefixtures("no_hooks")
def test_hooks_run(site: Site) -> None:
    before_freeze(lambda: site.done.append("freeze"))
    on_shutdown(lambda: site.done.append("end"))

    with httpx.Client(transport=LambdaTransport(site.app), base_url=BASE) as client:
        client.get("/work")
        assert site.done[-2:] == ["work", "freeze"]

    assert site.done[-1] == "end"


def test_a_named_app_is_loaded_as_on_lambda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app_of_a_test.py").write_text(
        "def create_app():\n"
        "    def app(environ, start_response):\n"
        "        start_response('200 OK', [])\n"
        "        return [b'named']\n"
        "    return app\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    transport = LambdaTransport("app_of_a_test:create_app", environ={"AWS_LWA_APP_DIR": str(tmp_path)})
    with httpx.Client(transport=transport, base_url=BASE) as client:
        assert client.get("/").text == "named"


def test_an_app_that_is_not_found_is_raised() -> None:
    with (
        httpx.Client(transport=LambdaTransport("no_such_module:app"), base_url=BASE) as client,
        pytest.raises(AppNotFound, match=r"no_such_module.*to LambdaTransport, or name it with lambda_app.*pythonpath"),
    ):
        client.get("/")


# What a test has happen.


def test_a_freeze_stops_the_event_loop() -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async def run() -> tuple[int, int]:
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            await client.get("/work")
            ticking = asyncio.create_task(tick())
            await transport.afreeze(0.05)
            ticking.cancel()
            return ticks, (await client.get("/work")).status_code

    seen, status = asyncio.run(run())

    assert status == 200
    assert seen < 20  # a loop that goes on makes thousands in this time


def test_a_crash_is_a_502_and_the_next_start_is_cold(
    site: Site, transport: LambdaTransport, client: httpx.Client
) -> None:
    client.get("/work")
    transport.crash()
    crashed = client.get("/work")

    assert (crashed.status_code, crashed.json()["errorType"]) == (502, "Runtime.AppExited")
    assert site.done.count("work") == 2
    assert "shutdown" not in site.done
    assert client.get("/work").status_code == 200
    assert transport.last.is_cold


def test_an_app_that_raises_can_crash_as_well(transport: LambdaTransport, client: httpx.Client) -> None:
    transport.crash()

    assert client.get("/broken").status_code == 502
    assert client.get("/work").status_code == 200


def test_a_timeout_is_a_504_and_the_next_start_is_cold(transport: LambdaTransport, client: httpx.Client) -> None:
    with transport.timeout_after(0.1):
        late = client.get("/hang")

    assert (late.status_code, late.json()["errorType"]) == (504, "Function.AppTimeout")
    assert client.get("/work").status_code == 200
    assert transport.last.is_cold


def test_the_stacks_after_a_timeout_are_the_app_s(
    transport: LambdaTransport, client: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    with transport.timeout_after(0.1):
        client.get("/hang")

    stacks = capfd.readouterr().err
    assert "in hang" in stacks
    assert "MainThread" not in stacks
    assert "lifespan" not in stacks


def test_the_adapter_s_lines_are_in_the_log(transport: LambdaTransport, client: httpx.Client) -> None:
    with transport.timeout_after(0.1):
        client.get("/hang")
    timed_out = transport.last.log
    transport.crash()
    client.get("/work")
    crashed = transport.last.log
    client.get("/work")

    assert "[ERROR] Function.AppTimeout: The app sent no response before the function's timeout." in timed_out
    assert "[ERROR] Runtime.AppExited: The app ended (signal SIGKILL) before it responded." in crashed
    assert "[ERROR]" not in transport.last.log


def test_a_request_that_times_out_is_cancelled() -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app)
    with httpx.Client(transport=transport, base_url=BASE) as client, transport.timeout_after(0.1):
        client.get("/hang")

        assert site.done == ["startup", "cancelled", "released"]


def test_a_timeout_among_others_ends_nothing_else() -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app)
    with httpx.Client(transport=transport, base_url=BASE) as client:
        with transport.concurrent(2), transport.timeout_after(0.1):
            assert client.get("/hang").status_code == 504
        assert client.get("/work").status_code == 200
        assert site.done == ["startup", "cancelled", "work"]


def test_requests_meet_where_several_reach_the_app(transport: LambdaTransport, client: httpx.Client) -> None:
    met: list[str] = []
    threads = [threading.Thread(target=lambda: met.append(client.get("/meet").text)) for _ in range(2)]
    with transport.concurrent(2):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [text.strip('"') for text in met] == ["met", "met"]


def test_one_request_after_the_other_reaches_the_app_otherwise() -> None:
    transport = LambdaTransport(fastapi_site().app)

    async def send() -> list[int]:
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            with transport.timeout_after(0.1):
                responses = await asyncio.gather(client.get("/meet"), client.get("/meet"))
            return [response.status_code for response in responses]

    assert asyncio.run(send()) == [504, 504]


# Streams.


def test_parts_come_as_the_app_sends_them(site: Site, transport: LambdaTransport, client: httpx.Client) -> None:
    with transport.stream(), client.stream("GET", "/parts") as response:
        parts = response.iter_raw()
        first = next(parts)  # which would not come if the whole response was awaited
        site.hanging.set()
        rest = b"".join(parts)

    assert first + rest == b"0\n1\n2\n"
    assert transport.last.reply["statusCode"] == 200


def test_parts_come_to_an_async_client() -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app, "rest-api")
    seen: list[tuple[bytes, int]] = []

    async def send() -> None:
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            with transport.stream():
                async with client.stream("GET", "/endless") as response:
                    async for part in response.aiter_raw():
                        seen.append((part, response.status_code))
                        if len(seen) == 3:
                            break
            assert (await client.get("/work")).status_code == 200

    asyncio.run(send())

    assert seen == [(b"more\n", 200)] * 3


def test_a_source_that_cannot_stream_sends_the_whole(site: Site) -> None:
    site.hanging.set()
    transport = LambdaTransport(site.app, "alb")
    with httpx.Client(transport=transport, base_url=BASE) as client, transport.stream():
        assert client.get("/parts").text == "0\n1\n2\n"


def test_a_stream_that_breaks_off_is_incomplete(transport: LambdaTransport, client: httpx.Client) -> None:
    with (
        transport.stream(),
        client.stream("GET", "/broken-parts") as response,
        pytest.raises(httpx.RemoteProtocolError, match="incomplete"),
    ):
        response.read()

    assert isinstance(transport.last.error, ZeroDivisionError)


# Events.


def test_an_event_that_is_no_request_has_a_reply(transport: LambdaTransport) -> None:
    assert transport.invoke(SQS) == {"source": "sqs", "event": SQS}
    assert transport.last.source == "sqs"


def test_an_async_test_can_invoke(site: Site) -> None:
    async def invoke() -> Any:
        async with LambdaTransport(site.app) as transport:
            return await transport.ainvoke(b'{"Records": [{"eventSource": "aws:sqs"}]}')

    assert asyncio.run(invoke())["source"] == "sqs"


def test_an_invocation_that_fails_raises(site: Site) -> None:
    with (
        LambdaTransport(site.app, environ={"AWS_LWA_PASS_THROUGH_PATH": "/missing"}) as transport,
        pytest.raises(InvocationFailed, match="status 404") as raised,
    ):
        transport.invoke(SQS)

    assert raised.value.error_type == "Function.AppRejectedEvent"
    assert transport.last.reply["errorType"] == "Function.AppRejectedEvent"


def test_a_derived_transport_has_another_caller_and_the_same_app() -> None:
    site = fastapi_site()
    with LambdaTransport(site.app) as transport:
        admin = transport.with_authorizer({"sub": "Zoë", "cognito:groups": ["admins"]})
        with httpx.Client(transport=admin, base_url=BASE) as client:
            claims = client.get("/caller").json()["jwt"]["claims"]
        with httpx.Client(transport=transport, base_url=BASE) as client:
            client.get("/work")
        assert site.done == ["startup", "work", "shutdown", "released"]

    assert claims == {"sub": "Zoë", "cognito:groups": "[admins]"}


# What is wrong.


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        pytest.param({"event_source": "http"}, ValueError, "one of function-url", id="source"),
        pytest.param({"event_source": "alb", "stage": "prod"}, OptionError, "stage", id="option"),
        pytest.param({"environ": {"AWS_LWA_WORKERS": "many"}}, SettingsError, "AWS_LWA_WORKERS", id="setting"),
        pytest.param({"cors": "no", "event_source": "function-url"}, OptionError, "cors", id="cors"),
        pytest.param(
            {"timeout": "3"}, ValueError, "timeout is '3', but it takes a number above 0", id="timeout's type"
        ),
        pytest.param({"timeout": 0}, ValueError, "timeout is 0, but it takes a number above 0", id="timeout"),
        pytest.param({"environ": {"N": 3}}, TypeError, "Expected a string for the variable N", id="N"),
        pytest.param({"event_source": "alb", "base_path": "/v1"}, OptionError, "^base_path is for", id="argument"),
        pytest.param(
            {"event_source": "function-url", "authorizer": {"sub": "ann"}},
            OptionError,
            "^authorizer: events of function-url have only 'iam', but it has 'claims'",
            id="caller",
        ),
        pytest.param({"authorizer": {"claim": {"sub": 1}}}, OptionError, "Did you mean 'claims'", id="typo in caller"),
    ],
)
def test_wrong_arguments_are_errors(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        LambdaTransport(flask_site().app, **arguments)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        pytest.param(lambda transport: transport.timeout_after(-1).__enter__(), "seconds is -1", id="timeout"),
        pytest.param(lambda transport: transport.concurrent(0).__enter__(), "1 or more, got 0", id="concurrency"),
        pytest.param(lambda transport: transport.freeze(-1), "seconds is -1", id="freeze"),
    ],
)
def test_impossible_numbers_are_errors(use: Callable[[LambdaTransport], object], message: str) -> None:
    with LambdaTransport(flask_site().app) as transport, pytest.raises(ValueError, match=message):
        use(transport)


def test_a_misspelled_setting_is_a_warning() -> None:
    with pytest.warns(UserWarning, match="Did you mean AWS_LWA_REMOVE_BASE_PATH") as warned:
        LambdaTransport(flask_site().app, environ={"AWS_LWA_REMOVE_BASE_PATHH": "/v1"})

    assert warned[0].filename == __file__


def test_a_module_is_no_app() -> None:
    with pytest.raises(TypeError, match=r"Did you mean testing\.sample\.app\?"):
        LambdaTransport(testing.sample)


def test_a_url_without_a_host_is_an_error() -> None:
    with (
        httpx.Client(transport=LambdaTransport(flask_site().app)) as client,
        pytest.raises(httpx.UnsupportedProtocol, match='pass base_url="https://test" to the client'),
    ):
        client.get("/work")


def test_blocking_methods_of_an_async_test_name_those_to_await() -> None:
    async def use() -> None:
        transport = LambdaTransport(fastapi_site().app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            await client.get("/work")
            with pytest.raises(RuntimeError, match="await acold, afreeze or ainvoke"):
                transport.cold()

    asyncio.run(use())


def test_a_blocking_client_in_an_event_loop_is_a_warning() -> None:
    async def use() -> None:
        with httpx.Client(transport=LambdaTransport(fastapi_site().app), base_url=BASE) as client:
            client.get("/work")  # noqa: ASYNC212  # which is what the warning is about

    with pytest.warns(RuntimeWarning, match="blocks the running event loop"):
        asyncio.run(use())


# Other frameworks, and what an import costs.


@pytest.mark.parametrize("interface", [pytest.param("wsgi", id="wsgi"), pytest.param("asgi", id="asgi")])
def test_django_is_served(interface: str) -> None:
    program = (
        "import sys, threading, httpx\n"
        "from django.conf import settings\n"
        "settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=['*'], SECRET_KEY='test')\n"
        "from django.http import JsonResponse\n"
        "from django.urls import path\n"
        "urlpatterns = [path('thread', lambda request: JsonResponse({'thread': threading.get_ident()}))]\n"
        f"from django.core.{interface} import get_{interface}_application\n"
        "from lambda_web_adapter.testing import LambdaTransport\n"
        f"transport = LambdaTransport(get_{interface}_application(), 'alb')\n"
        "with httpx.Client(transport=transport, base_url='https://test') as client:\n"
        "    print(client.get('/thread').json()['thread'] == threading.get_ident())\n"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert output.stdout.strip() == str(interface == "wsgi"), output.stderr


def test_an_asgi_2_app_is_served() -> None:
    class App:
        def __init__(self, scope: Any) -> None:
            assert scope["type"] == "http"

        async def __call__(self, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"two"})

    with httpx.Client(transport=LambdaTransport(App), base_url=BASE) as client:
        assert client.get("/").text == "two"


@pytest.mark.parametrize("module", [pytest.param(name, id=name) for name in ("httpx", "pytest", "pydantic", "asyncio")])
def test_the_package_imports_only_what_is_used(module: str) -> None:
    program = f"import sys, lambda_web_adapter.testing; print({module!r} in sys.modules)"

    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert output.stdout.strip() == "False"
