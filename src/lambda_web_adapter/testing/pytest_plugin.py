"""The pytest plugin: fixtures that send requests to an app as Lambda does, and the Runtime API for a runtime's tests.

Pytest imports this module in every run where the package is installed. It therefore imports nothing before a fixture
is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import httpx

    from lambda_web_adapter.testing.runtime_api import RuntimeApi
    from lambda_web_adapter.testing.transport import LambdaTransport

_DEFAULT_SOURCE = "http-api-v2"
_ALL = "all"
_URL = "https://test"
_MARKERS = (
    'lambda_sources(*sources): the event sources of the test, such as "alb", "rest-api", or "all"',
    'lambda_environ(**variables): environment variables of the function, such as AWS_LWA_INVOKE_MODE="response_stream"',
    'lambda_options(**options): options of LambdaTransport, such as stage="prod", timeout=3',
)
# Arguments of LambdaTransport that are no options, and what has them.
_NO_OPTIONS = {
    "app": "the fixture or setting lambda_app",
    "event_source": "the marker lambda_sources",
    "environ": "the marker lambda_environ",
}
_TRANSPORTS = pytest.StashKey[list["LambdaTransport"]]()
_RUNTIME_APIS = pytest.StashKey[list["RuntimeApi"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--lambda-sources`, and the keys of the configuration file."""
    group = parser.getgroup("lambda", "lambda-web-adapter")
    group.addoption(
        "--lambda-sources",
        metavar="SOURCES",
        help=f"event sources that lambda_client sends with, separated by commas, or all (default: {_DEFAULT_SOURCE})",
    )
    parser.addini("lambda_sources", "event sources that lambda_client sends with, or all", "args", [_DEFAULT_SOURCE])
    parser.addini("lambda_app", "the app of lambda_client, such as main:app")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and check the event sources.

    Raises:
        UsageError: There is no such event source.
    """
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    try:
        _parse_sources(_configured_sources(config))
    except ValueError as error:
        raise pytest.UsageError(f"--lambda-sources or lambda_sources: {error}") from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that has `lambda_client`, or what it is made of, once for each event source."""
    if "lambda_source" not in metafunc.fixturenames:
        return
    try:
        sources = _parse_sources(_sources_of(metafunc.definition))
    except ValueError as error:
        raise pytest.Collector.CollectError(f"{metafunc.definition.nodeid}: lambda_sources: {error}") from None
    metafunc.parametrize("lambda_source", sources, ids=sources)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Add what the adapter and the app did to the report of a failed test."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    if not report.failed:
        return
    for transport in item.stash.get(_TRANSPORTS, []):
        from lambda_web_adapter.testing.invocation_report import describe_invocations

        report.sections.append(("Lambda invocations", describe_invocations(transport.history)))
    for api in item.stash.get(_RUNTIME_APIS, []):
        report.sections.append(("Runtime API", api.describe()))


@pytest.fixture
def lambda_source(request: pytest.FixtureRequest) -> str:
    """Return the name of the event source that the test runs with; the first one for `request.getfixturevalue`."""
    return _parse_sources(_sources_of(request.node))[0]


@pytest.fixture
def lambda_app(pytestconfig: pytest.Config) -> Any:
    """Return the app: an object or a name such as `main:app`. Override it, or set `lambda_app` in the configuration."""
    name = pytestconfig.getini("lambda_app")
    if not name:
        raise pytest.UsageError(
            'Which app? Set lambda_app = "main:app" in pytest\'s configuration, '
            "or define a fixture lambda_app that returns the app or its name."
        )
    return name


@pytest.fixture
def lambda_transport(request: pytest.FixtureRequest, lambda_app: Any, lambda_source: str) -> Iterator[LambdaTransport]:
    """Return a `LambdaTransport` with the app, closed after the test."""
    from lambda_web_adapter.testing import LambdaTransport

    environ = _merge_markers(request.node, "lambda_environ")
    options = _merge_markers(request.node, "lambda_options")
    _check_options(options)
    with LambdaTransport(lambda_app, lambda_source, environ=environ, **options) as transport:
        request.node.stash.setdefault(_TRANSPORTS, []).append(transport)
        yield transport


@pytest.fixture
def lambda_client(request: pytest.FixtureRequest, lambda_transport: LambdaTransport) -> Iterator[httpx.Client]:
    """Return an `httpx.Client` whose requests the app gets as on Lambda."""
    import httpx

    client = httpx.Client(transport=lambda_transport, base_url=_base_url_of(request.node))
    yield client  # not entered, so that a test may do so
    client.close()


@pytest.fixture
def async_lambda_client(request: pytest.FixtureRequest, lambda_transport: LambdaTransport) -> httpx.AsyncClient:
    """Return an `httpx.AsyncClient` for `async with` in the test, whose event loop the app then shares."""
    import httpx

    return httpx.AsyncClient(transport=lambda_transport, base_url=_base_url_of(request.node))


@pytest.fixture
def runtime_api(request: pytest.FixtureRequest) -> Iterator[RuntimeApi]:
    """Return a `RuntimeApi` that listens, closed after the test."""
    from lambda_web_adapter.testing import RuntimeApi

    with RuntimeApi() as api:
        request.node.stash.setdefault(_RUNTIME_APIS, []).append(api)
        yield api


def _configured_sources(config: pytest.Config) -> list[str]:
    option: str | None = config.getoption("lambda_sources")
    sources: list[str] = config.getini("lambda_sources") if option is None else option.split(",")
    return sources


def _sources_of(item: pytest.Item) -> list[str]:
    marker = item.get_closest_marker("lambda_sources")
    return list(marker.args) if marker else _configured_sources(item.config)


def _parse_sources(sources: list[str]) -> list[str]:
    """Return the names of event sources, each once.

    Raises:
        ValueError: There is no such event source, none is named, or a marker has something else, such as a list.
    """
    if not all(isinstance(name, str) for name in sources):
        raise ValueError(f"expected names, got {', '.join(map(repr, sources))}")
    names = [name.strip(", ") for name in sources]
    if names == [_DEFAULT_SOURCE]:
        return names
    from lambda_web_adapter.local.event_sources import EVENT_SOURCES

    if names == [_ALL]:
        return list(EVENT_SOURCES)
    unknown = [name for name in names if name not in EVENT_SOURCES]
    if unknown or not names:
        raise ValueError(
            f"expected {', '.join(EVENT_SOURCES)} or all, got {', '.join(map(repr, unknown)) or 'nothing'}"
        )
    return list(dict.fromkeys(names))


def _check_options(options: dict[str, Any]) -> None:
    """Check that options are those of `LambdaTransport`.

    Raises:
        UsageError: One is not; the message says what to use.
    """
    from difflib import get_close_matches
    from inspect import signature

    from lambda_web_adapter.testing import LambdaTransport

    names = [name for name in signature(LambdaTransport).parameters if name not in _NO_OPTIONS]
    for name in options:
        if name in _NO_OPTIONS:
            raise pytest.UsageError(f"lambda_options has {name!r}: use {_NO_OPTIONS[name]} instead.")
        if name not in names:
            match = get_close_matches(name, names, 1)
            hint = f"did you mean {match[0]!r}?" if match else f"expected {', '.join(names)}."
            raise pytest.UsageError(f"lambda_options has {name!r}, which is no option of LambdaTransport: {hint}")


def _base_url_of(item: pytest.Item) -> str:
    """Return the URL of the gateway: as on AWS, an API's base path, or else its stage, is part of it."""
    options = _merge_markers(item, "lambda_options")
    stage = options.get("stage", "")
    if options.get("custom_domain") or options.get("base_path") or stage in ("", "$default"):
        return f"{_URL}{options.get('base_path', '')}"
    return f"{_URL}/{stage}"


def _merge_markers(item: pytest.Item, name: str) -> dict[str, Any]:
    """Return the keyword arguments of all markers of a name; those of the function come before its module's.

    Raises:
        UsageError: A marker has other arguments.
    """
    merged: dict[str, Any] = {}
    for marker in item.iter_markers(name):
        if marker.args:
            raise pytest.UsageError(
                f"{name} takes keyword arguments only, but has {', '.join(map(repr, marker.args))}."
            )
        merged = {**marker.kwargs, **merged}
    return merged
