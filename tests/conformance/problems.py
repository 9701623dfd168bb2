"""What a caller hears of a failure, whatever its source."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conformance.callers import got

if TYPE_CHECKING:
    from lambda_web_adapter.testing.runtime_api import Call


def problem_of(column: str, outcome: Call) -> tuple[int, str]:
    """Status and type of an error, as the caller gets them; the status is 0 where the invocation has failed."""
    if outcome.name == "error":
        document = outcome.json
        assert outcome.headers["lambda-runtime-function-error-type"] == document["errorType"]
        assert document["errorMessage"]
        return 0, document["errorType"]
    reply = got(column, outcome.json)
    assert reply.headers["content-type"] == ["application/json"]
    document = json.loads(reply.body)
    assert document.keys() == {"message", "errorType"}
    assert document["message"]
    return reply.status, document["errorType"]
