"""The same through the real bootstrap: a process that asks, an app that answers, and neither ever ends.

Slower than the loop alone, but with the real servers: what the adapter sends, they have to take.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from adapter.test_loop import get
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st
from properties.strategies import EVERYTHING_ON
from properties.test_echo import APPS

from fuzz.campaign import SECONDS, TIMEOUT, repeat, thorough
from fuzz.inputs import event_bodies
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from support.processes import Running

    from lambda_web_adapter.testing.runtime_api import Call

# The app answers everything with a 200. A 400 is the adapter's or the server's for what is no HTTP request.
EXPECTED = {200, 400, 403}
_VISIBLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF, exclude_categories=["Cc"]), max_size=8)
_odd = st.just("") | _VISIBLE.map(str.strip) | st.just("x" * 60_000)
# The id stays the Runtime API's own: by an odd one nobody would find the answer. The loop's test has odd ids.
runtime_headers: st.SearchStrategy[dict[str, str | None]] = st.fixed_dictionaries(
    {},
    optional={
        "Lambda-Runtime-Deadline-Ms": st.none()
        | st.sampled_from(["", "-1", "soon", "9" * 15, "9" * 30, "9" * 400, "9" * 5000]),
        "Lambda-Runtime-Trace-Id": _odd,
        "Lambda-Runtime-Aws-Tenant-Id": _odd,
        "Lambda-Runtime-Client-Context": _odd,
        "Lambda-Runtime-Invocation-Id": st.text("abc-123", min_size=1, max_size=8),
        "Lambda-Runtime-Invoked-Function-Arn": st.none() | _odd,
    },
)


def assert_is_an_answer(outcome: Call) -> None:
    document = json.loads(outcome.body)
    note(outcome.name)
    if outcome.name == "error":
        assert document["errorType"] == "Runtime.InvalidEvent", document
        return
    if isinstance(document, dict):
        agent = document.get("response", {}).get("httpStatusCode")
        status: Any = document.get("statusCode", agent)
        assert status in EXPECTED or document == {"warm": True}, document
    else:
        assert document is None, "what is passed through is answered with an empty body"


class Environments:
    """One bootstrap after the other, each with a Runtime API of its own, when an event has ended the last one."""

    def __init__(self, app: str, stack: ExitStack) -> None:
        self._app = app
        self._stack = stack
        self._api: RuntimeApi | None = None
        self._process: Running | None = None

    def invoke(self, event: object, headers: dict[str, str | None]) -> Call:
        if self._api is None or self._process is None or self._process.ended:
            self._api = self._stack.enter_context(RuntimeApi())
            self._process = self._stack.enter_context(bootstrap(self._api, self._app, cwd=APPS, **EVERYTHING_ON))
        try:
            return self._api.invoke(event, headers=headers)
        except AssertionError:
            raise AssertionError(f"it was not answered:\n{self._process.text}") from None

    @property
    def log(self) -> str:
        assert self._process is not None
        return self._process.text


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("app", ["echo:wsgi", "echo:asgi"])
def test_a_bootstrap_survives_any_event(app: str) -> None:
    def check() -> None:
        # Each round has an environment of its own: the Runtime API remembers every call, and looks through them all.
        with ExitStack() as stack:
            environments = Environments(app, stack)

            @settings(thorough, max_examples=500 if SECONDS else 200)
            @given(event_bodies, runtime_headers)
            def survives(event: bytes, headers: dict[str, str | None]) -> None:
                assert_is_an_answer(environments.invoke(event, headers))

            survives()
            assert environments.invoke(get("/still-there"), {}).json["statusCode"] == 200
            assert "Traceback" not in environments.log
            assert "it is restarted" not in environments.log

    repeat(check, share=0.2)
