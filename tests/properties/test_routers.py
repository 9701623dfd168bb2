"""AWS_LWA_PROTECT_EVENT_PATHS against routers: what any of them takes for a path of events, the adapter refuses.

Werkzeug's, Starlette's and Django's are the real ones. The others are what apps and file servers do by hand.
"""

from __future__ import annotations

import ntpath
import posixpath
import re
from functools import reduce
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlparse, urlsplit

import pytest
from django.urls import Resolver404, path, re_path  # type: ignore[import-untyped]  # Django has no types of its own
from django.urls.resolvers import RegexPattern, URLResolver  # type: ignore[import-untyped]  # nor here
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.routing import Match, Mount, Route
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, RequestRedirect, Rule

from properties.test_protected_paths import is_refused

if TYPE_CHECKING:
    from collections.abc import Callable

PIECES = [
    *("events", "Events", "ev%65nts", "%2545vents", "ws", "%77s", "connect", "sqs", "x", "events.json", "json"),
    *("/", "/", "/", "//", "%2f", "%252F", "\\", "%5c", "?", "%3f", "#", "%23", ";", ";x=1", "%3b"),
    *("%00", "%20", "%09", "%0a", "~", "%", "%25", "é", "%c3%a9", "%c5%bf", "%ff"),
    *(".", "..", "%2e", "%2E%2e", "%252e", "..."),
]
# Whole names in front and behind get a path further into a router than pieces of any kind would.
raw_paths = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["/", "//", "/./", "/x/../", "/%2e%2e/", "/%5c", "//x/", "/;x/", "/%20"]),
        st.sampled_from(["events", "ev%65nts", "EVENTS", "ws", "%2577s", "%77S"]),
        st.lists(st.sampled_from(PIECES), max_size=5).map("".join),
    ),
) | st.lists(st.sampled_from(PIECES), max_size=8).map(lambda parts: "/" + "".join(parts))


def endpoint(*_: Any, **__: Any) -> Any:
    raise AssertionError("nothing is called")


def werkzeug(rule: str, *, strict: bool = True, merge: bool = True) -> Callable[[str], bool]:
    rules = Map([Rule(rule, endpoint="events", strict_slashes=strict, merge_slashes=merge)])

    def matches(raw_path: str) -> bool:
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "app.test",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
        }
        try:
            return bool(rules.bind_to_environ(environ).match())
        except RequestRedirect:
            return False  # the client asks again, for the path as it should be
        except HTTPException:
            return False

    return matches


def starlette(route: Route | Mount) -> Callable[[str], bool]:
    def matches(raw_path: str) -> bool:
        scope = {"type": "http", "method": "POST", "path": unquote(raw_path), "root_path": "", "headers": []}
        return route.matches(scope)[0] is Match.FULL

    return matches


def django(pattern: Any) -> Callable[[str], bool]:
    resolver = URLResolver(RegexPattern(r"^/"), [pattern])

    def matches(raw_path: str) -> bool:
        try:
            return bool(resolver.resolve(unquote(raw_path)))
        except Resolver404:
            return False

    return matches


def by_hand(pattern: str, *habits: Callable[[str], str]) -> Callable[[str], bool]:
    """Reads a path by one function after the other."""

    def matches(raw_path: str) -> bool:
        try:
            read = reduce(lambda path, habit: habit(path), habits, raw_path)
        except ValueError:  # it is no URL
            return False
        return re.fullmatch(pattern, read) is not None

    return matches


def path_of_url(url: str) -> str:
    return urlsplit(url).path


def resolved_as_url(reference: str) -> str:
    return path_of_url(urljoin("http://app.test/", reference))


def without_parameters(raw_path: str) -> str:
    return re.sub(r";[^/]*", "", raw_path)


normpath = posixpath.normpath
ONE = "/events"
ONE_EACH = "/events/{source}"
BELOW = "/ws"
ROUTERS: list[Any] = [
    pytest.param(ONE, werkzeug("/events"), id="werkzeug"),
    pytest.param(ONE, werkzeug("/events", strict=False), id="werkzeug, any slashes"),
    pytest.param(ONE, werkzeug("/events", merge=False), id="werkzeug, slashes not merged"),
    pytest.param(ONE_EACH, werkzeug("/events/<source>"), id="werkzeug, a name"),
    pytest.param(ONE_EACH, werkzeug("/events/<source>", strict=False), id="werkzeug, a name, any slashes"),
    pytest.param(BELOW, werkzeug("/ws/<path:route>"), id="werkzeug, all below"),
    pytest.param(ONE, starlette(Route("/events", endpoint, methods=["POST"])), id="Starlette"),
    pytest.param(ONE_EACH, starlette(Route("/events/{source}", endpoint, methods=["POST"])), id="Starlette, a name"),
    pytest.param(BELOW, starlette(Route("/ws/{route:path}", endpoint, methods=["POST"])), id="Starlette, all below"),
    pytest.param(BELOW, starlette(Mount("/ws", endpoint)), id="Starlette, mounted"),
    pytest.param(ONE, django(path("events", endpoint)), id="Django"),
    pytest.param(ONE, django(re_path(r"^events/?$", endpoint)), id="Django, by expression"),
    pytest.param(ONE, django(re_path(r"(?i)^events(\.\w+)?/?$", endpoint)), id="Django, with formats"),
    pytest.param(ONE_EACH, django(path("events/<str:source>", endpoint)), id="Django, a name"),
    pytest.param(BELOW, django(path("ws/<path:route>", endpoint)), id="Django, all below"),
    pytest.param(ONE, by_hand(ONE), id="not decoded"),
    pytest.param(ONE_EACH, by_hand("/events/[^/]+"), id="a name that is not decoded"),
    pytest.param(ONE, by_hand("/+events", unquote, normpath), id="normpath"),
    pytest.param(ONE_EACH, by_hand("/+events/[^/]+", unquote, normpath), id="normpath, a name"),
    pytest.param(ONE, by_hand("/+events", unquote, unquote, normpath), id="decoded twice"),
    pytest.param(ONE, by_hand("/+events", normpath, unquote), id="normpath, then decoded"),
    pytest.param(ONE, by_hand(r"\\+events", unquote, ntpath.normpath, str.lower), id="as on Windows"),
    pytest.param(ONE, by_hand(ONE, lambda raw: urlparse(raw).path, unquote), id="as a URL with parameters"),
    pytest.param(ONE, by_hand(ONE, unquote, path_of_url), id="decoded, then as a URL"),
    pytest.param(ONE, by_hand(ONE, resolved_as_url), id="resolved as a URL"),
    pytest.param(BELOW, by_hand("/+ws/.*", unquote, resolved_as_url), id="all below, resolved as a URL"),
    pytest.param(ONE, by_hand(ONE, unquote, str.strip, str.lower, lambda raw: raw.rstrip("/")), id="trimmed"),
    pytest.param(ONE, by_hand(ONE, unquote, lambda raw: raw.split("\0")[0], str.casefold), id="up to a NUL"),
    pytest.param(ONE, by_hand("/+events/*", unquote, without_parameters), id="without parameters"),
    pytest.param(ONE, by_hand("/+events/*", without_parameters, unquote), id="without, then decoded"),
    pytest.param(ONE, by_hand("/+events", unquote, lambda raw: posixpath.splitext(raw)[0]), id="without a suffix"),
    pytest.param(ONE, by_hand("/+events/?", unquote, lambda raw: raw.replace("..", "")), id="dots cut out"),
]


@pytest.mark.parametrize(("configured", "matches"), ROUTERS)
@given(raw_paths)
@example("/events")
@example("/events/.")
@example("/events/%2e")
@example("/events/..")
@example("/events/;x")
@example("/events;x=1")
@example("/events.json")
@example("/events/%2F..%2fx")
@example("/events/a%2Fb")
@example("/events%3Fx")
@example("/events/\\x")
@example("/ws/../connect")
@example("/ws/%2e%2e/%2e%2e/connect")
@example("//x/events")
@example("/x//../events")
@example("/x;/..;y/events")
@example("/%2565vents")
@example("/%252e/%25%36%35vents")
@example("/%5c%65vents%5c")
@example("/events%20")
@example("/events%00.html")
@settings(max_examples=200)
def test_what_a_router_takes_for_a_path_of_events_is_refused(
    configured: str, matches: Callable[[str], bool], raw_path: str
) -> None:
    setting = "AWS_LWA_WEBSOCKET_PATH" if configured == BELOW else "AWS_LWA_PASS_THROUGH_PATH"

    assert not matches(raw_path) or is_refused(raw_path, {setting: configured})
