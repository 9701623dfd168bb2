"""Through each local gateway and back: the request that the app gets, the response that the client gets.

The gateways of `lambda_web_adapter.local` were written from AWS's pages without a look at `events`, and the other way
round, so each checks the other. `LOSSES` says all that may be lost, as docs/event-sources.md does for people.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

import h11
import pytest
from hypothesis import example, given
from support.whole_request import request_bytes

from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.http.headers import end_to_end
from lambda_web_adapter.http.messages import Response
from lambda_web_adapter.local.gateways import GATEWAYS, Gateway, GatewayOptions, Request, build_gateway
from lambda_web_adapter.local.gateways.cors import Cors
from lambda_web_adapter.settings import Settings
from properties.gateways import ADDRESS, Client, Pairs
from properties.strategies import LISTED, clients, listed_headers, raw_queries, responses
from properties.translating import INVOCATION

Lines = dict[str, list[str]]  # values by name in lower case


def kept(values: list[str]) -> list[str]:
    return values


def last(values: list[str]) -> list[str]:
    return values[-1:]


def joined(joint: str) -> Callable[[list[str]], list[str]]:
    """Repeats become one value; spaces at its ends are no part of it (RFC 9110 §5.5)."""
    return lambda values: [joint.join(values).strip(" ")]


@dataclass(frozen=True, kw_only=True)
class Losses:
    """What is not the same behind a gateway.

    Attributes:
        lines: what becomes of a request header's values.
        cookies: what becomes of the lines of Cookie.
        parameters: what becomes of the values of one parameter; None where the query is the same byte for byte.
        decoded: whether the path is decoded, so that `%2F` is a slash, and what is no UTF-8 is gone.
        answered: what becomes of a response header's values.
        content_type: what the client is told when the app says nothing.
        renamed: response headers that the gateway keeps to itself, and shows under another name.
    """

    lines: Callable[[list[str]], list[str]] = kept
    cookies: Callable[[list[str]], list[str]] = kept
    parameters: Callable[[list[str]], list[str]] | None = kept
    decoded: bool = False
    answered: Callable[[list[str]], list[str]] = kept
    content_type: str = ""
    renamed: frozenset[str] = frozenset()


COMMA_BACK = joined(", ")
LOSSES = {
    "function-url": Losses(
        lines=joined(","),
        parameters=None,
        answered=COMMA_BACK,
        content_type="application/json",
        renamed=frozenset({"www-authenticate"}),
    ),
    "http-api-v2": Losses(
        lines=joined(","),
        parameters=None,
        decoded=True,
        answered=COMMA_BACK,
        content_type="text/plain; charset=utf-8",
    ),
    "http-api-v1": Losses(content_type="text/plain; charset=utf-8"),
    "rest-api": Losses(content_type="application/json", renamed=frozenset({"date", "server", "www-authenticate"})),
    "alb": Losses(lines=last, cookies=last, parameters=last, answered=COMMA_BACK),
    "alb-multi": Losses(),
    "vpc-lattice-v1": Losses(lines=joined(", "), parameters=None, answered=COMMA_BACK),
    "vpc-lattice-v2": Losses(parameters=None, answered=COMMA_BACK),
}
# Written by the gateway or by the adapter: each is looked at by name.
ADDED = {"content-length", "cookie", "host", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port"}
ADDED |= {"x-forwarded-proto", "x-real-ip"}
# Gateways pass these on in neither direction (RFC 9110 §7.6.1), nor does the adapter.
BETWEEN_NEIGHBOURS = {"connection", "content-length", "keep-alive", "proxy-authenticate", "proxy-authorization"}
BETWEEN_NEIGHBOURS |= {"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
every_gateway = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in LOSSES])


def asked(client: Client, *more: tuple[str, str]) -> Request:
    return Request(
        method=client.method,
        raw_path=client.raw_path,
        query=client.raw_query,
        headers=[("Host", "shop.example"), *more, *client.headers, *(("cookie", cookie) for cookie in client.cookies)],
        body=client.body,
        source_ip=ADDRESS,
        port=8000,
    )


def event_of(gateway: Gateway, request: Request) -> Any:
    return json.loads(gateway.event(request).to_json())


def arrived(gateway: Gateway, request: Request, **variables: str) -> tuple[h11.Request, bytes]:
    """The request as a server reads it: from the local gateway's event through the adapter, as bytes."""
    event, settings = event_of(gateway, request), Settings.from_environ(variables)
    server = h11.Connection(h11.SERVER)
    server.receive_data(request_bytes(build_request(find_source(event), event, settings, b""), INVOCATION))
    head, body = server.next_event(), b""
    assert isinstance(head, h11.Request)
    while isinstance(part := server.next_event(), h11.Data):
        body += part.data
    assert isinstance(part, h11.EndOfMessage)
    assert server.trailing_data == (b"", False)
    return head, body


def by_name(pairs: Pairs) -> Lines:
    found: Lines = {}
    for name, value in pairs:
        found.setdefault(name.lower(), []).append(value)
    return found


def parameters(pairs: Pairs) -> Lines:
    found: Lines = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def test_every_local_gateway_is_held_to_its_losses() -> None:
    assert LOSSES.keys() == GATEWAYS.keys()


@every_gateway
@given(client=clients, listed=listed_headers)
@example(
    client=Client(
        method="DELETE",
        raw_path="/a%2Fb//c/%25/../%e4",
        query=[("a", "%26"), ("b", ""), ("a", "+")],
        headers=[("X-Tag", "å"), ("x-tag", ""), ("X-TAG", "b, c")],
        cookies=["a=1", "b=2"],
        body=b"\xff",
    ),
    listed=[("X-Real-IP", "10.0.0.1"), ("x-amzn-event-source", "sqs")],
)
def test_the_app_gets_the_request_that_the_client_sent(name: str, client: Client, listed: Pairs) -> None:
    losses = LOSSES[name]

    head, body = arrived(GATEWAYS[name], asked(client, *listed))

    assert (head.method.decode(), body) == (client.method, client.body)
    path, _, query = head.target.decode().partition("?")
    assert path == client.raw_path or (losses.decoded and unquote(path) == unquote(client.raw_path))
    found = by_name([(key.decode(), value.decode()) for key, value in head.headers])
    assert {key: values for key, values in found.items() if key not in ADDED} == {
        key: losses.lines(values) for key, values in by_name(client.headers).items()
    }
    assert found.keys() & LISTED <= {"content-length", "x-real-ip"}
    assert (found["host"], found["x-real-ip"]) == (["shop.example"], [ADDRESS])
    assert found.get("cookie", []) == (["; ".join(losses.cookies(client.cookies))] if client.cookies else [])
    if losses.parameters is None:
        assert query == client.raw_query
    else:
        sent = parameters(client.query)
        left = "&".join(f"{key}={value}" for key, values in sent.items() for value in losses.parameters(values))
        assert sorted(parse_qsl(query, True)) == sorted(parse_qsl(left, True))


@pytest.mark.parametrize("name", sorted(name for name, losses in LOSSES.items() if losses.parameters is None))
@given(client=clients, query=raw_queries)
@example(client=Client(method="GET", raw_path="/", query=[], headers=[], cookies=[], body=b""), query="?a=?&&b&=c%zz+")
def test_a_query_that_is_no_list_of_pairs_arrives_byte_for_byte(name: str, client: Client, query: str) -> None:
    request = asked(client)
    head, _ = arrived(GATEWAYS[name], Request(method=request.method, raw_path=request.raw_path, query=query))

    assert head.target.decode().partition("?")[2] == query


def text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def lines_left(losses: Losses, response: Response) -> Lines:
    lines = by_name([(text(spelled), text(value)) for spelled, value in response.headers])
    if losses.content_type and response.status not in (204, 304):  # these have no content, and so no type of it
        lines.setdefault("content-type", [losses.content_type])
    answered = {
        key: [value.strip(" ") for value in (kept if key == "set-cookie" else losses.answered)(values)]
        for key, values in lines.items()
        if key not in BETWEEN_NEIGHBOURS
    }
    return {f"x-amzn-remapped-{key}" if key in losses.renamed else key: values for key, values in answered.items()}


@every_gateway
@given(response=responses)
@example(response=Response(status=204))
@example(response=Response(status=304, headers=[(b"content-type", b"text/plain")]))
@example(response=Response(status=200, headers=[(b"set-cookie", b"a=1"), (b"Set-Cookie", b"b=2")], body=b"\x89PNG"))
@example(response=Response(status=401, headers=[(b"WWW-Authenticate", b"Basic"), (b"Server", b"a"), (b"date", b"b")]))
@example(response=Response(status=200, headers=[(b"content-encoding", b"gzip")], body=b"hello"))
def test_the_client_gets_the_response_that_the_app_sent(name: str, response: Response) -> None:
    event = event_of(GATEWAYS[name], Request(method="GET", raw_path="/"))

    back = GATEWAYS[name].response(find_source(event).build_reply(end_to_end(response, "GET"), event))

    assert (back.status, back.body) == (response.status, response.body)
    found = by_name(back.headers)
    assert {key: [value.strip(" ") for value in values] for key, values in found.items()} == lines_left(
        LOSSES[name], response
    )


APIS = ["http-api-v1", "http-api-v2", "rest-api"]


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize(
    ("options", "variables"),
    [
        pytest.param(GatewayOptions(stage="prod"), {}, id="stage"),
        pytest.param(GatewayOptions(base_path="/shop/v1"), {"AWS_LWA_REMOVE_BASE_PATH": "/shop/v1"}, id="base path"),
    ],
)
@given(client=clients)
@example(client=Client(method="GET", raw_path="//prod/%2Fshop/", query=[], headers=[], cookies=[], body=b""))
@example(client=Client(method="GET", raw_path="/", query=[], headers=[], cookies=[], body=b""))
def test_what_urls_begin_with_reaches_the_app_apart_from_the_path(
    name: str, options: GatewayOptions, variables: dict[str, str], client: Client
) -> None:
    gateway = build_gateway(name, options)
    request = replace(asked(client), raw_path=f"{gateway.prefix}{client.raw_path}")

    assert gateway.own_response(request) is None
    head, body = arrived(gateway, request, **variables)

    path = head.target.decode().partition("?")[0]
    assert path == client.raw_path or (LOSSES[name].decoded and unquote(path) == unquote(client.raw_path))
    headers = by_name([(key.decode(), value.decode()) for key, value in head.headers])
    assert (headers["x-forwarded-prefix"], headers["host"]) == ([gateway.prefix], ["shop.example"])
    assert body == client.body


@pytest.mark.parametrize("name", APIS)
@given(client=clients)
def test_an_app_on_a_custom_domain_sees_its_name_and_the_whole_path(name: str, client: Client) -> None:
    gateway = build_gateway(name, GatewayOptions(custom_domain="api.example.com", stage="prod"))

    head, _ = arrived(gateway, asked(client))

    path = head.target.decode().partition("?")[0]
    assert path == client.raw_path or (LOSSES[name].decoded and unquote(path) == unquote(client.raw_path))
    headers = by_name([(key.decode(), value.decode()) for key, value in head.headers])
    assert headers["host"] == ["api.example.com"]
    assert "x-forwarded-prefix" not in headers


@given(client=clients)
def test_with_all_types_binary_every_body_reaches_the_app(client: Client) -> None:
    gateway = build_gateway("rest-api", GatewayOptions(binary_media_types=("*/*",)))

    assert arrived(gateway, asked(client))[1] == client.body


@given(client=clients)
def test_without_binary_types_a_body_reaches_the_app_as_utf_8(client: Client) -> None:
    gateway = build_gateway("rest-api", GatewayOptions(binary_media_types=()))

    assert arrived(gateway, asked(client))[1] == client.body.decode("utf-8", "replace").encode()


@given(response=responses)
@example(response=Response(status=200, headers=[(b"content-type", b"image/png")], body=b"\x89PNG"))
@example(response=Response(status=200, headers=[(b"content-type", b"text/plain")], body="ö".encode()))
def test_without_binary_types_the_client_gets_text_or_base64(response: Response) -> None:
    gateway = build_gateway("rest-api", GatewayOptions(binary_media_types=()))
    request = Request(method="GET", raw_path="/", headers=[("accept", "image/png")])
    event = event_of(gateway, request)

    reply = find_source(event).build_reply(end_to_end(response, "GET"), event)
    back = gateway.finish(gateway.response(reply), request)

    is_base64 = json.loads(reply).get("isBase64Encoded", False)
    assert back.body == (base64.b64encode(response.body) if is_base64 else response.body)


@given(response=responses)
@example(response=Response(status=200, headers=[(b"access-control-allow-origin", b"*"), (b"vary", b"Accept")]))
def test_cors_adds_headers_and_changes_nothing_else(response: Response) -> None:
    gateway = build_gateway("function-url", GatewayOptions(cors=Cors(allow_origins=["http://localhost:5173"])))
    request = Request(method="GET", raw_path="/", headers=[("origin", "http://localhost:5173")])
    event = event_of(gateway, request)
    plain = gateway.response(find_source(event).build_reply(end_to_end(response, "GET"), event))

    back = gateway.finish(plain, request)

    added = [("access-control-allow-origin", "http://localhost:5173"), ("vary", "Origin")]
    assert (back.status, back.headers, back.body) == (plain.status, [*plain.headers, *added], plain.body)
