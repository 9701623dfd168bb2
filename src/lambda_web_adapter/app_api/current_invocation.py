"""Lambda's context and event, for apps that want to know the invocation behind a request.

Example:
    ```python
    from lambda_web_adapter import current_context, current_event

    def who() -> str:
        claims = current_event()["requestContext"]["authorizer"]["jwt"]["claims"]
        return f"{claims['sub']}, {current_context().get_remaining_time_in_millis()} ms left"
    ```
"""

from __future__ import annotations

from contextvars import ContextVar

from lambda_web_adapter.app_api.lambda_context import Client, ClientContext, Identity, LambdaContext
from lambda_web_adapter.errors import NoInvocation
from lambda_web_adapter.ipc import envelope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, TypeVar

    class Headers(Protocol):
        """The interface that `current_event_source` needs of a request's headers."""

        def get(self, name: str, /) -> str | None:
            """Return a header's value; None if it is missing."""

    class Model(Protocol):
        """The interface that `current_event_as` needs of a pydantic model."""

        @classmethod
        def model_validate(cls, obj: Any, /) -> Any:
            """Return a value as an instance of the model."""

    Event = TypeVar("Event", bound=Model)


class Invocation(LambdaContext):
    """An invocation's context and event, parsed when the app first uses them.

    Attributes:
        trace_id: the X-Ray trace header, or empty.
    """

    __slots__ = ("_body", "_envelope", "_event", "trace_id")

    def __init__(self, raw_envelope: bytes, body: bytes) -> None:
        """Keep the request's envelope and body, unparsed."""
        self._envelope = raw_envelope
        self._body: bytes | None = body
        self.trace_id = raw_envelope[: raw_envelope.index(b"\n")]

    def __getattr__(self, name: str) -> Any:
        """Parse the context: Python calls this for an attribute that has no value yet."""
        if name not in LambdaContext.__slots__:
            raise AttributeError(f"Lambda's context has no {name!r}", name=name, obj=self)
        self._read_context()
        return getattr(self, name)

    @property
    def event(self) -> Any:
        """The event, as parsed JSON."""
        if self._body is not None:
            self._event = envelope.parse_event(self._envelope, self._body)
            self._body = None
        return self._event

    def _read_context(self) -> None:
        from os import environ  # few apps want a context

        trace_id, request_id, deadline, arn, tenant_id, client_context, identity = envelope.parse_context(
            self._envelope
        )
        memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        super().__init__(
            aws_request_id=request_id,
            function_name=environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            function_version=environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            invoked_function_arn=arn,
            memory_limit_in_mb=int(memory) if memory.isdecimal() else 0,
            log_group_name=environ.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
            log_stream_name=environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
            identity=_parse_identity(identity),
            client_context=_parse_client_context(client_context),
            tenant_id=tenant_id or None,
            xray_trace_id=trace_id or None,
            deadline_ms=int(deadline),
        )


def _parse_identity(text: str) -> Identity:
    values = _parse_object(text)
    return Identity(
        cognito_identity_id=values.get("cognitoIdentityId"),
        cognito_identity_pool_id=values.get("cognitoIdentityPoolId"),
    )


def _parse_client_context(text: str) -> ClientContext | None:
    values = _parse_object(text)
    if not values:
        return None
    raw_client = values.get("client")
    client = raw_client if isinstance(raw_client, dict) else {}
    names = [name for name in Client.__slots__ if name in client]
    return ClientContext(
        client=Client(**{name: client[name] for name in names}), custom=values.get("custom"), env=values.get("env")
    )


def _parse_object(text: str) -> dict[str, Any]:
    """Parse a JSON object; return an empty one for anything else."""
    if not text:
        return {}
    import json

    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


class CurrentInvocation:
    """The current invocation.

    Attributes:
        in_context: the invocation of this task or thread.
        in_process: the invocation of the whole process, with single invocations only. Threads that the app starts
            inherit no context variables, but work on this invocation too.
    """

    def __init__(self) -> None:
        """Start without an invocation."""
        self.in_context: ContextVar[Invocation | None] = ContextVar("lambda_web_adapter_invocation", default=None)
        self.in_process: Invocation | None = None

    def get(self) -> Invocation | None:
        """Return the current invocation; None if there is none."""
        return self.in_context.get() or self.in_process


CURRENT = CurrentInvocation()


def current_context() -> LambdaContext:
    """Return the context of the current invocation.

    It is correct in threads and tasks, and with concurrent invocations. With single invocations, threads that the app
    itself starts see it too; with concurrent ones, start them with `contextvars.copy_context().run`.

    Raises:
        NoInvocation: no invocation is in progress here.
    """
    return _current()


def current_event() -> Any:
    """Return the event of the current invocation.

    Returns:
        The parsed JSON, a dict for all HTTP sources; always the same object within an invocation.

    Raises:
        NoInvocation: no invocation is in progress here.
    """
    return _current().event


def current_event_as(model: type[Event]) -> Event:
    """Return the event of the current invocation as a pydantic model.

    Args:
        model: a pydantic model, such as those in `lambda_web_adapter.models`.

    Raises:
        NoInvocation: no invocation is in progress here.
        pydantic.ValidationError: the event does not match the model.
    """
    event: Event = model.model_validate(_current().event)
    return event


def current_event_source(headers: Headers) -> str:
    """Return the source of the event that a request delivers; empty for a client's request.

    A client cannot forge it: the adapter drops the header from what clients send, and without the adapter the header
    is ignored.

    Args:
        headers: the request's headers, as a mapping whose names ignore case.

    Returns:
        `sqs`, `s3`, and so on (docs/event-sources.md).
    """
    from os import environ  # few apps ask

    from lambda_web_adapter.http.trusted_headers import EVENT_SOURCE_HEADER

    if CURRENT.get() is None and envelope.COMMAND_VARIABLE not in environ:
        return ""
    return headers.get(EVENT_SOURCE_HEADER) or ""


def event_refusal(source: str, sources: tuple[str, ...]) -> str:
    """Return why a request is not an accepted event; empty if it is one.

    Args:
        source: the source of the event that the request delivers, as `current_event_source` returns it.
        sources: the sources to accept; if empty, all of them.
    """
    if source and (not sources or source in sources):
        return ""
    expected = f"events of {', '.join(sources)}" if sources else "events"
    return f"Only {expected} are accepted here, not {f'those of {source}' if source else 'requests'}."


def _current() -> Invocation:
    invocation = CURRENT.get()
    if invocation is None:
        raise NoInvocation(
            "No invocation is in progress here. There is one while a Python app that lambda-web-adapter serves handles "
            "a request, on Lambda or locally with --port. An external command gets the header x-amzn-lambda-context "
            "instead."
        )
    return invocation
