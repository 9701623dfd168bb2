"""What the tests of odd events share."""

from typing import Any

from support.whole_request import request_bytes

from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.http.messages import Invocation
from lambda_web_adapter.settings import Settings

SWITCHED_ON = Settings(websocket_path="/ws", bedrock_agent=True)


def sent(event: Any) -> bytes:
    """What the app gets of an event, with every source switched on and default settings otherwise."""
    request = build_request(find_source(event, SWITCHED_ON), event, SWITCHED_ON, b"verbatim")
    return request_bytes(request, Invocation(request_id="1", event=b""))


def nested(depth: int) -> Any:
    """A list in a list in a list, as deep as the JSON reader lets through."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found
