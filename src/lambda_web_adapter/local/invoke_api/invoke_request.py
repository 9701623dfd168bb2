"""Read requests to Lambda's API: which operation a path names, and what an invocation's headers and payload say.

Pure: it needs no function and no clock.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import orjson

from lambda_web_adapter.local.gateways import LAMBDA_PAYLOAD_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_RESPONSE = "RequestResponse"
EVENT = "Event"
DRY_RUN = "DryRun"

# Lambda's quotas page: "Invocation payload", asynchronous.
ASYNC_PAYLOAD_LIMIT = 1024 * 1024  # bytes
# The API's page of Invoke: "Up to 3,583 bytes of base64-encoded data".
_CLIENT_CONTEXT_LIMIT = 3583
# The patterns of FunctionName, Qualifier and TenantId on the same page: a name, a partial ARN or an ARN, each with a
# version or an alias or without.
_NAME = re.compile(
    r"(arn:aws[a-zA-Z-]*:lambda:)?([a-z]+(-[a-z]+)+-\d:)?(\d{12}:)?(function:)?[a-zA-Z0-9._-]+"
    r"(:(?P<qualifier>\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9_-]+))?"
)
_QUALIFIER = re.compile(r"\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9$_-]+")
_TENANT_ID = re.compile(r"[a-zA-Z0-9._:/=+@ -]{1,256}")
_PATH = re.compile(r"/(2015-03-31|2021-11-15|2014-11-13)/functions(?:/(?P<name>[^/]*)(?P<rest>/.*)?)?")
_OPERATIONS = {
    ("POST", "2015-03-31", "/invocations"): "Invoke",
    ("POST", "2021-11-15", "/response-streaming-invocations"): "InvokeWithResponseStream",
    ("POST", "2014-11-13", "/invoke-async"): "InvokeAsync",
    ("GET", "2015-03-31", ""): "GetFunction",
    ("GET", "2015-03-31", "/configuration"): "GetFunctionConfiguration",
}


class ApiError(Exception):
    """An error as Lambda's API responds with it.

    Attributes:
        status: the HTTP status.
        error_type: its name, for `x-amzn-ErrorType`.
        message: what is wrong.
        fields: more keys of the document.
        headers: more headers.
    """

    def __init__(
        self,
        status: int,
        error_type: str,
        message: str,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what the response says."""
        super().__init__(f"{error_type}: {message}")
        self.status = status
        self.error_type = error_type
        self.message = message
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})

    def document(self) -> bytes:
        """Return the response's body."""
        return orjson.dumps({"Type": "User", "message": self.message, **self.fields})


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeRequest:
    """What a caller wants of an invocation.

    Attributes:
        kind: `RequestResponse`, `Event` or `DryRun`.
        is_streamed: whether the reply shall come as an event stream.
        wants_log: whether the response shall have the end of the log.
        client_context: JSON text, or empty.
        trace_id: the value of `X-Amzn-Trace-Id`, or empty.
        tenant_id: the tenant of a function with tenant isolation, or empty.
    """

    kind: str = REQUEST_RESPONSE
    is_streamed: bool = False
    wants_log: bool = False
    client_context: str = field(default="", repr=False)
    trace_id: str = ""
    tenant_id: str = ""


def is_api_path(path: str) -> bool:
    """Return whether a path belongs to Lambda's API, so that the app does not get the request."""
    return _PATH.fullmatch(path) is not None


def parse_operation(method: str, path: str, query: str) -> str:
    """Return the name of the operation that a request calls.

    Any function name is right, since there is only one function, but it has to be a valid one.

    Raises:
        ApiError: the local run does not have the operation, or the name or the qualifier is not valid.
    """
    match = _PATH.fullmatch(path)
    operation = match and _OPERATIONS.get((method, match[1], (match["rest"] or "").rstrip("/")))
    if not match or not operation or not match["name"]:
        operations = ", ".join(_OPERATIONS.values())
        message = f"The local run has no operation {method} {path}. It has {operations}."
        raise ApiError(404, "UnknownOperationException", message)
    _check_name(match["name"], parse_qs(query).get("Qualifier", [""])[0])
    return operation


def _check_name(name: str, qualifier: str) -> None:
    parsed = _NAME.fullmatch(name)
    if parsed is None:
        raise _invalid(name, "functionName", f"Member must satisfy regular expression pattern: {_NAME.pattern}")
    if qualifier and not _QUALIFIER.fullmatch(qualifier):
        raise _invalid(qualifier, "qualifier", f"Member must satisfy regular expression pattern: {_QUALIFIER.pattern}")
    if qualifier and parsed["qualifier"] not in (None, qualifier):
        message = (
            f"The function name ends with the qualifier {parsed['qualifier']}, but the parameter Qualifier is "
            f"{qualifier}. Use one of them."
        )
        raise ApiError(400, "InvalidParameterValueException", message)


def parse_invoke_request(headers: Mapping[str, str], operation: str = "Invoke") -> InvokeRequest:
    """Return what an invocation's headers say.

    Args:
        headers: by lower-case names.
        operation: the operation that the request calls.

    Raises:
        ApiError: a header is not valid.
    """
    if operation == "InvokeAsync":
        return InvokeRequest(kind=EVENT)
    is_streamed = operation == "InvokeWithResponseStream"
    kinds = [REQUEST_RESPONSE, DRY_RUN, *([] if is_streamed else [EVENT])]
    kind = headers.get("x-amz-invocation-type") or REQUEST_RESPONSE
    if kind not in kinds:
        raise _invalid(kind, "invocationType", f"Member must satisfy enum value set: [{', '.join(kinds)}]")
    log_type = headers.get("x-amz-log-type") or "None"
    if log_type not in ("None", "Tail"):
        raise _invalid(log_type, "logType", "Member must satisfy enum value set: [Tail, None]")
    tenant_id = headers.get("x-amz-tenant-id", "")
    if tenant_id and not _TENANT_ID.fullmatch(tenant_id):
        raise _invalid(tenant_id, "tenantId", f"Member must satisfy regular expression pattern: {_TENANT_ID.pattern}")
    return InvokeRequest(
        kind=kind,
        is_streamed=is_streamed,
        wants_log=log_type == "Tail",
        client_context=_decode_client_context(headers.get("x-amz-client-context", "")),
        trace_id=headers.get("x-amzn-trace-id", ""),
        tenant_id=tenant_id,
    )


def _decode_client_context(value: str) -> str:
    """Return the client context as JSON text."""
    if not value:
        return ""
    if len(value) > _CLIENT_CONTEXT_LIMIT:
        message = f"The client context has {len(value)} bytes of base64, but Lambda takes {_CLIENT_CONTEXT_LIMIT}."
        raise ApiError(400, "InvalidRequestContentException", message)
    try:
        text = base64.b64decode(value, validate=True)
        if isinstance(orjson.loads(text), dict):
            return text.decode()
    except ValueError:  # orjson's and base64's errors are of this class
        pass
    message = "Client context must be a valid Base64-encoded JSON object."
    raise ApiError(400, "InvalidRequestContentException", message)


def check_payload(payload: bytes, kind: str) -> bytes:
    """Return the event of a payload; no payload at all stands for an empty object.

    Raises:
        ApiError: it is not JSON, or is larger than Lambda allows for this kind of invocation.
    """
    if kind == EVENT and len(payload) > ASYNC_PAYLOAD_LIMIT:
        message = (
            f"{len(payload)} byte payload is too large for the Event invocation type "
            f"(limit {ASYNC_PAYLOAD_LIMIT} bytes)"
        )
        raise ApiError(413, "RequestEntityTooLargeException", message)
    event = payload or b"{}"
    try:
        orjson.loads(event)
    except orjson.JSONDecodeError as error:
        message = f"Could not parse request body into json: {error}"
        raise ApiError(400, "InvalidRequestContentException", message) from error
    return event


def payload_too_large() -> ApiError:
    """Return the error for a payload beyond the limit of every invocation."""
    message = f"Request must be smaller than {LAMBDA_PAYLOAD_LIMIT} bytes for the InvokeFunction operation"
    return ApiError(413, "RequestEntityTooLargeException", message)


def _invalid(value: str, parameter: str, constraint: str) -> ApiError:
    message = (
        f"1 validation error detected: Value '{value}' at '{parameter}' failed to satisfy constraint: {constraint}"
    )
    return ApiError(400, "ValidationException", message)
