"""`--listen`: several gateways, each on an address of its own."""

from __future__ import annotations

import re

import pytest

from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.listeners import Listener, format_url, parse_listeners
from lambda_web_adapter.local.option_error import OptionError

SOURCES = (*EVENT_SOURCES, "websocket")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("alb:8001", ("alb", "127.0.0.1", 8001), id="a port"),
        pytest.param("rest-api:0", ("rest-api", "127.0.0.1", 0), id="a free port"),
        pytest.param("alb:0.0.0.0:8001", ("alb", "0.0.0.0", 8001), id="an address"),
        pytest.param("alb:localhost:8001", ("alb", "localhost", 8001), id="a name"),
        pytest.param("vpc-lattice-v2:[::1]:65535", ("vpc-lattice-v2", "::1", 65535), id="IPv6"),
        pytest.param("websocket:8003", ("websocket", "127.0.0.1", 8003), id="the WebSocket API"),
    ],
)
def test_a_listener_has_a_source_and_an_address(value: str, expected: tuple[str, str, int]) -> None:
    source, host, port = expected

    assert parse_listeners([value], "127.0.0.1", SOURCES) == (Listener(source=source, host=host, port=port),)


def test_every_gateway_can_be_served_and_the_websocket_api() -> None:
    found = parse_listeners([f"{name}:{port}" for port, name in enumerate(SOURCES, 8000)], "::1", SOURCES)

    assert [listener.source for listener in found] == [*EVENT_SOURCES, "websocket"]
    assert {listener.host for listener in found} == {"::1"}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        pytest.param(["alb"], "--listen is 'alb', but it takes NAME:PORT or NAME:HOST:PORT, such as", id="no port"),
        pytest.param(["8001"], "--listen is '8001', but", id="no source"),
        pytest.param([":8001"], "--listen is ':8001', but", id="an empty source"),
        pytest.param(["alb:"], "--listen is 'alb:', but", id="an empty port"),
        pytest.param(["alb:65536"], "--listen is 'alb:65536', but", id="a port too high"),
        pytest.param(["alb:-1"], "--listen is 'alb:-1', but", id="a negative port"),
        pytest.param(["alb:::1:8001"], "such as alb:8001, alb:0.0.0.0:8001 or alb:[::1]:8001.", id="no brackets"),
        pytest.param(["abl:8001"], "--listen: There is no event source 'abl'. Did you mean alb?", id="misspelled"),
        pytest.param(["http-api:1"], "Did you mean http-api-v", id="without its version"),
        pytest.param(["REST-API:1"], "Did you mean rest-api?", id="in capitals"),
        pytest.param(
            ["nginx:1"], "There is no event source 'nginx'. There are function-url, http", id="nothing like it"
        ),
        pytest.param(
            ["alb:8001", "rest-api:8001"],
            "--listen has port 8001 of 127.0.0.1 for both alb and rest-api.",
            id="the same port",
        ),
    ],
)
def test_anything_else_is_explained(values: list[str], error: str) -> None:
    with pytest.raises(OptionError, match=re.escape(error)):
        parse_listeners(values, "127.0.0.1")


def test_one_source_may_have_several_ports_and_one_port_several_hosts() -> None:
    assert len(parse_listeners(["alb:8001", "alb:8002", "alb:[::1]:8001", "alb:0", "alb:0"], "127.0.0.1")) == 5


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        pytest.param(("http", "127.0.0.1", 8000, ""), "http://127.0.0.1:8000", id="http"),
        pytest.param(("https", "::1", 8443, "/prod"), "https://[::1]:8443/prod", id="IPv6, below a stage"),
        pytest.param(("https", "localhost", 443, ""), "https://localhost", id="https on its own port"),
        pytest.param(("http", "localhost", 443, ""), "http://localhost:443", id="http on another port"),
    ],
)
def test_a_url_can_be_opened(parts: tuple[str, str, int, str], url: str) -> None:
    assert format_url(*parts) == url
