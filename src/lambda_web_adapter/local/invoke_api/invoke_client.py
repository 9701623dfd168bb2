"""The client of the Invoke API, for a local run or a Runtime Interface Emulator.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

# The only path that the Runtime Interface Emulator knows.
INVOKE_PATH = "/2015-03-31/functions/function/invocations"
# "Up to 3,583 bytes of base64-encoded data" (the page above, X-Amz-Client-Context).
_MAX_CLIENT_CONTEXT = 3583
_ACCEPTED = 202
# Characters of a response that is no error document of Lambda's, in a message.
_MAX_TEXT = 500


class InvalidClientContext(Exception):
    """A client context is not valid; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of an invocation.

    Attributes:
        payload: the function's payload; empty if there is none.
        error: why the invocation failed, in one line; empty if it did not.
        is_queued: whether the event was only queued.
        log_tail: the last lines of the function's log, if they were requested.
        seconds: how long the caller waited.
    """

    payload: bytes
    error: str
    is_queued: bool
    log_tail: bytes
    seconds: float


def build_headers(*, is_async: bool, tail: bool, client_context: str) -> dict[str, str]:
    """Return the headers of an invocation.

    Args:
        is_async: whether the event is only queued.
        tail: whether the response has the last lines of the log.
        client_context: JSON for `client_context` of Lambda's context; empty if there is none.

    Raises:
        InvalidClientContext: it is no JSON object, or too long.
    """
    headers = {"content-type": "application/json"}
    if is_async:
        headers["x-amz-invocation-type"] = "Event"
    if tail:
        headers["x-amz-log-type"] = "Tail"
    if client_context:
        headers["x-amz-client-context"] = _encode_client_context(client_context)
    return headers


def _encode_client_context(text: str) -> str:
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError as error:
        raise InvalidClientContext(f"The client context is not JSON: {error}.") from None
    if not is_object:
        raise InvalidClientContext('The client context is no JSON object, such as {"custom": {"user": "jane"}}.')
    encoded = base64.b64encode(text.encode()).decode()
    if len(encoded) > _MAX_CLIENT_CONTEXT:
        raise InvalidClientContext(
            f"The client context has {len(encoded)} bytes as base64, but Lambda takes {_MAX_CLIENT_CONTEXT}."
        )
    return encoded


def send_event(client: httpx.Client, event: bytes, headers: Mapping[str, str]) -> Result:
    """Invoke the function with an event, and return the result.

    Args:
        client: the client, whose base URL is the local run's.
        event: the event's JSON.
        headers: those of `build_headers`.

    Raises:
        httpx.HTTPError: there was no response.
    """
    started_at = time.perf_counter()
    response = client.post(INVOKE_PATH, content=event, headers=headers)
    seconds = time.perf_counter() - started_at
    return Result(
        payload=response.content if response.is_success else b"",
        error=_error(response),
        is_queued=response.status_code == _ACCEPTED,
        log_tail=base64.b64decode(response.headers.get("x-amz-log-result", "")),
        seconds=seconds,
    )


def _error(response: httpx.Response) -> str:
    if not response.is_success:
        return f"{response.status_code} {_error_of_api(response)}"
    if "x-amz-function-error" in response.headers:
        return str(InvocationError.of_document(response.content)) or response.headers["x-amz-function-error"]
    return ""


def _error_of_api(response: httpx.Response) -> str:
    """Return type and message of an error of the API itself; of what is none, the text."""
    error_type = response.headers.get("x-amzn-errortype", "").partition(":")[0]
    try:
        document = json.loads(response.content)
    except ValueError:
        document = None
    message = (document.get("message") or document.get("Message")) if isinstance(document, dict) else None
    text = message if isinstance(message, str) else " ".join(response.text.split())[:_MAX_TEXT]
    return ": ".join(part for part in (error_type, text or response.reason_phrase) if part)
