"""Which events only keep an environment warm; they never reach the app."""

from typing import Any

import pytest

from lambda_web_adapter.events.warm_up import is_warm_up


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"warmer": True}, id="lambda-warmer, bref"),
        pytest.param({"warmer": True, "concurrency": 3}, id="with more beside it"),
        pytest.param({"source": "serverless-plugin-warmup"}, id="serverless-plugin-warmup"),
    ],
)
def test_the_common_tools_events_are_known(event: Any) -> None:
    assert is_warm_up(event)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"source": "aws.events", "detail-type": "Scheduled Event"}, id="a schedule: real work"),
        pytest.param({"warmer": False}, id="false"),
        pytest.param({"warmer": "true"}, id="text"),
        pytest.param({"warmer": 1}, id="a number"),
        pytest.param({"source": None}, id="a null source"),
        pytest.param({"source": ["serverless-plugin-warmup"]}, id="a list for a source"),
        pytest.param({"detail": {"warmer": True}}, id="deeper in the event"),
        pytest.param([{"warmer": True}], id="a list"),
        pytest.param("warmer", id="text alone"),
        pytest.param(None, id="null"),
    ],
)
def test_any_other_event_is_work(event: Any) -> None:
    assert not is_warm_up(event)
