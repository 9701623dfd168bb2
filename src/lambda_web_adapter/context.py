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

import time
from contextvars import ContextVar

from lambda_web_adapter.errors import NoInvocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, TypeVar

    class Model(Protocol):
        """What `current_event_as` asks of a pydantic model."""

        @classmethod
        def model_validate(cls, obj: Any, /) -> Any:
            """Reads a value."""

    Event = TypeVar("Event", bound=Model)


class Identity:
    """The Cognito identity of the function's caller, by AWS's mobile SDKs.

    Attributes:
        cognito_identity_id: the identity; None without one.
        cognito_identity_pool_id: the pool that it is of.
    """

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, said: dict[str, Any]) -> None:
        """Takes what the header says."""
        self.cognito_identity_id: str | None = said.get("identityId")
        self.cognito_identity_pool_id: str | None = said.get("identityPoolId")


class Client:
    """The app of the function's caller.

    Attributes:
        installation_id: this and the others are as the caller's SDK gave them; None where it did not.
    """

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __init__(self, said: dict[str, Any]) -> None:
        """Takes what the header says."""
        self.installation_id: str | None = said.get("installationId")
        self.app_title: str | None = said.get("appTitle")
        self.app_version_name: str | None = said.get("appVersionName")
        self.app_version_code: str | None = said.get("appVersionCode")
        self.app_package_name: str | None = said.get("appPackageName")


class ClientContext:
    """What the function's caller sent as `ClientContext`.

    Attributes:
        client: the caller's app.
        custom: what it sent besides.
        env: what its SDK said of the environment.
    """

    __slots__ = ("client", "custom", "env")

    def __init__(self, said: dict[str, Any]) -> None:
        """Takes what the header says."""
        self.client = Client(said["client"])
        self.custom: dict[str, Any] = said["custom"]
        self.env: dict[str, Any] = said["environment"]


class LambdaContext:
    """Lambda's context, with the names that Lambda's own Python runtime has ("Using the Lambda context object").

    It is read when it is first asked for something.
    """

    __slots__ = ("_document", "_read")

    def __init__(self, document: bytes) -> None:
        """Takes the value of `x-amzn-lambda-context`."""
        self._document = document
        self._read: dict[str, Any] | None = None

    def _said(self) -> dict[str, Any]:
        if self._read is None:
            import json  # few apps want a context

            said: dict[str, Any] = json.loads(self._document)
            self._read = said
        return self._read

    def get_remaining_time_in_millis(self) -> int:
        """Says how many milliseconds are left until Lambda ends the invocation, at this moment; never less than 0."""
        return max(int(self._said()["deadline"] - time.time() * 1000), 0)

    @property
    def aws_request_id(self) -> str:
        """The id of the invocation, as in Lambda's own log lines."""
        return str(self._said()["request_id"])

    @property
    def function_name(self) -> str:
        """The function's name."""
        return str(self._said()["env_config"]["function_name"])

    @property
    def function_version(self) -> str:
        """The function's version, such as `$LATEST`."""
        return str(self._said()["env_config"]["version"])

    @property
    def invoked_function_arn(self) -> str:
        """What was invoked: the function, or one of its versions or aliases."""
        return str(self._said()["invoked_function_arn"])

    @property
    def memory_limit_in_mb(self) -> int:
        """The function's memory, in MB."""
        return int(self._said()["env_config"]["memory"])

    @property
    def log_group_name(self) -> str:
        """The group of the function's logs."""
        return str(self._said()["env_config"]["log_group"])

    @property
    def log_stream_name(self) -> str:
        """The stream of this environment's logs."""
        return str(self._said()["env_config"]["log_stream"])

    @property
    def identity(self) -> Identity:
        """The caller's Cognito identity; one of None where there is none."""
        return Identity(self._said()["identity"] or {})

    @property
    def client_context(self) -> ClientContext | None:
        """What the caller said of itself, when it invoked the function by an SDK; or None."""
        said = self._said()["client_context"]
        return ClientContext(said) if said else None

    @property
    def tenant_id(self) -> str | None:
        """The tenant, of a function with tenant isolation; or None."""
        said: str | None = self._said()["tenant_id"]
        return said

    @property
    def xray_trace_id(self) -> str | None:
        """The X-Ray trace header, as `_X_AMZN_TRACE_ID` has it where there is one invocation at a time; or None."""
        said: str | None = self._said()["xray_trace_id"]
        return said

    def __repr__(self) -> str:
        """Shows what the header says."""
        return f"LambdaContext({self._document.decode('ascii')})"


class Invocation:
    """What the app's server knows of an invocation; it is read when it is first asked for.

    Attributes:
        context: Lambda's context.
        trace_id: the X-Ray trace header of the request, or empty.
    """

    __slots__ = ("_body", "_event", "_said", "context", "trace_id")

    def __init__(self, context: bytes, trace_id: bytes, event: bytes, body: bytes) -> None:
        """Takes two headers, what stood in front of the request, and its body."""
        self.context = LambdaContext(context)
        self.trace_id = trace_id
        self._said: bytes | None = event
        self._body = body
        self._event: Any = None

    @property
    def event(self) -> Any:
        """The event."""
        if self._said is not None:
            from lambda_web_adapter import preface

            self._event = preface.read(self._said, self._body)
            self._said, self._body = None, b""
        return self._event


class Handled:
    """What is being handled.

    Attributes:
        here: by this task or thread.
        alone: by the whole process, where that is one at a time: threads that the app has started itself inherit
            nothing, but are about this one too.
    """

    def __init__(self) -> None:
        """Begins with nothing."""
        self.here: ContextVar[Invocation | None] = ContextVar("lambda_web_adapter_invocation", default=None)
        self.alone: Invocation | None = None

    def get(self) -> Invocation | None:
        """Says what is being handled, if anything is."""
        return self.here.get() or self.alone


HANDLED = Handled()


def current_context() -> LambdaContext:
    """Gives the context of the invocation that is being handled.

    It is right in threads, tasks and parallel invocations. Threads that the app starts itself know it too where there
    is one invocation at a time; among several, start them in a copy of the context (`contextvars.copy_context().run`).

    Raises:
        NoInvocation: none is being handled here.
    """
    return _current().context


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


def _current() -> Invocation:
    invocation = HANDLED.get()
    if invocation is None:
        raise NoInvocation(
            "No invocation is handled here. There is one while a request is, in the process of a Python app that "
            "lambda-web-adapter serves: on Lambda, or on a laptop with --port; not in a command's process, which has "
            "the header x-amzn-lambda-context instead."
        )
    return invocation
