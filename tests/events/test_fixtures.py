"""Every event of `fixtures/` becomes the request beside it."""

import pytest
from fixtures.loading import (
    FOLDER,
    HTTP_FOLDERS,
    SOURCE_NAMES,
    aspects,
    described_aspects,
    every_fixture,
    fixture,
)

from lambda_web_adapter.events import SOURCES, source_of, to_request
from lambda_web_adapter.settings import Settings

# What every source of HTTP requests must show, whatever it shows beside it.
REQUIRED = {
    "base_path_at_segment",
    "base_path_inside_a_word",
    "body_base64",
    "body_empty_post",
    "body_text",
    "cookies",
    "forged_headers",
    "head",
    "header_mixed_case",
    "header_repeated",
    "host_missing",
    "path_dot_segments",
    "path_double_slash",
    "path_encoded",
    "path_non_ascii",
    "path_with_encoded_slash",
    "query_empty_value",
    "query_repeated",
    "query_reserved",
    "simple",
}
EVERY_FOLDER = [pytest.param(folder, id=folder) for folder in sorted(SOURCE_NAMES)]


@pytest.mark.parametrize(("folder", "aspect"), every_fixture(*HTTP_FOLDERS))
def test_an_http_event_is_recognised_by_its_source_alone(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)

    assert [source.name for source in SOURCES if source.recognises(found.event)] == [found.source]


@pytest.mark.parametrize(("folder", "aspect"), every_fixture())
def test_an_event_is_of_the_source_that_its_folder_names(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)

    assert source_of(found.event).name == found.source


@pytest.mark.parametrize(("folder", "aspect"), every_fixture())
def test_an_event_becomes_the_request_beside_it(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)
    event = found.event
    settings = Settings.from_environment(found.environment)

    request = to_request(source_of(event), event, settings, found.verbatim)

    assert request == found.request


@pytest.mark.parametrize(("folder", "aspect"), every_fixture())
def test_translating_leaves_the_event_unchanged(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)
    event = found.event

    to_request(source_of(event), event, Settings.from_environment(found.environment), found.verbatim)

    assert event == found.event


@pytest.mark.parametrize("folder", EVERY_FOLDER)
def test_each_event_has_its_request_and_each_request_its_event(folder: str) -> None:
    assert described_aspects(folder) == aspects(folder)


@pytest.mark.parametrize("folder", [pytest.param(folder, id=folder) for folder in HTTP_FOLDERS])
def test_each_source_of_requests_shows_what_all_must_show(folder: str) -> None:
    assert REQUIRED - aspects(folder) == set()


def test_each_folder_is_named_and_each_source_has_a_folder() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("__")}

    assert folders == SOURCE_NAMES.keys()
    assert {source.name for source in SOURCES} | {"pass-through"} == set(SOURCE_NAMES.values())
