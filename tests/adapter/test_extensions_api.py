"""The extension without events: registered in time, and never in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from adapter.test_loop import get

from lambda_web_adapter.testing.runtime_api import RESET, Answer

if TYPE_CHECKING:
    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

REGISTER = "extension/register"
WAIT = "extension/event/next"


def test_it_is_registered_without_events_before_the_first_event_is_asked_for(api: RuntimeApi, start: Start) -> None:
    start("main:wsgi")
    register = api.wait_for_call(REGISTER)
    wait = api.wait_for_call(WAIT)
    api.wait_for_call("next")

    names = [call.name for call in api.calls if not call.name.startswith("test/")]
    assert names[0] == REGISTER
    assert register.json == {"events": []}
    assert register.headers["lambda-extension-name"] == "lambda-web-adapter"
    assert wait.headers["lambda-extension-identifier"]


def test_it_can_be_left_out(api: RuntimeApi, start: Start) -> None:
    start("main:wsgi", AWS_LWA_REGISTER_EXTENSION="false")
    api.invoke(get("/"))

    assert (api.calls_of(REGISTER), api.calls_of(WAIT)) == ([], [])


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        pytest.param(Answer(403), "responded with 403", id="refused"),
        pytest.param(Answer(200, b"{}"), "responded with 200", id="no identifier"),
        pytest.param(RESET, "Connection reset", id="a reset"),
    ],
)
def test_without_it_the_environment_works_and_says_so(answer: Answer, word: str, api: RuntimeApi, start: Start) -> None:
    api.script(REGISTER, answer)
    process = start("main:wsgi")

    assert api.invoke(get("/")).json["statusCode"] == 200
    process.wait_for(rf"The extension was not registered \((the Extensions API |\[Errno 104\] )?{word}")


def test_an_emulator_that_offers_none_is_no_reason_for_a_warning(api: RuntimeApi, start: Start) -> None:
    api.script(REGISTER, Answer(404))
    process = start("main:wsgi")
    api.invoke(get("/"))

    assert "extension" not in process.text
    assert api.calls_of(WAIT) == []
