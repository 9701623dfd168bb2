"""The second oracle: real apps behind the real servers read of a translated request what the client has sent.

Nothing here reads the bytes with code of the adapter's or of the tests': the servers parse and decode them, as they do
on Lambda.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_to_bytes

import pytest
from app.client import Client as Hop
from app.serving import Served, serving
from hypothesis import example, given
from hypothesis import strategies as st

from properties.gateways import ADDRESS, DECODED_PATH, GATEWAYS, Client, headers_that_arrive, query_that_arrives
from properties.other_services import AgentCall, bedrock_agent
from properties.strategies import EVERYTHING_ON, agent_calls, clients, gateways
from properties.translating import sent

APPS = Path(__file__).parent / "apps"
# Not the client's: written by the gateways of these tests, or by the adapter for the app's server.
ADDED = {"content-length", "cookie", "host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-prefix"}
ADDED |= {"x-forwarded-proto", "x-real-ip"}
PREFIX = {"rest-api": "/prod"}
ODD = Client(
    method="HEAD",
    raw_path="/a%2Fb//c/../%25%2e/%E4%BD%A0%ff",
    query=[("a", "%26+%20"), ("a", ""), ("b%26", "1")],
    headers=[("X-Tag", "å"), ("x-tag", ""), ("x-tag", "b")],
    cookies=["a=1", "b=2"],
    body=b"",
)


class Echo:
    """One connection to an app that tells what it has read, kept as on Lambda."""

    def __init__(self, served: Served, hop: Hop) -> None:
        self._served = served
        self._hop = hop

    def seen(self, request: bytes) -> dict[str, Any]:
        self._hop.send(request)
        response = self._hop.response(request.partition(b" ")[0].decode())
        assert response.status == 200, response
        # Also so that the channel, which nobody else reads here, never fills up.
        assert self._served.word(self._hop.name) == "done"
        found = json.loads(response.values("x-seen")[0])
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="module")
def wsgi() -> Iterator[Echo]:
    with serving("echo:wsgi", folder=APPS) as served, served.connect() as hop:
        yield Echo(served, hop)


@pytest.fixture(scope="module")
def asgi() -> Iterator[Echo]:
    with serving("echo:asgi", folder=APPS) as served, served.connect() as hop:
        yield Echo(served, hop)


def latin(text: str | bytes) -> str:
    """Bytes as the apps tell them."""
    return (text.encode() if isinstance(text, str) else text).decode("latin-1")


def assert_query_arrived(gateway: str, client: Client, query: str) -> None:
    found = parse_qsl(query, keep_blank_values=True)
    expected = query_that_arrives(gateway, client.query)
    decoded = parse_qsl("&".join(f"{key}={value}" for key, values in expected.items() for value in values), True)
    assert Counter(found) == Counter(decoded)


@given(gateway=gateways, client=clients)
@example(gateway="alb-multi", client=ODD)
@example(gateway="http-api-v2", client=ODD)
@example(
    gateway="http-api-v2", client=Client(method="GET", raw_path="/%2541", query=[], headers=[], cookies=[], body=b"")
)
def test_a_wsgi_app_reads_what_the_client_has_sent(wsgi: Echo, gateway: str, client: Client) -> None:
    found = wsgi.seen(sent(GATEWAYS[gateway](client)))

    in_utf8 = unquote(client.raw_path).encode()  # what was no UTF-8 in it is lost where the path comes decoded
    assert found["path"] == latin(in_utf8 if gateway in DECODED_PATH else unquote_to_bytes(client.raw_path))
    assert (found["method"], found["root"]) == (client.method, PREFIX.get(gateway, ""))
    assert (found["client"], found["body"]) == (ADDRESS, latin(client.body))
    assert_query_arrived(gateway, client, found["query"])
    cookies = [value for name, value in found["headers"] if name == "HTTP_COOKIE"]
    assert cookies == (["; ".join(client.cookies)] if client.cookies else [])
    # CGI writes names in capitals, `-` as `_`, and has one value for each (RFC 3875 §4.1.18); `_` itself is left out.
    expected: dict[str, list[str]] = {}
    for name, values in headers_that_arrive(gateway, client.headers).items():
        if "_" not in name:
            expected.setdefault(_in_cgi(name), []).extend(latin(value) for value in values)
    added = {_in_cgi(name) for name in ADDED}
    arrived = {name: _items(value) for name, value in found["headers"] if name not in added}
    assert arrived == {name: _items(",".join(values)) for name, values in expected.items()}


@given(gateway=gateways, client=clients)
@example(gateway="alb-multi", client=ODD)
@example(gateway="http-api-v2", client=ODD)
def test_an_asgi_app_reads_what_the_client_has_sent(asgi: Echo, gateway: str, client: Client) -> None:
    found = asgi.seen(sent(GATEWAYS[gateway](client)))

    prefix = PREFIX.get(gateway, "")
    assert found["path"] == prefix + unquote(client.raw_path)
    assert found["raw_path"] == prefix + client.raw_path or gateway in DECODED_PATH
    assert (found["method"], found["root"]) == (client.method, prefix)
    assert (found["client"], found["body"]) == (ADDRESS, latin(client.body))
    assert_query_arrived(gateway, client, found["query"])
    arrived: dict[str, list[str]] = {}
    for name, value in found["headers"]:
        arrived.setdefault(name, []).append(value.strip(" "))  # httptools leaves spaces behind a value (RFC 9112 §5.1)
    assert arrived.pop("cookie", []) == (["; ".join(client.cookies)] if client.cookies else [])
    expected = headers_that_arrive(gateway, client.headers)
    assert {name: Counter(values) for name, values in arrived.items() if name not in ADDED} == {
        name: Counter(map(latin, values)) for name, values in expected.items()
    }


@given(call=agent_calls, kind=st.sampled_from(["wsgi", "asgi"]))
def test_either_app_reads_an_agents_call(wsgi: Echo, asgi: Echo, call: AgentCall, kind: str) -> None:
    found = {"wsgi": wsgi, "asgi": asgi}[kind].seen(sent(bedrock_agent(call), EVERYTHING_ON))

    texts = [segment if isinstance(segment, str) else segment.text for segment in call.segments]
    path = "/" + "/".join(texts)
    assert found["path"] == (latin(path) if kind == "wsgi" else path)
    assert found["method"] == call.method


def _items(value: str) -> Counter[str]:
    """The items of a list, in any order, without the spaces around each (RFC 9110 §5.6.1)."""
    return Counter(item.strip(" ") for item in value.split(","))


def _in_cgi(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")
