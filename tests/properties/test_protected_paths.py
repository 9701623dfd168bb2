"""AWS_LWA_PROTECT_EVENT_PATHS: no spelling of an event's path gets a client past it, and no other path is refused."""

import string
import unicodedata
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_web_adapter.errors import ForbiddenPath
from properties.gateways import GATEWAYS, Client
from properties.odd_events import whole_events
from properties.strategies import raw_paths
from properties.translating import NOTHING, recognised, translated

ORIGINS = st.sampled_from(["sqs", "s3", "direct", "bedrock-agent"])
# What settings take for a path.
_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "#?{}")
configured_paths = st.text(_PRINTABLE, min_size=1, max_size=12).map(lambda text: f"/{text}") | st.sampled_from(
    ["/events", "/Events/", "/a//events", "/a/./events", "/a/../events", "/ev%65nts", "/events/{source}", "/{source}/x"]
)


def asked(raw_path: str) -> dict[str, Any]:
    """A client's request for a path, by way of the source that hands it on as it was sent."""
    return GATEWAYS["function-url"](
        Client(method="POST", raw_path=raw_path, query=[], headers=[], cookies=[], body=b"")
    )


def is_refused(raw_path: str, variables: dict[str, str]) -> bool:
    try:
        translated(asked(raw_path), {**variables, "AWS_LWA_PROTECT_EVENT_PATHS": "true"})
    except ForbiddenPath:
        return True
    return False


@st.composite
def disguised(draw: st.DrawFn, path: str) -> str:
    """A path in another spelling that some server, framework or app takes for the same."""
    found = ""
    for char in path:
        if char == "/":
            found += draw(st.sampled_from(["/", "//", "/./", "/x/../", "/%2e/", "%2F", "/x/.%2E/", "\\", ";a=b/"]))
        else:
            found += draw(st.sampled_from([char, char.upper(), quote(char), f"%{ord(char):02x}", f"%{ord(char):02X}"]))
    return "/" + found + draw(st.sampled_from(["", "/", "//", "/.", "/x/..", "%2F", ";a=b", "/;"]))


@given(disguised("/events"))
@example("/events")
@example("/events;a=b")
@example("/x;a/../events")
def test_no_spelling_of_the_path_of_events_gets_past(raw_path: str) -> None:
    assert is_refused(raw_path, {})


@given(ORIGINS.flatmap(lambda origin: disguised(f"/in/{origin}/now")))
def test_no_spelling_of_the_path_of_one_source_gets_past(raw_path: str) -> None:
    assert is_refused(raw_path, {"AWS_LWA_PASS_THROUGH_PATH": "/in/{source}/now"})


@given(st.sampled_from(["connect", "disconnect", "default", "join"]).flatmap(lambda name: disguised(f"/ws/{name}")))
def test_no_spelling_of_a_websockets_path_gets_past(raw_path: str) -> None:
    assert is_refused(raw_path, {"AWS_LWA_WEBSOCKET_PATH": "/ws"})


@given(configured_paths, ORIGINS)
@example("/a//events", "sqs")
@example("/a/./events", "sqs")
@example("/ev%65nts", "sqs")
@example("/ev%65nts/{source}", "sqs")
def test_whatever_path_is_configured_is_protected(path: str, origin: str) -> None:
    assert is_refused(path.replace("{source}", origin), {"AWS_LWA_PASS_THROUGH_PATH": path})


def _has_a_segment(path: str) -> bool:
    """Says so of a path that cannot be read as the root, below which all paths are."""
    return not set(path) & set(".;%") and any(map(str.isalnum, path))


@given(configured_paths.filter(_has_a_segment), st.sampled_from(["connect", "default"]))
@example("/a//ws", "connect")
@example("/%77s", "connect")
def test_whatever_path_websockets_have_is_protected(path: str, route: str) -> None:
    assert is_refused(f"{path.rstrip('/')}/{route}", {"AWS_LWA_WEBSOCKET_PATH": path})


def _names_neither(path: str) -> bool:
    read = unicodedata.normalize("NFKD", unquote(unquote(unquote(path)))).casefold()
    read = "".join(char for char in read if char.isprintable() and char != "\ufffd")
    return "events" not in read and "ws" not in read


@given(raw_paths.filter(_names_neither))
@example("/event/s")
@example("/my-event")
def test_other_paths_are_let_through(raw_path: str) -> None:
    assert not is_refused(raw_path, {"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}", "AWS_LWA_WEBSOCKET_PATH": "/ws"})


@given(st.text(string.ascii_lowercase, min_size=1, max_size=4).filter(lambda more: more != "ws"))
def test_names_that_only_begin_or_end_alike_are_let_through(more: str) -> None:
    for path in (f"/events{more}", f"/{more}events", f"/{more}/events", f"/events/{more}", f"/ws{more}/connect"):
        assert not is_refused(path, {"AWS_LWA_WEBSOCKET_PATH": "/ws"})


@given(st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=4), min_size=2, max_size=4))
def test_the_name_of_a_source_is_one_segment(segments: list[str]) -> None:
    path = "/".join(["", *segments])

    assert not is_refused(path, {"AWS_LWA_PASS_THROUGH_PATH": "/{source}"})
    assert not is_refused(f"/in{path}/later", {"AWS_LWA_PASS_THROUGH_PATH": "/in/{source}/now"})


@given(whole_events)
def test_events_themselves_are_never_refused(event: Any) -> None:
    variables = {
        "AWS_LWA_PROTECT_EVENT_PATHS": "true",
        "AWS_LWA_WEBSOCKET_PATH": "/ws",
        "AWS_LWA_BEDROCK_AGENT": "true",
    }
    if recognised(event, variables).name in ("websocket", "bedrock-agent", "pass-through"):
        assert translated(event, variables).reserved_headers


def test_nothing_is_protected_without_the_setting() -> None:
    assert translated(asked("/events"), NOTHING).path == "/events"


@pytest.mark.parametrize("prefix", ["/shop", "/prod"])
def test_a_path_below_a_prefix_that_is_removed_is_protected(prefix: str) -> None:
    assert is_refused(f"{prefix}/events", {"AWS_LWA_REMOVE_BASE_PATH": prefix})
