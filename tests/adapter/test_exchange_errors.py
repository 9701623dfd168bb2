"""What is said of a request that gets no whole response, and what the client does to the requests after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from adapter.test_app_failures import problem, raw
from adapter.test_loop import get

if TYPE_CHECKING:
    from adapter.conftest import Start
    from support.fake_runtime_api import FakeRuntimeApi

HALF = "HTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\n\\r\\nhe"


@pytest.mark.parametrize(
    ("sent", "when"),
    [
        pytest.param("", "before it responded", id="nothing"),
        pytest.param(HALF, "in the middle of its response", id="half a response"),
    ],
)
def test_an_app_that_ends_is_said_to_have_done_so_before_or_in_its_response(
    sent: str, when: str, api: FakeRuntimeApi, start: Start
) -> None:
    start(*raw("exit", sent))

    found = problem(api.invoke(get("/")), 502)

    assert found == {"errorType": "Runtime.AppExited", "message": f"The app ended (exit code 7) {when}."}


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        pytest.param("", "The app has sent no response", id="nothing"),
        pytest.param(HALF, "The response was not whole", id="half a response"),
    ],
)
def test_a_timeout_says_whether_a_response_had_begun(sent: str, what: str, api: FakeRuntimeApi, start: Start) -> None:
    start(*raw("keep", sent))

    found = problem(api.invoke(get("/"), seconds=1.0), 504)

    assert found["message"] == f"{what} before the function's time-out."
