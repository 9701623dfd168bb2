"""A chat: an HTTP API serves its page, and a WebSocket API its messages."""

import os
import sqlite3
from contextlib import closing

import boto3
from flask import Flask, render_template, request

from lambda_web_adapter.flask import require_event_source

app = Flask(__name__)
# Environments share no memory, so the members are in a file; on AWS they would be in a table of DynamoDB.
MEMBERS = os.environ.get("CHAT_MEMBERS", "members.sqlite3")
# Where the page finds the WebSocket API: wss://<id>.execute-api.<region>.amazonaws.com/<stage> on AWS.
URL = os.environ.get("CHAT_URL", "ws://127.0.0.1:8001")


def execute(statement: str, *values: str) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(MEMBERS)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS members (id TEXT PRIMARY KEY, name TEXT)")
        return connection.execute(statement, values).fetchall()


@app.get("/")
def page() -> str:
    return render_template("chat.html", url=URL)


@app.post("/ws/connect")
@require_event_source("websocket")
def join() -> tuple[str, int]:
    name = request.args.get("name", "").strip()
    if not name:
        return "A member needs a name.", 400  # which refuses the connection
    execute("INSERT INTO members VALUES (?, ?)", request.headers["x-amzn-connection-id"], name)
    return "", 204


@app.post("/ws/disconnect")
@require_event_source("websocket")
def leave() -> tuple[str, int]:
    execute("DELETE FROM members WHERE id = ?", request.headers["x-amzn-connection-id"])
    return "", 204


@app.post("/ws/say")
@require_event_source("websocket")
def say() -> tuple[str, int]:
    """Send a message, {"action": "say", "text": "…"}, to all members."""
    members = dict(execute("SELECT id, name FROM members"))
    name = members.get(request.headers["x-amzn-connection-id"], "somebody")
    line = f"{name}: {request.get_json(force=True)['text']}"
    # The API's own URL, which ends with the stage on AWS: there is @connections, by which an app sends to its clients.
    api = boto3.client("apigatewaymanagementapi", endpoint_url=request.url_root.rstrip("/"))
    for member in members:
        try:
            api.post_to_connection(ConnectionId=member, Data=line)
        except api.exceptions.GoneException:  # it left, and /ws/disconnect was not called
            execute("DELETE FROM members WHERE id = ?", member)
    return "", 204
