"""The adapter's end of the control channel: that the server stops shows, whatever was sent before."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from lambda_web_adapter.adapter.process.control_channel import ControlChannel


@pytest.mark.parametrize("messages", [b"", b"done 1\n", b"done 1\ndone 2\nclosing 3\n"])
def test_a_channel_whose_messages_are_all_there_is_open(messages: bytes) -> None:
    adapter_end, app_end = socket.socketpair()
    with app_end, closing(ControlChannel(adapter_end)) as channel:
        app_end.sendall(messages)

        assert not channel.has_closed()
        assert not channel.is_stopping()


@pytest.mark.parametrize("read", [0, 1, 2], ids=["nothing read", "one read", "both read"])
def test_a_server_that_stops_shows_behind_other_messages(read: int) -> None:
    adapter_end, app_end = socket.socketpair()
    with app_end, closing(ControlChannel(adapter_end)) as channel:
        app_end.sendall(b"done 1\ndone 2\nstopping\ndone 3\n")
        for _ in range(read):
            channel.read_message(0)

        assert channel.is_stopping()
        assert not channel.has_closed()


@pytest.mark.parametrize("read", [0, 1], ids=["nothing read", "one read"])
@pytest.mark.parametrize("shut_down", [False, True], ids=["closed", "shut down"])
def test_the_end_of_the_channel_shows_behind_other_messages(read: int, shut_down: bool) -> None:
    adapter_end, app_end = socket.socketpair()
    with app_end, closing(ControlChannel(adapter_end)) as channel:
        app_end.sendall(b"done 1\nfailed {}\n")
        for _ in range(read):
            channel.read_message(0)
        if shut_down:
            app_end.shutdown(socket.SHUT_RDWR)
        else:
            app_end.close()

        assert channel.has_closed()
        assert not channel.is_stopping()


def test_the_end_of_an_app_that_has_not_read_all_shows() -> None:
    adapter_end, app_end = socket.socketpair()
    with closing(ControlChannel(adapter_end)) as channel:
        channel.send(b"stacks\n")
        app_end.close()

        assert channel.has_closed()
        assert not channel.is_stopping()
