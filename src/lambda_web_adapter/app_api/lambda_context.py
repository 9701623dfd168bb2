"""Lambda's context, as its own Python runtime gives it to a handler."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Identity:
    """The Cognito identity of the function's caller, by AWS's mobile SDKs.

    Attributes:
        cognito_identity_id: the identity; None without one.
        cognito_identity_pool_id: the pool that it is of.
    """

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, *, cognito_identity_id: str | None = None, cognito_identity_pool_id: str | None = None) -> None:
        """Takes them."""
        self.cognito_identity_id = cognito_identity_id
        self.cognito_identity_pool_id = cognito_identity_pool_id


class Client:
    """The app of the function's caller.

    Attributes:
        installation_id: this and the others are as the caller's SDK gave them; None where it did not.
    """

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __init__(
        self,
        *,
        installation_id: str | None = None,
        app_title: str | None = None,
        app_version_name: str | None = None,
        app_version_code: str | None = None,
        app_package_name: str | None = None,
    ) -> None:
        """Takes them."""
        self.installation_id = installation_id
        self.app_title = app_title
        self.app_version_name = app_version_name
        self.app_version_code = app_version_code
        self.app_package_name = app_package_name


class ClientContext:
    """What the function's caller sent as `ClientContext`.

    Attributes:
        client: the caller's app.
        custom: what it sent besides.
        env: what its SDK said of the environment.
    """

    __slots__ = ("client", "custom", "env")

    def __init__(
        self, *, client: Client | None = None, custom: dict[str, Any] | None = None, env: dict[str, Any] | None = None
    ) -> None:
        """Takes them."""
        self.client = client or Client()
        self.custom = custom or {}
        self.env = env or {}


class LambdaContext:
    """Lambda's context, with the names that Lambda's own Python runtime has ("Using the Lambda context object").

    Attributes:
        aws_request_id: the id of the invocation, as in Lambda's own log lines.
        function_name: the function's name.
        function_version: the function's version, such as `$LATEST`.
        invoked_function_arn: what was invoked: the function, or one of its versions or aliases.
        memory_limit_in_mb: the function's memory, in MB.
        log_group_name: the group of the function's logs.
        log_stream_name: the stream of this environment's logs.
        identity: the caller's Cognito identity; one of None where there is none.
        client_context: what the caller said of itself, when it invoked the function by an SDK; or None.
        tenant_id: the tenant, of a function with tenant isolation; or None.
        xray_trace_id: the X-Ray trace header, as `_X_AMZN_TRACE_ID` has it where there is one invocation at a time; or
            None.
    """

    __slots__ = (
        "_deadline_ms",
        "aws_request_id",
        "client_context",
        "function_name",
        "function_version",
        "identity",
        "invoked_function_arn",
        "log_group_name",
        "log_stream_name",
        "memory_limit_in_mb",
        "tenant_id",
        "xray_trace_id",
    )

    def __init__(  # noqa: PLR0913  # a test gives those that it is about
        self,
        *,
        aws_request_id: str = "",
        function_name: str = "",
        function_version: str = "$LATEST",
        invoked_function_arn: str = "",
        memory_limit_in_mb: int = 128,
        log_group_name: str = "",
        log_stream_name: str = "",
        identity: Identity | None = None,
        client_context: ClientContext | None = None,
        tenant_id: str | None = None,
        xray_trace_id: str | None = None,
        deadline_ms: int = 0,
    ) -> None:
        """Makes one by hand, for a test; `deadline_ms` is the end of the invocation, in milliseconds since 1970."""
        self.aws_request_id = aws_request_id
        self.function_name = function_name
        self.function_version = function_version
        self.invoked_function_arn = invoked_function_arn
        self.memory_limit_in_mb = memory_limit_in_mb
        self.log_group_name = log_group_name
        self.log_stream_name = log_stream_name
        self.identity = identity or Identity()
        self.client_context = client_context
        self.tenant_id = tenant_id
        self.xray_trace_id = xray_trace_id
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """Says how many milliseconds are left until Lambda ends the invocation, at this moment; never less than 0."""
        return max(int(self._deadline_ms - time.time() * 1000), 0)

    def __repr__(self) -> str:
        """Names what it is about."""
        return f"LambdaContext(aws_request_id={self.aws_request_id!r}, function_name={self.function_name!r})"
