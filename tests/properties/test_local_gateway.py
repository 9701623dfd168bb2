"""The local gateway's event means the request it was made from: two independent codes check each other."""

import json
from typing import TYPE_CHECKING, Any, cast

from hypothesis import example, given

from lambda_web_adapter.events import source_of, to_request
from lambda_web_adapter.events.function_url import FunctionUrl
from lambda_web_adapter.local.function_url import event_of, response_of
from lambda_web_adapter.messages import Response
from lambda_web_adapter.settings import Settings
from properties.gateways import ADDRESS, Client
from properties.strategies import clients, responses

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

# Written by the gateway itself.
OWN = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "content-length", "cookie"}


def scope_of(client: Client) -> "HTTPScope":
    headers = [(name.lower().encode(), value.encode()) for name, value in client.headers]
    headers += [(b"cookie", cookie.encode()) for cookie in client.cookies]
    return cast(
        "HTTPScope",
        {
            "type": "http",
            "method": client.method,
            "raw_path": client.raw_path.encode(),
            "query_string": client.raw_query.encode(),
            "headers": headers,
            "client": (ADDRESS, 50000),
            "server": ("127.0.0.1", 8000),
        },
    )


@given(clients)
@example(
    Client(method="GET", raw_path="/a%2Fb//c/%25", query=[("a", "%26")], headers=[], cookies=["a=1"], body=b"\xff")
)
def test_a_request_comes_back_from_its_event(client: Client) -> None:
    event = json.loads(event_of(scope_of(client), client.body).to_json())

    made = to_request(source_of(event), event, Settings(), b"")

    joined: dict[str, str] = {}
    for name, value in client.headers:
        lower = name.lower()
        joined[lower] = f"{joined[lower]},{value}" if lower in joined else value
    assert (made.method, made.path, made.query, made.body) == (
        client.method,
        client.raw_path,
        client.raw_query,
        client.body,
    )
    assert (made.client, made.prefix) == (ADDRESS, "")
    assert {name: value for name, value in made.headers if name not in OWN} == joined
    assert [value for name, value in made.headers if name == "cookie"] == (
        ["; ".join(client.cookies)] if client.cookies else []
    )


@given(responses)
@example(Response(status=204))
@example(Response(status=304, headers=[(b"content-type", b"text/plain")]))
def test_a_response_comes_back_from_its_reply(response: Response) -> None:
    status, headers, body = response_of(FunctionUrl().reply(response, {}))

    assert (status, body) == (response.status, response.body)
    sent = _lines(response)
    assert [value for name, value in headers if name == "set-cookie"] == sent.pop("set-cookie", [])
    arrived: dict[str, Any] = {name.lower(): value for name, value in headers if name != "set-cookie"}
    if response.status not in (204, 304):  # which have no content, and so no type (RFC 9110 §15.3.5, §15.4.5)
        sent.setdefault("content-type", ["application/json"])
    assert arrived == {name: ", ".join(values) for name, values in sent.items()}


def _lines(response: Response) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in response.headers:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        found.setdefault(name.decode().lower(), []).append(text)
    return found
