"""The app's end of the control channel: nothing that was said is lost, however slowly the adapter listens."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from threading import Thread

import pytest
from support.processes import SECONDS, wait_until

from lambda_web_adapter.app.control_channel import AdapterChannel


@pytest.mark.parametrize("blocking", [True, False], ids=["as it was opened", "as an event loop has it"])
def test_more_is_said_than_the_channel_holds(blocking: bool) -> None:
    adapter, app = socket.socketpair()
    with adapter, app:
        app.setblocking(blocking)
        control = AdapterChannel(app)
        speaker = Thread(target=_say, args=(control,))
        speaker.start()
        with adapter.makefile("r") as lines:
            heard = [lines.readline() for _ in range(20_000)]
        speaker.join()

    assert heard == [f"done {port}\n" for port in range(20_000)]


def _say(control: AdapterChannel) -> None:
    for port in range(20_000):
        control.done(port)


@pytest.mark.parametrize("sent", [b"", b"sna", b"stacks\nsna"], ids=["between lines", "in a line", "behind a line"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_an_adapter_that_ends_asks_for_nothing(sent: bytes, reset: bool) -> None:
    adapter, app = socket.socketpair()
    with app:
        with adapter:
            adapter.sendall(sent)
            if reset:
                app.sendall(b"done 1\n")  # which the adapter leaves unread
        found: list[list[bytes]] = []
        asking = Thread(target=lambda: found.append(AdapterChannel(app).read_messages()), daemon=True)
        asking.start()
        asking.join(SECONDS)

    assert found == [[]]


@pytest.mark.parametrize("blocking", [True, False], ids=["as it was opened", "as an event loop has it"])
def test_a_line_that_comes_in_parts_is_one(blocking: bool) -> None:
    adapter, app = socket.socketpair()
    with adapter, app:
        app.setblocking(blocking)
        adapter.sendall(b"stacks\nsnap")
        found: list[list[bytes]] = []
        asking = Thread(target=lambda: found.append(AdapterChannel(app).read_messages()), daemon=True)
        asking.start()
        wait_until(lambda: found or not _unread(app), "the first part is read")
        adapter.sendall(b"shot\n")
        asking.join(SECONDS)

    assert found == [[b"stacks", b"snapshot"]]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how often a thread woke up")
def test_a_thread_that_reads_is_not_woken_by_what_the_adapter_reads() -> None:
    adapter, app = socket.socketpair()
    control = AdapterChannel(app)
    reading = Thread(target=control.read_messages, daemon=True)
    with adapter, app:
        reading.start()
        wait_until(lambda: _state(reading) == "S", "the thread waits")
        before = _waits(reading)
        for port in range(100):
            control.done(port)
            adapter.recv(100)
            wait_until(lambda: _state(reading) == "S", "the thread waits again")
        after = _waits(reading)
        adapter.sendall(b"stacks\n")
        reading.join(SECONDS)

    assert after - before < 50


def _state(thread: Thread) -> str:
    return _status(thread)["State"][0]


def _waits(thread: Thread) -> int:
    return int(_status(thread)["voluntary_ctxt_switches"])


def _status(thread: Thread) -> dict[str, str]:
    lines = Path(f"/proc/self/task/{thread.native_id}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def _unread(channel: socket.socket) -> bytes:
    """What has come and was not read."""
    try:
        return channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""
