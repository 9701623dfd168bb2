"""What keeps an environment busy, in the log."""

from __future__ import annotations

import pytest

from lambda_web_adapter.local.environments.explanations import describe_busy

POLL = "GET /socket.io/?EIO=4&transport=polling&sid=1"


@pytest.mark.parametrize(
    ("title", "content_type", "kind", "advice"),
    [
        ("GET /sse", "text/event-stream; charset=utf-8", "an event stream", "--concurrency"),
        (POLL, "", "Socket.IO's long polling", "WebSocket API"),
        ("GET /heartbeat/abc", "", "Gradio's heartbeat", "--environments"),
        ("GET /heartbeat/abc", "text/event-stream", "Gradio's heartbeat", "--environments"),
    ],
)
def test_an_endless_response_is_named_with_what_to_do(title: str, content_type: str, kind: str, advice: str) -> None:
    line = describe_busy(title, 12.3, content_type, environment=1)

    assert line.startswith(f"Environment 1 is busy with {title} for 12 s, {kind}")
    assert advice in line


def test_what_waits_comes_first() -> None:
    line = describe_busy("GET /sse", 12.3, "text/event-stream", waiting=3, environment=2)

    assert line.startswith("3 waiting: environment 2 is busy with GET /sse for 12 s, an event stream.")


def test_a_slow_request_gets_advice_only_if_something_waits() -> None:
    assert describe_busy("GET /slow", 3) == "The environment is busy with GET /slow for 3 s."
    assert "--environments" in describe_busy("GET /slow", 3, waiting=1)


@pytest.mark.parametrize(
    ("title", "content_type"),
    [
        ("GET /socket.io/?EIO=4&transport=websocket", ""),
        ("GET /about/socket.io", ""),
        ("GET /heartbeat/", "application/json"),
        ("sqs event", ""),
    ],
)
def test_what_only_looks_alike_is_a_slow_request(title: str, content_type: str) -> None:
    assert describe_busy(title, 5, content_type) == f"The environment is busy with {title} for 5 s."
