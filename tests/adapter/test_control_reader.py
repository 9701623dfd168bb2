"""The reader of the control channel that several workers share, where a message and a deadline meet."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import pytest
from support.processes import SECONDS

from lambda_web_adapter.adapter.concurrent_workers import _new_loop
from lambda_web_adapter.adapter.io.control_reader import ControlReader
from lambda_web_adapter.adapter.process.control_channel import ControlChannel
from lambda_web_adapter.ipc.control_protocol import CLOSING, DONE, encode, end_messages, message_for

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from lambda_web_adapter.adapter.process.app_process import AppProcess

PORT = 40000
DONE_MESSAGE = message_for(DONE, PORT)


class App:
    """What the reader knows of an app that runs on."""

    def __init__(self, channel: socket.socket) -> None:
        self.control = ControlChannel(channel)

    def is_gone(self) -> bool:
        return False


@pytest.fixture(params=[asyncio.new_event_loop, _new_loop], ids=["loop", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[ControlReader, socket.socket], Any]], None]:
    """Runs a test with a reader and the app's end of its channel."""

    def run(test: Callable[[ControlReader, socket.socket], Coroutine[Any, Any, None]]) -> None:
        async def with_reader() -> None:
            reader = ControlReader(cast("AppProcess", App(adapter_end)))
            try:
                await test(reader, app_end)
            finally:
                reader.close()

        adapter_end, app_end = socket.socketpair()
        with adapter_end, app_end, asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(with_reader())

    return run


def test_a_message_that_comes_together_with_the_deadline_leaves_nothing_behind(run: Any) -> None:
    """The event loop sees both in one turn, since it was busy with other workers meanwhile."""

    async def test(reader: ControlReader, app_end: socket.socket) -> None:
        deadline = time.monotonic() + 0.02
        waiting = asyncio.create_task(reader.wait_for_message(end_messages(PORT), deadline))
        await asyncio.sleep(0)
        app_end.sendall(encode(DONE, PORT))
        while time.monotonic() <= deadline + 0.01:
            pass
        with suppress(TimeoutError):  # which of the two comes first is for the event loop to say
            await waiting

        assert reader.hung_requests == 0
        app_end.sendall(encode(DONE, PORT))  # of the next request from that port
        assert await reader.wait_for_message(end_messages(PORT), time.monotonic() + SECONDS) == DONE_MESSAGE

    run(test)


@pytest.mark.parametrize("name", [DONE, CLOSING])
def test_a_request_hangs_until_it_is_over(name: bytes, run: Any) -> None:
    async def test(reader: ControlReader, app_end: socket.socket) -> None:
        with pytest.raises(TimeoutError):
            await reader.wait_for_message(end_messages(PORT), time.monotonic())
        assert reader.hung_requests == 1

        app_end.sendall(encode(name, PORT) + encode(DONE, PORT + 1))
        await reader.wait_for_message(end_messages(PORT + 1), time.monotonic() + SECONDS)

        assert reader.hung_requests == 0

    run(test)
