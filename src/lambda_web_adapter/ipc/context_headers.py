"""Headers with the invocation's context, for apps in any language. Names and formats are the Rust adapter's.

Header values are ASCII (RFC 9110 §5.5); JSON escapes all other characters.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lambda_web_adapter.http.messages import Invocation

LAMBDA_CONTEXT = "x-amzn-lambda-context"
REQUEST_CONTEXT = "x-amzn-request-context"
# The largest value, in bytes. Servers reject more: gunicorn accepts 8,190 bytes for a header, Node.js 16 KB for all
# headers together.
MAX_HEADER_BYTES = 8000

_NOT_VISIBLE = re.compile(r"[^\x20-\x7e]")
# The Runtime API's names, and the Rust adapter's.
_CLIENT = {
    "installation_id": "installationId",
    "app_title": "appTitle",
    "app_version_name": "appVersionName",
    "app_version_code": "appVersionCode",
    "app_package_name": "appPackageName",
}
_IDENTITY = {"cognitoIdentityId": "identityId", "cognitoIdentityPoolId": "identityPoolId"}
# W3C Trace Context and Baggage, which a caller of the function sends in the client context.
_W3C = ("traceparent", "tracestate", "baggage")


class ContextHeaders:
    """Builds the context headers of all invocations in one environment."""

    def __init__(self, environ: Mapping[str, str], too_large: Callable[[str], object]) -> None:
        """Read what all invocations share.

        Args:
            environ: the variables that Lambda sets.
            too_large: a function that is called with a message when a header, or a part of it, is left out.
        """
        get_variable = environ.get
        memory = get_variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        self._too_large = too_large
        self._env_config = orjson.Fragment(
            orjson.dumps(
                {
                    "function_name": get_variable("AWS_LAMBDA_FUNCTION_NAME", ""),
                    "memory": int(memory) if memory.isdecimal() else 0,
                    "version": get_variable("AWS_LAMBDA_FUNCTION_VERSION", ""),
                    "log_stream": get_variable("AWS_LAMBDA_LOG_STREAM_NAME", ""),
                    "log_group": get_variable("AWS_LAMBDA_LOG_GROUP_NAME", ""),
                }
            )
        )

    def build(self, invocation: Invocation, event: Any) -> bytes:
        """Return the header lines of both contexts; the request context is `null` if the event has none."""
        request_context = event.get("requestContext") if isinstance(event, dict) else None
        value = b"null" if request_context is None else _encode(request_context)
        if len(value) > MAX_HEADER_BYTES:
            self._too_large(
                f"{REQUEST_CONTEXT} is left out where it has more than {MAX_HEADER_BYTES} bytes, which servers "
                "reject. A Python app has it in lambda_web_adapter.current_event()."
            )
            lines = b""
        else:
            lines = b"x-amzn-request-context: %b\r\n" % value
        client_context = _parse_object(invocation.client_context) if invocation.client_context else None
        value = _encode(self._lambda_context(invocation, client_context))
        if len(value) > MAX_HEADER_BYTES:
            self._too_large(
                f"{LAMBDA_CONTEXT} has no client_context where it would have more than {MAX_HEADER_BYTES} bytes with "
                "it, which servers reject."
            )
            value = _encode(self._lambda_context(invocation, None))
        return b"%bx-amzn-lambda-context: %b\r\n" % (lines, value)

    def _lambda_context(self, invocation: Invocation, client_context: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "request_id": invocation.request_id,
            "deadline": invocation.deadline_ms,
            "invoked_function_arn": invocation.function_arn.decode("utf-8", "replace"),
            "xray_trace_id": invocation.trace_id or None,
            "client_context": None if client_context is None else _client_context(client_context),
            "identity": _rename_keys(_parse_object(invocation.identity), _IDENTITY) if invocation.identity else None,
            "tenant_id": invocation.tenant_id or None,
            "env_config": self._env_config,
        }


def build_trace_headers(client_context: bytes) -> bytes:
    """Return the header lines for the trace that the caller of the function has sent.

    Args:
        client_context: the client context, as JSON.
    """
    w3c = (_parse_object(client_context) or {}).get("w3c")
    fields = w3c if isinstance(w3c, dict) else {}
    pairs = ((name, fields.get(name)) for name in _W3C)
    lines = [f"{name}: {value}\r\n" for name, value in pairs if isinstance(value, str) and _is_valid_value(value)]
    return "".join(lines).encode("ascii")


def _is_valid_value(value: str) -> bool:
    return bool(value) and not _NOT_VISIBLE.search(value)


def _client_context(document: dict[str, Any]) -> dict[str, Any]:
    client = document.get("client")
    return {
        "client": _rename_keys(client if isinstance(client, dict) else {}, _CLIENT),
        "custom": document.get("custom") or {},
        "environment": document.get("env") or {},
    }


def _rename_keys(fields: dict[str, Any] | None, names: dict[str, str]) -> dict[str, Any] | None:
    return None if fields is None else {names.get(name, name): value for name, value in fields.items()}


def _parse_object(text: bytes) -> dict[str, Any] | None:
    """Parse a JSON object; return None for anything else, which counts as missing."""
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _encode(value: Any) -> bytes:
    """Return JSON in visible ASCII. Other characters occur only within strings, where they can be escaped."""
    try:
        document = orjson.dumps(value)
    except TypeError:
        document = _encode_with_json(value)
    if document.isascii() and b"\x7f" not in document:
        return document
    return _NOT_VISIBLE.sub(_escape, document.decode("utf-8")).encode("ascii")


def _encode_with_json(value: Any) -> bytes:
    """Return JSON of what orjson cannot write: half of a surrogate pair, or an integer beyond 64 bits."""
    try:
        return json.dumps(value, separators=(",", ":")).encode("ascii")
    except RecursionError:  # no reader accepts this depth
        return b"null"


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
