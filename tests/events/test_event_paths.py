"""The paths of events, kept from clients by AWS_LWA_PROTECT_EVENT_PATHS, however a client spells them."""

from typing import Any

import pytest
from fixtures.loading import fixture

from lambda_web_adapter.errors import ForbiddenPath
from lambda_web_adapter.events import source_of, to_request
from lambda_web_adapter.messages import Request
from lambda_web_adapter.settings import Settings


def asked_for(path: str, **variables: str) -> Request:
    """The request of a client that asks for a path, by a function URL, which decodes nothing."""
    found = fixture("function_url", "simple")
    event = {**found.event, "rawPath": path}
    settings = Settings.from_environment({"AWS_LWA_PROTECT_EVENT_PATHS": "true", **variables})
    return to_request(source_of(event, settings), event, settings, b"")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/events", id="as it is"),
        pytest.param("/events/", id="a slash behind it"),
        pytest.param("//events", id="two slashes"),
        pytest.param("/./events", id="a dot segment"),
        pytest.param("/a/../events", id="a double-dot segment"),
        pytest.param("/../events", id="above the root"),
        pytest.param("/events/.", id="a dot segment behind it"),
        pytest.param("/%65vents", id="an escaped letter"),
        pytest.param("/a%2F..%2Fevents", id="escaped slashes"),
        pytest.param("/a/%2E%2e/events", id="escaped dots"),
        pytest.param("/a\\..\\events", id="backslashes"),
        pytest.param("/Events", id="a capital"),
    ],
)
def test_a_client_does_not_get_to_the_path_of_events(path: str) -> None:
    with pytest.raises(ForbiddenPath, match=r"takes events only"):
        asked_for(path)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="the root"),
        pytest.param("/eventsource", id="a longer word"),
        pytest.param("/events/sqs", id="below it"),
        pytest.param("/my/events", id="behind another segment"),
        pytest.param("/events/..", id="away from it"),
        pytest.param("/%2565vents", id="escaped twice, for an app decodes once"),
    ],
)
def test_other_paths_are_the_clients(path: str) -> None:
    assert asked_for(path).path


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/jobs"}, "/jobs", id="another path"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/Jobs"}, "/jobs", id="another path with a capital"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/jobs/"}, "/jobs", id="another path with a slash"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/sqs", id="a path by source"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/on-{source}"}, "/on-sqs", id="a source in a word"),
        pytest.param({"AWS_LWA_WEBSOCKET_PATH": "/ws"}, "/ws/connect", id="WebSocket"),
        pytest.param({"AWS_LWA_WEBSOCKET_PATH": "/ws"}, "/WS//default", id="WebSocket, oddly spelled"),
        pytest.param({"AWS_LWA_REMOVE_BASE_PATH": "/shop"}, "/shop/events", id="behind a base path"),
    ],
)
def test_the_settings_say_which_paths_those_are(variables: dict[str, str], path: str) -> None:
    with pytest.raises(ForbiddenPath):
        asked_for(path, **variables)


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/jobs"}, "/events", id="the default path, when another is set"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/x/y", id="below a path by source"),
        pytest.param({"AWS_LWA_WEBSOCKET_PATH": "/ws"}, "/wsx/connect", id="a word that begins like it"),
        pytest.param({"AWS_LWA_PROTECT_EVENT_PATHS": "false"}, "/events", id="switched off"),
    ],
)
def test_and_which_are_not(variables: dict[str, str], path: str) -> None:
    assert asked_for(path, **variables).path == path


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"Records": [{"eventSource": "aws:sqs"}]}, id="a queue's event"),
        pytest.param(fixture("websocket", "simple").event, id="a WebSocket's event"),
    ],
)
def test_events_still_get_there(event: dict[str, Any]) -> None:
    settings = Settings.from_environment(
        {
            "AWS_LWA_PROTECT_EVENT_PATHS": "true",
            "AWS_LWA_WEBSOCKET_PATH": "/events",
            "AWS_LWA_PASS_THROUGH_PATH": "/events",
        }
    )

    assert to_request(source_of(event, settings), event, settings, b"").path.startswith("/events")


def test_only_a_bare_request_is_refused_and_the_reason_is_short() -> None:
    with pytest.raises(ForbiddenPath) as raised:
        asked_for("/events" + "/." * 5000)

    assert len(str(raised.value)) < 300
    assert raised.value.status == 403
