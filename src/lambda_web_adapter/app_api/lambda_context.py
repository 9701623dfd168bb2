"""Lambda's context object, as Lambda's own Python runtime passes it to a handler."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Identity:
    """The Cognito identity of the function's caller, as AWS's mobile SDKs send it.

    Attributes:
        cognito_identity_id: the identity; None without one.
        cognito_identity_pool_id: the identity's pool; None without one.
    """

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, *, cognito_identity_id: str | None = None, cognito_identity_pool_id: str | None = None) -> None:
        """Make an identity for a test."""
        self.cognito_identity_id = cognito_identity_id
        self.cognito_identity_pool_id = cognito_identity_pool_id


class Client:
    """The caller's mobile app, as its SDK describes it; values that the SDK omits are None.

    Attributes:
        installation_id: the installation of the app.
        app_title: the app's title.
        app_version_name: the app's version, as shown to users.
        app_version_code: the app's version, as a number.
        app_package_name: the app's package.
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
        """Make a client for a test."""
        self.installation_id = installation_id
        self.app_title = app_title
        self.app_version_name = app_version_name
        self.app_version_code = app_version_code
        self.app_package_name = app_package_name


class ClientContext:
    """The `ClientContext` that the function's caller sent.

    Attributes:
        client: the caller's mobile app.
        custom: values that the app added.
        env: the caller's environment, as its SDK describes it.
    """

    __slots__ = ("client", "custom", "env")

    def __init__(
        self, *, client: Client | None = None, custom: dict[str, Any] | None = None, env: dict[str, Any] | None = None
    ) -> None:
        """Make a client context for a test."""
        self.client = client or Client()
        self.custom = custom or {}
        self.env = env or {}


class LambdaContext:
    """Lambda's context, with the names of Lambda's own Python runtime ("Using the Lambda context object").

    Attributes:
        aws_request_id: the id of the invocation, as in Lambda's own log lines.
        function_name: the function's name.
        function_version: the function's version, such as `$LATEST`.
        invoked_function_arn: the ARN that was invoked: of the function, or of one of its versions or aliases.
        memory_limit_in_mb: the function's memory, in MB.
        log_group_name: the function's log group.
        log_stream_name: the log stream of this execution environment.
        identity: the caller's Cognito identity; its attributes are None without one.
        client_context: the client context, if the caller's SDK sent one; else None.
        tenant_id: the tenant, for a function with tenant isolation; else None.
        xray_trace_id: the X-Ray trace header, with single invocations also in `_X_AMZN_TRACE_ID`; None without one.
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

    def __init__(  # noqa: PLR0913  # a test passes only those that it needs
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
        """Make a context for a test; `deadline_ms` is the invocation's deadline, in milliseconds since 1970."""
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
        """Return the remaining milliseconds before Lambda ends the invocation; never less than 0."""
        return max(int(self._deadline_ms - time.time() * 1000), 0)

    def __repr__(self) -> str:
        """Return the request id and the function's name, for a log or a debugger."""
        return f"LambdaContext(aws_request_id={self.aws_request_id!r}, function_name={self.function_name!r})"
