"""The pytest plugin, in test runs of their own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambda_web_adapter.local.event_sources import EVENT_SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable

pytest_plugins = ["pytester"]

APP = """
import json, os, logging

from lambda_web_adapter import current_context, current_event

def name_of(event):
    if "elb" in event.get("requestContext", {}):
        return "alb-multi" if "multiValueHeaders" in event else "alb"
    if str(event.get("requestContext", {}).get("domainName")).endswith(".on.aws"):
        return "function-url"
    if event.get("version") == "1.0":
        return "http-api-v1"
    if "resource" in event:
        return "rest-api"
    if "rawPath" in event:
        return "http-api-v2"
    return "vpc-lattice-v2" if event.get("version") == "2.0" else "vpc-lattice-v1"

def app(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        assert environ["HTTP_AUTHORIZATION"] == "Bearer secret-value"
        logging.getLogger().warning("about to fail")
        raise KeyError("no-such-key")
    values = {
        "source": name_of(current_event()),
        "mode": os.environ.get("OWN_MODE"),
        "stage": current_event().get("requestContext", {}).get("stage"),
        "ms": current_context().get_remaining_time_in_millis(),
    }
    start_response("200 OK", [("content-type", "application/json"), ("set-cookie", "session=secret-value")])
    return [json.dumps(values).encode()]
"""
CONFIG = """
[pytest]
addopts = --strict-markers --strict-config -p no:randomly -p no:cacheprovider
lambda_app = pie_shop:app
pythonpath = .
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with an app and a configuration."""
    pytester.makepyfile(pie_shop=APP)
    pytester.makeini(CONFIG)
    return pytester


def passed(result: pytest.RunResult) -> list[str]:
    """The names of the tests that have passed, of a run with `-rA`."""
    return sorted(line.split("::")[1] for line in result.outlines if line.startswith("PASSED"))


def ids(test: str, sources: Iterable[str]) -> list[str]:
    return sorted(f"{test}[{source}]" for source in sources)


SOURCE = """
def test_source(lambda_client, lambda_source):
    assert lambda_client.get("/").json()["source"] == lambda_source
"""


def test_one_event_source_is_the_default(run: pytest.Pytester) -> None:
    run.makepyfile(SOURCE)

    assert passed(run.runpytest_inprocess("-rA")) == ["test_source[http-api-v2]"]


@pytest.mark.parametrize(
    ("option", "sources"),
    [
        pytest.param("all", EVENT_SOURCES, id="all"),
        pytest.param("alb,rest-api", ("alb", "rest-api"), id="two"),
        pytest.param("alb, alb", ("alb",), id="one twice"),
    ],
)
def test_the_option_names_event_sources(option: str, sources: tuple[str, ...], run: pytest.Pytester) -> None:
    run.makepyfile("def test_source(lambda_source): pass")

    assert passed(run.runpytest_inprocess("-rA", f"--lambda-sources={option}")) == ids("test_source", sources)


def test_the_configuration_names_event_sources_and_the_option_comes_before_it(run: pytest.Pytester) -> None:
    run.makeini(f"{CONFIG}\nlambda_sources = alb vpc-lattice-v2\n")
    run.makepyfile(SOURCE)

    assert passed(run.runpytest_inprocess("-rA")) == ids("test_source", ["alb", "vpc-lattice-v2"])
    assert passed(run.runpytest_inprocess("-rA", "--lambda-sources=alb")) == ["test_source[alb]"]


def test_a_marker_names_event_sources_before_all_else(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.lambda_sources("alb")

        def test_module(lambda_client, lambda_source): pass

        @pytest.mark.lambda_sources("rest-api", "function-url")
        def test_own(lambda_client, lambda_source): pass
        """
    )

    result = run.runpytest_inprocess("-rA", "--lambda-sources=vpc-lattice-v1")

    assert passed(result) == ["test_module[alb]", "test_own[function-url]", "test_own[rest-api]"]


@pytest.mark.parametrize("wrong", ["apigw", "alb,", ""], ids=["unknown", "empty name", "nothing"])
def test_a_wrong_option_is_a_usage_error_that_names_the_event_sources(wrong: str, run: pytest.Pytester) -> None:
    run.makepyfile("def test_nothing(): pass")

    result = run.runpytest_inprocess(f"--lambda-sources={wrong}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --lambda-sources or lambda_sources: expected {', '.join(EVENT_SOURCES)}*"])


def test_a_wrong_marker_is_an_error_that_names_the_test_and_the_event_sources(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import pytest

        @pytest.mark.lambda_sources("apigw")
        def test_wrong(lambda_client): pass
        """
    )

    result = run.runpytest_inprocess()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [f"*test_a_wrong_marker*::test_wrong: lambda_sources: expected {', '.join(EVENT_SOURCES)} or all, got 'apigw'"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        pytest.param(
            "tmeout=3", "lambda_options has 'tmeout', which is no option *: did you mean 'timeout'?", id="typo"
        ),
        pytest.param("event_source='alb'", "*use the marker lambda_sources instead.", id="source"),
    ],
)
def test_a_wrong_option_of_a_marker_is_an_error_that_names_it(option: str, message: str, run: pytest.Pytester) -> None:
    run.makepyfile(
        f"""
        import pytest

        @pytest.mark.lambda_options({option})
        def test_wrong(lambda_client): pass
        """
    )

    result = run.runpytest_inprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{message}"])


def test_a_test_may_enter_the_client(run: pytest.Pytester) -> None:
    run.makepyfile("def test_entered(lambda_client):\n    with lambda_client as client: client.get('/')")

    run.runpytest_inprocess("-W", "error").assert_outcomes(passed=1)


def test_a_start_that_fails_has_no_frames_of_the_transport(run: pytest.Pytester) -> None:
    run.makepyfile(
        broken="raise ZeroDivisionError",
        test_broken_app="import pytest\n@pytest.fixture\ndef lambda_app(): return 'broken:app'\n"
        "def test_broken_app(lambda_client): lambda_client.get('/')",
    )

    shown = run.runpytest_inprocess().stdout.str()

    assert "broken.py:1: ZeroDivisionError" in shown
    assert "lambda_web_adapter/testing/" not in shown.replace("\\", "/")


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        pytest.param('lambda_sources(["alb"])', "*lambda_sources: expected names, got ?'alb'?", id="list of sources"),
        pytest.param('lambda_options({"timeout": 3})', "*lambda_options takes keyword arguments only*", id="dict"),
        pytest.param("lambda_environ(PORT=80)", "*Expected a string for the variable PORT*", id="number"),
    ],
)
def test_wrong_arguments_of_a_marker_are_errors(marker: str, message: str, run: pytest.Pytester) -> None:
    run.makepyfile(f"import pytest\n@pytest.mark.{marker}\ndef test_wrong(lambda_client): pass")

    result = run.runpytest_inprocess()

    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines([message])


def test_markers_set_variables_and_options(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import pytest

        pytestmark = [pytest.mark.lambda_environ(OWN_MODE="of the module"), pytest.mark.lambda_options(timeout=900)]

        def test_module(lambda_client):
            values = lambda_client.get("/").json()
            assert (values["mode"], values["stage"]) == ("of the module", "$default")
            assert 800_000 < values["ms"] <= 900_000

        @pytest.mark.lambda_environ(OWN_MODE="own")
        @pytest.mark.lambda_options(stage="prod")
        @pytest.mark.lambda_sources("rest-api")
        def test_own(lambda_client):
            values = lambda_client.get("/").json()
            assert (values["mode"], values["stage"]) == ("own", "prod")
            assert 800_000 < values["ms"] <= 900_000
        """
    )

    result = run.runpytest_inprocess("-rA")

    assert passed(result) == ["test_module[http-api-v2]", "test_own[rest-api]"]


def test_a_fixture_of_the_project_gives_the_app(run: pytest.Pytester) -> None:
    run.makeconftest(
        """
        import pytest

        @pytest.fixture
        def lambda_app():
            async def app(scope, receive, send):
                if scope["type"] == "http":
                    await send({"type": "http.response.start", "status": 204})
                    await send({"type": "http.response.body"})
            return app
        """
    )
    run.makepyfile("def test_app(lambda_client): assert lambda_client.get('/').status_code == 204")

    run.runpytest_inprocess().assert_outcomes(passed=1)


def test_without_an_app_the_error_names_what_to_do(run: pytest.Pytester) -> None:
    run.makeini("[pytest]")
    run.makepyfile("def test_app(lambda_client): pass")

    result = run.runpytest_inprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['*Set lambda_app = "main:app" in pytest*'])


def test_an_async_client_is_in_the_event_loop_of_the_test(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import asyncio, pytest

        pytestmark = pytest.mark.anyio

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        def lambda_app():
            async def app(scope, receive, send):
                if scope["type"] == "http":
                    loops.append(asyncio.get_running_loop())
                    await send({"type": "http.response.start", "status": 204})
                    await send({"type": "http.response.body"})
            loops = app.loops = []
            return app

        async def test_loop(async_lambda_client, lambda_app):
            async with async_lambda_client as client:
                assert (await client.get("/")).status_code == 204
            assert lambda_app.loops == [asyncio.get_running_loop()]
        """
    )

    run.runpytest_inprocess().assert_outcomes(passed=1)


FAILING = """
SECRET = "-".join(["secret", "value"])  # which is not on the lines that a failure shows

def test_fails(lambda_client):
    for number in range(4):
        lambda_client.get(f"/{number}")
    headers = {"authorization": f"Bearer {SECRET}", "cookie": f"session={SECRET}", "x-api-key": SECRET}
    response = lambda_client.post("/fail", headers=headers, content="x" * 2000)
    assert response.status_code == 200
"""


def test_a_failed_test_shows_its_last_invocations_without_secrets(run: pytest.Pytester) -> None:
    run.makepyfile(FAILING)

    result = run.runpytest_inprocess("--lambda-sources=all")

    result.assert_outcomes(failed=len(EVENT_SOURCES))
    sections = result.stdout.str().split("- Lambda invocations -")[1:]
    assert len(sections) == len(EVENT_SOURCES)
    for section in sections:
        for line in ("2 earlier invocations are not shown.", "Event: {", "Request: POST /fail", "Response: 500"):
            assert line in section
        assert "Error: KeyError: 'no-such-key'" in section
        assert "about to fail" in section
        assert "… (1500 more characters)" in section
        assert "  authorization: ***" in section
        assert "secret-value" not in section


def test_a_test_that_passes_shows_nothing(run: pytest.Pytester) -> None:
    run.makepyfile(SOURCE)

    assert "Lambda invocations" not in run.runpytest_inprocess("-rA").stdout.str()


def test_a_failed_test_shows_what_its_runtime_did(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import httpx

        def test_fails(runtime_api):
            httpx.post(f"http://{runtime_api.address}/2018-06-01/runtime/init/error", json={"errorType": "Own"})
            assert False
        """
    )

    result = run.runpytest_inprocess()

    result.stdout.fnmatch_lines(["*- Runtime API -*", '*POST /2018-06-01/runtime/init/error {"errorType":"Own"}'])


def test_tests_run_side_by_side(run: pytest.Pytester) -> None:
    run.makepyfile(SOURCE)

    result = run.runpytest_inprocess("-n2", "--lambda-sources=all")

    result.assert_outcomes(passed=len(EVENT_SOURCES))


def test_who_does_not_use_it_imports_nothing_for_it(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import sys

        def test_modules():
            ours = {name.removeprefix("lambda_web_adapter") for name in sys.modules if "lambda_web_adapter" in name}
            names = {name for name in ours if not name.startswith((".app_api", ".testing"))}
            assert ".testing.pytest_plugin" in ours
            assert names <= {"", ".errors", ".ipc", ".ipc.envelope"}
            assert not {"httpx", "orjson", "asyncio", "pydantic", "uvicorn", "http.server"} & set(sys.modules)
        """
    )
    plugins = ["-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:xdist", "-p", "no:timeout"]

    run.runpytest_subprocess(*plugins).assert_outcomes(passed=1)


def test_the_plugin_can_be_left_out(run: pytest.Pytester) -> None:
    run.makeini("[pytest]")
    run.makepyfile("import sys\ndef test_modules(): assert 'lambda_web_adapter' not in sys.modules")

    run.runpytest_subprocess("-p", "no:lambda_web_adapter").assert_outcomes(passed=1)


def test_pytest_is_not_needed_by_the_rest() -> None:
    program = "import sys, lambda_web_adapter.testing; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert {"pytest", "httpx", "lambda_web_adapter.testing.pytest_plugin"} & {*loaded} == set()


@pytest.mark.parametrize(
    ("options", "path"),
    [
        pytest.param({"stage": "prod"}, "/prod/x", id="stage"),
        pytest.param({"stage": "$default"}, "/x", id="default stage"),
        pytest.param({"base_path": "/shop", "stage": "prod"}, "/shop/x", id="base path"),
        pytest.param({"custom_domain": "shop.example.com", "stage": "prod"}, "/x", id="custom domain"),
    ],
)
def test_the_client_s_url_is_that_of_the_gateway(options: dict[str, str], path: str, run: pytest.Pytester) -> None:
    run.makepyfile(
        f"""
        import pytest

        @pytest.mark.lambda_options(**{options})
        def test_path(lambda_client):
            response = lambda_client.get("/x")
            assert (response.url.path, response.status_code) == ({path!r}, 200)
        """
    )

    run.runpytest_inprocess().assert_outcomes(passed=1)


def test_an_app_can_run_as_a_process(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import os, pytest

        @pytest.mark.lambda_options(as_process=True)
        @pytest.mark.lambda_environ(OWN_MODE="of the process")
        def test_process(lambda_client, lambda_transport):
            assert lambda_client.get("/").json()["mode"] == "of the process"
            assert lambda_transport.last.memory_mb > 0
            assert "OWN_MODE" not in os.environ
        """
    )

    run.runpytest_inprocess().assert_outcomes(passed=1)
