"""The app's end of the control channel: nothing that was said is lost, however slowly the adapter listens."""

from __future__ import annotations

import socket
from threading import Thread

import pytest

from lambda_web_adapter.app.control import Control


@pytest.mark.parametrize("blocking", [True, False], ids=["as it was opened", "as an event loop has it"])
def test_more_is_said_than_the_channel_holds(blocking: bool) -> None:
    adapter, app = socket.socketpair()
    with adapter, app:
        app.setblocking(blocking)
        control = Control(app)
        speaker = Thread(target=_say, args=(control,))
        speaker.start()
        with adapter.makefile("r") as lines:
            heard = [lines.readline() for _ in range(20_000)]
        speaker.join()

    assert heard == [f"done {port}\n" for port in range(20_000)]


def _say(control: Control) -> None:
    for port in range(20_000):
        control.done(port)
