"""Every event of `fixtures/` becomes the request beside it, and every response there the reply."""

import json
from typing import Any

import pytest
from fixtures.loading import (
    ALL_FOLDERS,
    CLIENT_FOLDERS,
    FOLDER,
    HTTP_FOLDERS,
    REFUSED_FOLDERS,
    SOURCE_NAMES,
    SWITCHED_FOLDERS,
    aspects,
    described_aspects,
    event_bytes,
    every_fixture,
    every_reply,
    fixture,
    reply_aspects,
    reply_fixture,
)

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import build_request, find_source, import_sources
from lambda_web_adapter.http.headers import end_to_end
from lambda_web_adapter.settings import Settings

# What every source must show whose requests have a body and a query.
_REQUIRED = {"body_empty_post", "body_text", "query_empty_value", "query_repeated", "query_reserved", "simple"}
# And headers.
_REQUIRED_OF_HEADERS = {
    "body_base64",
    "cookies",
    "forged_headers",
    "header_mixed_case",
    "header_outside_ascii",
    "header_repeated",
    "hop_by_hop",
    "host_missing",
    "host_odd",
    "null_maps",
}
# And paths that are not made by the adapter.
_REQUIRED_OF_PATHS = {
    "head",
    "path_dot_segments",
    "path_double_slash",
    "path_encoded",
    "path_non_ascii",
    "path_trailing_slash",
    "path_with_encoded_slash",
}
# And clients, to whom all of it belongs.
_REQUIRED_OF_CLIENTS = {
    *_REQUIRED,
    *_REQUIRED_OF_HEADERS,
    *_REQUIRED_OF_PATHS,
    "base_path_alone",
    "base_path_at_segment",
    "base_path_inside_a_word",
    "body_base64_of_get",
    "content_length_wrong",
    "method_of_webdav",
    "path_allowed_characters",
    "path_illegal_characters",
}
# What every source of requests must show whose replies have a status and a body.
_REQUIRED_REPLIES = {
    "binary",
    "body_empty",
    "charset_latin_1",
    "charset_utf_8",
    "coding_identity",
    "compressed",
    "simple",
    "status_204",
    "status_304",
    "status_500",
    "text_not_utf_8",
    "type_in_capitals",
    "type_missing",
    "type_problem_json",
    "type_yaml",
}
# And headers.
_REQUIRED_REPLIES_OF_HEADERS = {
    *_REQUIRED_REPLIES,
    "header_excluded",
    "header_hop_by_hop",
    "header_in_latin_1",
    "header_in_utf_8",
    "header_twice",
    "set_cookie_twice",
}
REQUIRED = {
    **dict.fromkeys(CLIENT_FOLDERS, _REQUIRED_OF_CLIENTS),
    "websocket": {*_REQUIRED, *_REQUIRED_OF_HEADERS},
    "bedrock_agent": {*_REQUIRED, *_REQUIRED_OF_PATHS, "null_maps"},
}
REQUIRED_REPLIES = {
    **{folder: {*_REQUIRED_REPLIES_OF_HEADERS, "head"} for folder in CLIENT_FOLDERS},
    "websocket": _REQUIRED_REPLIES_OF_HEADERS,
    "bedrock_agent": {*_REQUIRED_REPLIES, "head"},
}
# The console's test and a load balancer's other mode have names of their own for null maps.
_NULL_MAPS = {"null_maps", "null_maps_console_test", "null_single_maps"}


def every_folder(folders: list[str]) -> list[Any]:
    return [pytest.param(folder, id=folder) for folder in folders]


@pytest.mark.parametrize(("folder", "aspect"), every_fixture(*HTTP_FOLDERS, *REFUSED_FOLDERS))
def test_an_event_is_recognised_by_its_source_alone(folder: str, aspect: str) -> None:
    event = json.loads(event_bytes(folder, aspect))

    assert [source.name for source in import_sources() if source.matches(event)] == [SOURCE_NAMES[folder]]


@pytest.mark.parametrize(("folder", "aspect"), every_fixture(*ALL_FOLDERS))
def test_an_event_is_of_the_source_that_its_folder_names(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)

    assert find_source(found.event, found.settings).name == found.source


@pytest.mark.parametrize(("folder", "aspect"), every_fixture(*SWITCHED_FOLDERS))
@pytest.mark.parametrize(
    "settings", [pytest.param(None, id="no settings"), pytest.param(Settings(), id="default settings")]
)
def test_an_event_whose_source_is_not_switched_on_is_passed_through(
    settings: Settings | None, folder: str, aspect: str
) -> None:
    assert find_source(fixture(folder, aspect).event, settings).name == "pass-through"


@pytest.mark.parametrize(("folder", "aspect"), every_fixture(*ALL_FOLDERS))
def test_an_event_becomes_the_request_beside_it(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)
    event, settings = found.event, found.settings

    request = build_request(find_source(event, settings), event, settings, found.verbatim)

    assert request == found.request


@pytest.mark.parametrize(("folder", "aspect"), every_fixture(*ALL_FOLDERS))
def test_translating_leaves_the_event_unchanged(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)
    event, settings = found.event, found.settings

    build_request(find_source(event, settings), event, settings, found.verbatim)

    assert event == found.event


@pytest.mark.parametrize(("folder", "aspect"), every_fixture(*REFUSED_FOLDERS))
def test_an_event_that_cannot_be_served_is_refused_with_the_reason(folder: str, aspect: str) -> None:
    verbatim = event_bytes(folder, aspect)
    event = json.loads(verbatim)

    with pytest.raises(
        InvalidEvent, match=r"Lambda@Edge.*Use a function URL as the origin of a CloudFront distribution instead\.$"
    ):
        build_request(find_source(event, Settings()), event, Settings(), verbatim)


@pytest.mark.parametrize(("folder", "aspect"), every_reply())
def test_a_response_becomes_the_reply_beside_it(folder: str, aspect: str) -> None:
    found = reply_fixture(folder, aspect)
    event = found.event.event
    response = end_to_end(found.response, found.event.request.method, found.settings.exclude_response_headers)

    reply = json.loads(find_source(event, found.settings).build_reply(response, event))

    # Written out, since Python takes 1 for true and 200.0 for 200.
    assert json.dumps(reply, sort_keys=True) == json.dumps(found.reply, sort_keys=True)


@pytest.mark.parametrize("folder", every_folder(ALL_FOLDERS))
def test_each_event_has_its_request_and_each_request_its_event(folder: str) -> None:
    assert described_aspects(folder) == aspects(folder)


@pytest.mark.parametrize("folder", every_folder(HTTP_FOLDERS))
def test_each_source_shows_what_its_kind_must_show(folder: str) -> None:
    shown = aspects(folder)

    assert REQUIRED[folder] - (shown | _NULL_MAPS if shown & _NULL_MAPS else shown) == set()


@pytest.mark.parametrize("folder", every_folder(HTTP_FOLDERS))
def test_each_source_shows_the_replies_that_its_kind_must_show(folder: str) -> None:
    assert REQUIRED_REPLIES[folder] - reply_aspects(folder) == set()


def test_each_folder_is_named_and_each_source_has_a_folder() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("__")}

    assert folders == SOURCE_NAMES.keys()
    assert {source.name for source in import_sources()} == set(SOURCE_NAMES.values())
