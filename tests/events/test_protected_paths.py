"""The paths of events, kept from clients by AWS_LWA_PROTECT_EVENT_PATHS, however a client spells them."""

from typing import Any

import pytest
from fixtures.loading import fixture

from lambda_web_adapter.errors import ForbiddenPath
from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.http.messages import Request
from lambda_web_adapter.settings import Settings


def asked_for(path: str, **variables: str) -> Request:
    """The request of a client that asks for a path, by a function URL, which decodes nothing."""
    return asked_with({}, path, **variables)


def asked_with(headers: dict[str, str], path: str = "/", **variables: str) -> Request:
    """The same of a client that sends headers of its own."""
    found = fixture("function_url", "simple")
    event = {**found.event, "rawPath": path, "headers": {**found.event["headers"], **headers}}
    settings = Settings.from_environ({"AWS_LWA_PROTECT_EVENT_PATHS": "true", **variables})
    return build_request(find_source(event, settings), event, settings, b"")


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
        pytest.param("/%2565vents", id="a letter that is escaped twice"),
        pytest.param("/%25%36%35vents", id="an escape that is escaped"),
        pytest.param("/events/..", id="dots behind it, for a router that drops them"),
        pytest.param("/events;x", id="a parameter"),
        pytest.param("/events/;x=1", id="a parameter behind a slash"),
        pytest.param("/x/..;y/events", id="a parameter to dots"),
        pytest.param("/events.json", id="a suffix"),
        pytest.param("/events.tar.gz/", id="two suffixes"),
        pytest.param("/events.", id="a dot"),
        pytest.param("/events%20", id="a space"),
        pytest.param("/%09events", id="a tab in front"),
        pytest.param("/events%00.html", id="a NUL"),
        pytest.param("/events%3Fpage=1", id="a query that is escaped"),
        pytest.param("/events%23part", id="a fragment that is escaped"),
        pytest.param("//host/events", id="a host in front, as in a reference"),
        pytest.param("\\\\host\\events", id="the same with backslashes"),
        pytest.param("/x//../events", id="dots behind two slashes, as normpath has it"),
        pytest.param("/events//..", id="dots behind two slashes, as RFC 3986 has it"),
        pytest.param("/ev%0aents", id="a line feed within it, which urlsplit leaves out"),
        pytest.param("/ev%0D%0Aents", id="a line break within it"),
        pytest.param("/ev%09ents", id="a tab within it"),
        pytest.param("/e%00v%7Fents", id="other controls within it"),
        pytest.param("/x/.%09./events", id="a tab within dots"),
        pytest.param("/x%2F.%250A.%2Fevents", id="a line feed within dots, escaped twice"),
        pytest.param("/ev%ffents", id="a byte that is not UTF-8"),
        pytest.param("/events%c0%80", id="an overlong NUL"),
        pytest.param("/%EF%BD%85vents", id="a letter in full width"),
        pytest.param("/%F0%9D%93%AEvents", id="a letter in script"),
        pytest.param("/x%EF%BC%8F%E2%80%A5%EF%BC%8Fevents", id="slashes and dots of other kinds"),
        pytest.param("/%EF%BC%85%36%35vents", id="a percent sign in full width"),
        pytest.param("/events+", id="a plus sign for a space"),
    ],
)
def test_a_client_does_not_get_to_the_path_of_events(path: str) -> None:
    with pytest.raises(ForbiddenPath, match=r"is reserved for events"):
        asked_for(path)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="the root"),
        pytest.param("/eventsource", id="a longer word"),
        pytest.param("/events/sqs", id="below it"),
        pytest.param("/my/events", id="behind another segment"),
        pytest.param("/events/../x", id="away from it"),
        pytest.param("/events-archive", id="a name that begins like it"),
        pytest.param("/eventsx", id="a letter behind it"),
        pytest.param("/e.vents", id="a dot within it"),
        pytest.param("/events.json/x", id="below a file"),
        pytest.param("/events/calendar.ics", id="a file below it"),
        pytest.param("/upcoming%20events", id="a word in front"),
        pytest.param("/recipes/cr%C3%A8me%20br%C3%BBl%C3%A9e;hot=1/photo.tar.gz", id="a path of many readings"),
        pytest.param("/a%2520b/c%252Fd/%E2%82%AC.json", id="another one"),
        pytest.param("/%E2%91%A0/caf%C3%A9/%EF%BC%A1+b%0A/x", id="characters of many kinds"),
        pytest.param("/past+events", id="a word in front, and a plus sign"),
    ],
)
def test_other_paths_are_the_clients(path: str) -> None:
    assert asked_for(path).path


@pytest.mark.parametrize(
    "path", ["/snap/be%0Afore", "/sn%09ap/before", "/snap/%EF%BD%82efore", "/snap/%2565fore/../before"]
)
def test_a_client_does_not_get_to_the_path_of_a_hook(path: str) -> None:
    with pytest.raises(ForbiddenPath, match=r"is reserved for SnapStart hooks"):
        asked_for(path, AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH="/snap/before")


@pytest.mark.parametrize("path", ["/caf%C3%A9", "/cafe%CC%81"])
def test_a_path_with_an_accent_is_refused_in_both_of_its_forms(path: str) -> None:
    with pytest.raises(ForbiddenPath):
        asked_for(path, AWS_LWA_PASS_THROUGH_PATH="/caf%C3%A9")


@pytest.mark.parametrize("name", ["X-Original-URL", "x-rewrite-url", "X_Original_URL"])
@pytest.mark.parametrize(
    "value", ["/events", "/%65vents?a=b", "https://shop.example/events", "//shop.example//events/"]
)
def test_a_header_that_an_app_may_take_for_the_path_is_no_way_around(name: str, value: str) -> None:
    with pytest.raises(ForbiddenPath):
        asked_with({name: value})


def test_a_header_that_names_another_path_is_the_clients() -> None:
    assert asked_with({"X-Original-URL": "/my/events"}).headers[-1] == ("X-Original-URL", "/my/events")


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
        pytest.param({"AWS_LWA_REMOVE_BASE_PATH": "/shop"}, "/Shop//events", id="behind a base path, oddly spelled"),
        pytest.param({"AWS_LWA_REMOVE_BASE_PATH": "/shop"}, "/shop/../events", id="above a base path"),
        pytest.param(
            {"AWS_LWA_REMOVE_BASE_PATH": "/shop", "AWS_LWA_PASS_THROUGH_PATH": "/shop/events"},
            "/shop/events",
            id="a base path that is the app's own too",
        ),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/.", id="a dot for a source"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/%2e", id="an escaped dot"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/..", id="two dots for a source"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/;x", id="a parameter for a source"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/a%2Fb", id="an escaped slash in it"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/%20", id="a space for a source"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/a%5Cb", id="a backslash in it"),
        pytest.param({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"}, "/events/sqs.json", id="a suffix to it"),
        pytest.param({"AWS_LWA_WEBSOCKET_PATH": "/ws"}, "/ws/../connect", id="WebSocket, and dots"),
        pytest.param({"AWS_LWA_WEBSOCKET_PATH": "/ws"}, "/ws;x/connect", id="WebSocket, and a parameter"),
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
    settings = Settings.from_environ(
        {
            "AWS_LWA_PROTECT_EVENT_PATHS": "true",
            "AWS_LWA_WEBSOCKET_PATH": "/events",
            "AWS_LWA_PASS_THROUGH_PATH": "/events",
        }
    )

    assert build_request(find_source(event, settings), event, settings, b"").path.startswith("/events")


def test_only_a_bare_request_is_refused_and_the_reason_is_short() -> None:
    with pytest.raises(ForbiddenPath) as raised:
        asked_for("/events" + "/." * 5000)

    assert len(str(raised.value)) < 300
    assert raised.value.status == 403


@pytest.mark.parametrize(
    ("source", "context", "variables"),
    [
        pytest.param("http_api_v2", {"stage": "prod"}, {}, id="HTTP API 2.0, on a custom domain"),
        pytest.param("http_api_v2", {"stage": "prod"}, {"AWS_LWA_REMOVE_STAGE": "always"}, id="HTTP API 2.0, removed"),
        pytest.param("http_api_v2", {"stage": "prod"}, {"AWS_LWA_REMOVE_STAGE": "never"}, id="HTTP API 2.0, kept"),
        pytest.param("http_api_v1", {"stage": "prod"}, {"AWS_LWA_REMOVE_STAGE": "never"}, id="HTTP API 1.0, kept"),
        pytest.param("rest_api", {"stage": "prod", "domainName": "shop.example"}, {}, id="REST API"),
    ],
)
@pytest.mark.parametrize("path", ["/prod/events", "/Prod//%65vents"])
def test_a_stage_in_front_is_no_way_around(
    source: str, context: dict[str, Any], variables: dict[str, str], path: str
) -> None:
    event = fixture(source, "simple").event
    event = {**event, "rawPath": path, "path": path, "requestContext": {**event["requestContext"], **context}}
    settings = Settings.from_environ({"AWS_LWA_PROTECT_EVENT_PATHS": "true", **variables})

    with pytest.raises(ForbiddenPath):
        build_request(find_source(event, settings), event, settings, b"")


@pytest.mark.parametrize(
    ("source", "route"),
    [
        pytest.param("rest_api", {"resource": "/{proxy+}", "pathParameters": {"proxy": "events"}}, id="REST API"),
        pytest.param("rest_api", {"resource": "/events"}, id="REST API with a resource of its own"),
        pytest.param(
            "http_api_v2", {"routeKey": "ANY /{proxy+}", "pathParameters": {"proxy": "events"}}, id="HTTP API 2.0"
        ),
        pytest.param("http_api_v2", {"routeKey": "POST /{name}", "pathParameters": {"name": "Events"}}, id="a name"),
    ],
)
def test_a_base_path_that_only_the_app_takes_off_is_no_way_around(source: str, route: dict[str, Any]) -> None:
    event = {**fixture(source, "simple").event, **route, "rawPath": "/shop/events", "path": "/shop/events"}
    settings = Settings.from_environ({"AWS_LWA_PROTECT_EVENT_PATHS": "true"})

    with pytest.raises(ForbiddenPath):
        build_request(find_source(event, settings), event, settings, b"")


def test_a_page_below_another_path_of_the_api_is_the_clients() -> None:
    event = fixture("rest_api", "simple").event
    event = {**event, "resource": "/my/{proxy+}", "pathParameters": {"proxy": "events"}, "path": "/my/events"}
    settings = Settings.from_environ({"AWS_LWA_PROTECT_EVENT_PATHS": "true"})

    assert build_request(find_source(event, settings), event, settings, b"").path == "/my/events"


def test_a_path_of_endless_readings_is_refused_without_reading_them_all() -> None:
    with pytest.raises(ForbiddenPath):
        asked_for("//a/%2525;b/.%2e/\\c%20/..d%3b/%2500/e.f.g/+%0a%EF%BD%85" * 150)
