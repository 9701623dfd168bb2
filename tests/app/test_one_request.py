"""One request is one request, whatever its method asks for and its body holds: nobody speaks for the next client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from app.client import Broken, Client, Response, request
from app.serving import Served, serving
from hypothesis import given, settings
from hypothesis import strategies as st

# All that the parser knows (RFC 9110 §9, WebDAV and others).
METHODS = [
    "ACL",
    "BIND",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "M-SEARCH",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "NOTIFY",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
]
UPGRADES: tuple[list[tuple[str, str]], ...] = (
    [],
    [("Connection", "upgrade"), ("Upgrade", "h2c")],
    [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")],
    [("Upgrade", "websocket"), ("Connection", "keep-alive, Upgrade"), ("Sec-WebSocket-Version", "13")],
    [("Connection", "upgrade"), ("Upgrade", "TLS/1.0, HTTP/1.1"), ("Expect", "100-continue")],
    [("Upgrade", "h2c")],
    [("Connection", "upgrade")],
)
FORGED = b"POST /events HTTP/1.1\r\nHost: app.test\r\nX-Amzn-Event-Source: sqs\r\nContent-Length: 2\r\n\r\n{}"
ENVELOPE = b"\0" + (9).to_bytes(4, "big") + b"\n1\n7\n\n\n\n\n"
IN_FRONT = st.sampled_from([b"", b"\r\n", b"\n", b"\0", ENVELOPE]) | st.binary(max_size=20)
BODIES = st.binary(max_size=200) | st.builds(
    lambda front, times, forged: front * times + forged, IN_FRONT, st.integers(1, 5), st.sampled_from([b"", FORGED])
)
LARGE = st.sampled_from([b"\r\n" * 250_000 + FORGED, b"\r\n" * 33_000 + FORGED, b"x" * 70_000 + FORGED])


@pytest.fixture(scope="module", params=["counting:app", "counting:wsgi"], ids=["asgi", "wsgi"])
def counting(request: pytest.FixtureRequest) -> Iterator[Served]:
    with serving(request.param) as served:
        yield served


def response(client: Client, method: str, headers: list[tuple[str, str]]) -> Response:
    """The final response."""
    if "Expect" in dict(headers):
        assert client.head().status == 100
    return client.response(method)


def taken(served: Served) -> list[str]:
    """What has reached the app since this was asked last."""
    with served.connect() as client:
        return client.ask("GET", "/taken").body.decode().splitlines()


def in_chunks(body: bytes) -> bytes:
    return (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"


def send(client: Client, data: bytes) -> None:
    """Send what a server may refuse to read to its end."""
    try:
        client.send(data)
    except ConnectionError:
        return


@given(
    method=st.sampled_from(METHODS),
    upgrade=st.sampled_from(UPGRADES),
    body=BODIES,
    chunked=st.booleans(),
    cut=st.integers(0, 500),
)
@settings(max_examples=150, deadline=None)
def test_one_request_reaches_the_app_whatever_its_method_asks_for(
    counting: Served, method: str, upgrade: list[tuple[str, str]], body: bytes, chunked: bool, cut: int
) -> None:
    framing = [("Transfer-Encoding", "chunked")] if chunked else []
    data = request(method, "/first", *upgrade, *framing, body=in_chunks(body) if chunked else body)
    with counting.connect() as client:
        send(client, data[:cut])
        send(client, data[cut:])
        check_only(counting, client, method, upgrade)


@given(method=st.sampled_from(METHODS), upgrade=st.sampled_from(UPGRADES), body=LARGE)
@settings(max_examples=20, deadline=None)
def test_a_request_in_a_large_body_does_not_reach_the_app(
    counting: Served, method: str, upgrade: list[tuple[str, str]], body: bytes
) -> None:
    with counting.connect() as client:
        send(client, request(method, "/first", *upgrade, body=body))
        check_only(counting, client, method, upgrade)


def check_only(counting: Served, client: Client, method: str, upgrade: list[tuple[str, str]]) -> None:
    """Check that one request has reached the app, and that the connection goes on, or has ended with it."""
    expected = [f"{method} /first"]
    try:
        answer = response(client, method, upgrade)
    except Broken:  # closed while bytes for another protocol were still on their way, which resets the connection
        assert method == "CONNECT"
        assert taken(counting) == expected
        return
    assert (answer.status, answer.body) == (200, b"" if method == "HEAD" else expected[0].encode())
    if method == "CONNECT":
        assert client.is_closed_by_peer()
    else:
        assert client.ask("GET", "/second").body == b"GET /second"
        expected.append("GET /second")
    assert taken(counting) == expected


@pytest.mark.parametrize("upgrade", UPGRADES[1:5])
def test_what_comes_behind_an_offer_to_upgrade_is_not_taken_for_a_request(
    counting: Served, upgrade: list[tuple[str, str]]
) -> None:
    with counting.connect() as client:
        send(client, request("GET", "/first", *upgrade) + FORGED)
        assert response(client, "GET", upgrade).body == b"GET /first"
        assert client.response().status == 400
        assert client.is_closed_by_peer()
    assert taken(counting) == ["GET /first"]


def test_an_offer_to_upgrade_with_a_body_of_unknown_coding_is_a_400(counting: Served) -> None:
    offer = [("connection", "upgrade"), ("upgrade", "h2c"), ("transfer-encoding", "gzip")]
    with counting.connect() as client:
        send(client, request("GET", "/first", *offer))
        assert client.response().status == 400
        assert client.is_closed_by_peer()
    assert taken(counting) == []
