"""What the processes of an environment wait for, when their connections end at any moment."""

from __future__ import annotations

import asyncio

from lambda_web_adapter.local.environments.invocation import Invocation
from lambda_web_adapter.local.environments.runtime_session import RuntimeSession


class Environment:
    """Takes note of nothing."""

    def init_completed(self) -> None: ...

    def environment_waits(self) -> None: ...

    def invocation_ended(self, invocation: Invocation) -> None: ...

    def init_failed(self, document: bytes) -> None: ...

    def debugger_attached(self) -> None: ...


def test_a_request_whose_connection_has_just_ended_gets_no_event() -> None:
    """The loop calls what follows its end only in its next turn."""

    async def scenario() -> None:
        session = RuntimeSession(Environment())
        session.request_next().cancel()
        assert not session.is_free
        assert not session.is_idle
        invocation = Invocation(event=b"{}", title="an event", outcome=asyncio.Future())
        session.assign(invocation)
        assert session.request_next().result() is invocation

    asyncio.run(scenario())
