"""What the tests of replies share: responses to reply to, and replies read back."""

import json
from typing import Any

from fixtures.loading import fixture

from lambda_web_adapter.events import find_source
from lambda_web_adapter.http.messages import Response

Headers = list[tuple[bytes, bytes]]


def response(status: int = 200, headers: Headers | None = None, body: bytes = b"") -> Response:
    return Response(status=status, headers=headers or [], body=body)


def reply_of(folder: str, given: Response) -> Any:
    """The reply to a response, from the source of the folder's simplest event."""
    found = fixture(folder, "simple")
    event = found.event
    return json.loads(find_source(event, found.settings).build_reply(given, event))
