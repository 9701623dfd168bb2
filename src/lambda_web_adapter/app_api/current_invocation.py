"""What an app may know of the invocation that it handles: Lambda's context, and the event. None has to.

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
        """What `current_event_source` asks of a request's headers."""

        def get(self, name: str, /) -> str | None:
            """Return a header's value."""

    class Model(Protocol):
        """What `current_event_as` asks of a pydantic model."""

        @classmethod
        def model_validate(cls, obj: Any, /) -> Any:
            """Reads a value."""

    Event = TypeVar("Event", bound=Model)


class Invocation(LambdaContext):
    """What the app's server knows of an invocation: context and event, read when they are first asked for something.

    Attributes:
        trace_id: the X-Ray trace header, or empty.
    """

    __slots__ = ("_body", "_envelope", "_event", "trace_id")

    def __init__(self, raw_envelope: bytes, body: bytes) -> None:
        """Takes what stood in front of the request, and the request's body."""
        self._envelope = raw_envelope
        self._body: bytes | None = body
        self.trace_id = raw_envelope[: raw_envelope.index(b"\n")]

    def __getattr__(self, name: str) -> Any:
        """Reads the context: Python comes here for an attribute that has no value yet."""
        if name not in LambdaContext.__slots__:
            raise AttributeError(f"Lambda's context has no {name!r}", name=name, obj=self)
        self._read_context()
        return getattr(self, name)

    @property
    def event(self) -> Any:
        """The event."""
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
    """Reads a JSON object; what is none counts as missing, as a header that came empty does."""
    if not text:
        return {}
    import json

    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


class CurrentInvocation:
    """What is being handled.

    Attributes:
        in_context: by this task or thread.
        in_process: by the whole process, where that is one at a time: threads that the app has started itself inherit
            nothing, but are about this one too.
    """

    def __init__(self) -> None:
        """Begins with nothing."""
        self.in_context: ContextVar[Invocation | None] = ContextVar("lambda_web_adapter_invocation", default=None)
        self.in_process: Invocation | None = None

    def get(self) -> Invocation | None:
        """Says what is being handled, if anything is."""
        return self.in_context.get() or self.in_process


CURRENT = CurrentInvocation()


def current_context() -> LambdaContext:
    """Gives the context of the invocation that is being handled.

    It is right in threads, tasks and parallel invocations. Threads that the app starts itself know it too where there
    is one invocation at a time; among several, start them in a copy of the context (`contextvars.copy_context().run`).

    Raises:
        NoInvocation: none is being handled here.
    """
    return _current()


def current_event() -> Any:
    """Gives the event of the invocation that is being handled.

    Returns:
        The event as its JSON reads, a dict for all HTTP sources; the same one each time in an invocation.

    Raises:
        NoInvocation: none is being handled here.
    """
    return _current().event


def current_event_as(model: type[Event]) -> Event:
    """Gives the event with types.

    Args:
        model: a pydantic model, such as those in `lambda_web_adapter.models`.

    Raises:
        NoInvocation: no invocation is being handled here.
        pydantic.ValidationError: the event is not what the model says.
    """
    event: Event = model.model_validate(_current().event)
    return event


def current_event_source(headers: Headers) -> str:
    """Return the source of the event that a request delivers; empty for a client's request.

    Nothing that a client sends is believed: neither behind the adapter, which drops such a header, nor without it, on
    a server that anybody can send that header to.

    Args:
        headers: the request's headers, as frameworks have them: by name in any case.

    Returns:
        `sqs`, `s3`, and so on (docs/event-sources.md).
    """
    from os import environ  # few apps ask

    if CURRENT.get() is None and envelope.COMMAND_VARIABLE not in environ:
        return ""
    return headers.get(envelope.EVENT_SOURCE) or ""


def event_refusal(source: str, sources: tuple[str, ...]) -> str:
    """Return why a request is none of these sources' events; empty if it is one.

    Args:
        source: the source of the event that the request delivers, as `current_event_source` has it.
        sources: the sources that are taken; all if there is none.
    """
    if source and (not sources or source in sources):
        return ""
    expected = f"events of {', '.join(sources)}" if sources else "events"
    return f"Only {expected} are taken here, {f'not of {source}' if source else 'no requests'}."


def _current() -> Invocation:
    invocation = CURRENT.get()
    if invocation is None:
        raise NoInvocation(
            "No invocation is handled here. There is one while a request is, in the process of a Python app that "
            "lambda-web-adapter serves: on Lambda, or on a laptop with --port; not in a command's process, which has "
            "the header x-amzn-lambda-context instead."
        )
    return invocation
