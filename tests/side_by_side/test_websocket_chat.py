"""boto3's `apigatewaymanagementapi` at a local run, inside the chat's app and outside."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from support.chat import websocket_run
from support.processes import SECONDS
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with websocket_run(tmp_path) as (_, url):
        yield url


def management_api(url: str, stage: str = "") -> Any:
    """The client as an app makes it, with made-up keys, and without retries."""
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=url.replace("ws://", "http://") + stage,
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )


def test_members_chat(url: str) -> None:
    with connect(f"{url}/?name=Ann", proxy=None) as ann, connect(f"{url}/prod?name=Bob", proxy=None) as bob:
        ann.send(json.dumps({"action": "say", "text": "hello"}))

        assert [ann.recv(SECONDS), bob.recv(SECONDS)] == ["Ann: hello", "Ann: hello"]


def test_a_member_needs_a_name(url: str) -> None:
    with pytest.raises(InvalidStatus, match="400"), connect(url, proxy=None):
        pass


def test_a_member_that_is_gone_is_forgotten(url: str, tmp_path: Path) -> None:
    with connect(f"{url}/?name=Ann", proxy=None) as ann:
        with closing(sqlite3.connect(tmp_path / "members.sqlite3")) as database, database:
            (connection_id,) = database.execute("SELECT id FROM members").fetchone()
            database.execute("INSERT INTO members VALUES ('AAAAAAAAAAAAAAA=', 'Gone')")
        ann.send(json.dumps({"action": "say", "text": "anybody?"}))
        assert ann.recv(SECONDS) == "Ann: anybody?"
        ann.send(json.dumps({"action": "say", "text": "no"}))
        assert ann.recv(SECONDS) == "Ann: no"

        with closing(sqlite3.connect(tmp_path / "members.sqlite3")) as database:
            assert database.execute("SELECT id FROM members").fetchall() == [(connection_id,)]


@pytest.mark.parametrize("stage", ["", "/prod"])
def test_boto3_sends_describes_and_deletes(url: str, stage: str, tmp_path: Path) -> None:
    api = management_api(url, stage)
    with connect(f"{url}/?name=Ann", proxy=None) as ann:
        with closing(sqlite3.connect(tmp_path / "members.sqlite3")) as database:
            (connection_id,) = database.execute("SELECT id FROM members").fetchone()
        api.post_to_connection(ConnectionId=connection_id, Data="text ☕")
        api.post_to_connection(ConnectionId=connection_id, Data=b"bytes")
        received = [ann.recv(SECONDS), ann.recv(SECONDS)]
        connection = api.get_connection(ConnectionId=connection_id)
        with pytest.raises(api.exceptions.PayloadTooLargeException):
            api.post_to_connection(ConnectionId=connection_id, Data="x" * (128 * 1024 + 1))
        api.delete_connection(ConnectionId=connection_id)
        with pytest.raises(ConnectionClosed):
            ann.recv(SECONDS)
        for call in (api.get_connection, api.delete_connection):
            with pytest.raises(api.exceptions.GoneException):
                call(ConnectionId=connection_id)
        with pytest.raises(api.exceptions.GoneException):
            api.post_to_connection(ConnectionId=connection_id, Data="late")

    assert received == ["text ☕", "bytes"]
    assert connection["Identity"]["SourceIp"] == "127.0.0.1"
    assert connection["ConnectedAt"] <= connection["LastActiveAt"]
    assert connection["ConnectedAt"].tzinfo is not None
