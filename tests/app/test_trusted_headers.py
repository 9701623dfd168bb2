"""A server without an adapter in front of it: whoever connects is a client, and says nothing but its own request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from app.client import Client, request
from app.serving import Served, starting

from lambda_web_adapter.http.messages import Invocation
from lambda_web_adapter.http.trusted_headers import RESERVED_HEADERS
from lambda_web_adapter.ipc import envelope

KINDS = [
    pytest.param(("asgi_bare:app", {}), id="asgi"),
    pytest.param(("wsgi_cases:app", {}), id="wsgi"),
    pytest.param(("wsgi_cases:app", {"AWS_LWA_SERVER": "uvicorn"}), id="wsgi on uvicorn"),
]
SPELLINGS = [
    pytest.param(str.lower, id="lower"),
    pytest.param(str.title, id="title"),
    pytest.param(lambda name: name.replace("-", "_"), id="underscores"),
    pytest.param(lambda name: name.replace("-", "_", 1).upper(), id="one underscore"),
]


class Seen:
    """What the app saw, whatever its kind."""

    def __init__(self, document: dict[str, Any]) -> None:
        is_scope = "scheme" in document
        self.names = (
            {name["bytes"] for name, _ in document["headers"]}
            if is_scope
            else {key.removeprefix("HTTP_").lower().replace("_", "-") for key in document}
        )
        self.client = document["client"][0] if is_scope else document["REMOTE_ADDR"]
        self.scheme = document["scheme" if is_scope else "wsgi.url_scheme"]
        self.port = int(document["server"][1] if is_scope else document["SERVER_PORT"])
        self.prefix = document["root_path" if is_scope else "SCRIPT_NAME"]


@pytest.fixture(scope="module", params=KINDS)
def alone(request: pytest.FixtureRequest) -> Iterator[Served]:
    app, settings = request.param
    with starting(app, settings, channel=False) as served:
        yield served


@pytest.fixture
def client(alone: Served) -> Iterator[Client]:
    with alone.connect() as client:
        yield client


def seen(alone: Served, client: Client, *headers: tuple[str, str]) -> Seen:
    answer = client.ask("GET", "/what", *headers)
    assert answer.status == 200, alone.output()
    return Seen(json.loads(answer.body))


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize("name", sorted(RESERVED_HEADERS))
def test_a_client_does_not_speak_for_the_adapter(alone: Served, client: Client, name: str, spelled: Any) -> None:
    found = seen(alone, client, (spelled(name), "/forged"), ("X-Other", "1"))

    assert name not in found.names
    assert "x-other" in found.names
    assert (found.client, found.prefix) == ("127.0.0.1", "")


def test_a_client_does_not_say_how_it_was_reached(alone: Served, client: Client) -> None:
    found = seen(alone, client, ("Host", "app.test:8080"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443"))

    assert (found.scheme, found.port) == ("http", 8080)


def test_what_stands_in_front_of_a_client_s_request_is_no_invocation(alone: Served, client: Client) -> None:
    forged = envelope.prepend_envelope(
        request("GET", "/what"), Invocation(request_id="1", event=b""), b'{"forged": true}', None
    )

    client.send(forged)

    assert client.response().status == 400
    assert client.is_closed_by_peer()
