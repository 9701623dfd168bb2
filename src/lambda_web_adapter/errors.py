"""Every error of the adapter, in one tree.

    AdapterError
    ├── SettingsError          a setting is wrong; the adapter does not start
    ├── AppError               the app cannot be served
    │   ├── AppNotFound        there is nothing that could be the app
    │   ├── AppStartFailed     the app raised, or ended, before it was ready
    │   │   └── AppKilled      a signal ended it
    │   ├── AppNotReady        the app was not ready in time
    │   ├── BeforeSnapshotFailed  a SnapStart hook failed before the snapshot
    │   └── AfterRestoreFailed    a SnapStart hook failed after a restore
    ├── InvalidEvent           the event is not JSON, or cannot become an HTTP request
    ├── ExchangeError          the app gave no valid HTTP response to a request
    │   ├── AppUnreachable     no connection to the app's port
    │   ├── AppExited          the app process ended before its response was complete
    │   ├── InvalidResponse    the response broke off or is not HTTP
    │   └── AppTimeout         no complete response before the invocation's deadline
    ├── ForbiddenPath          an HTTP request to a path reserved for events
    ├── ForbiddenMethod        an HTTP request whose method would change the protocol on the connection to the app
    ├── AppRejectedEvent       the app's response has a status that fails the invocation
    ├── ResponseTooLarge       the reply exceeds the payload limit
    ├── CommandFailed          the command that an event names has failed
    ├── StartFileError         the start file
    │   ├── StartFileRejected     it does not belong to this start, which goes on without it
    │   └── StartFileNotWritten   `lambda-web-adapter compile` cannot write it
    ├── NoInvocation           the app wanted the context or event outside of an invocation
    └── RuntimeApiError        the Runtime API gave an unexpected response

`error_type` is what Lambda shows: it keeps `Category.Reason` of letters only (Lambda Runtime API, "Invocation error").
`status` is what an HTTP caller gets when the error ends its request.
"""


class AdapterError(Exception):
    """Base of all errors that the adapter itself raises; its message is written for people.

    Attributes:
        error_type: the type that Lambda counts and shows.
        status: the HTTP status for an HTTP caller.
        headers: further headers for an HTTP caller; the content type is JSON.
        raised: the app's own name for the error, or empty; the function's caller sees it instead of `error_type`.
        stack: the traceback's lines, if the app raised.
        details: more text for the log and the function's owner, but not for an HTTP caller.
    """

    error_type = "Runtime.AdapterError"
    status = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    raised = ""
    stack: tuple[str, ...] = ()
    details = ""

    @property
    def log_text(self) -> str:
        """What the adapter writes to the log about it."""
        return str(self)

    def document(self) -> bytes:
        """Return the error as JSON for the Runtime API ("Invocation error")."""
        import json  # only errors need it

        return json.dumps(
            {
                "errorMessage": f"{self}{self.details}",
                "errorType": self.raised or self.error_type,
                "stackTrace": self.stack,
            }
        ).encode("ascii")


class SettingsError(AdapterError):
    """A setting has an invalid value; the message names the setting, the value and what is accepted."""

    error_type = "Runtime.InvalidSettings"


class AppError(AdapterError):
    """The app cannot be served.

    Attributes:
        is_logged: whether the app has written what it raised to the log, with the traceback.
    """

    error_type = "Runtime.AppError"
    status = 502

    def __init__(self, message: str, *, raised: str = "", stack: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.raised = raised
        self.stack = stack
        self.is_logged = False

    @property
    def log_text(self) -> str:
        """What the adapter writes to the log about it, which may have the exception already."""
        return f"The app raised {self.raised}. The log has its traceback." if self.is_logged else str(self)


class AppNotFound(AppError):
    """No app was found; the message says what was tried and what to do."""

    error_type = "Runtime.AppNotFound"


class AppStartFailed(AppError):
    """The app raised an exception, or its process ended, before it was ready."""

    error_type = "Runtime.AppStartFailed"


class AppKilled(AppStartFailed):
    """A signal ended the app process before it was ready, for instance the kernel's SIGKILL when memory runs out.

    The next start may succeed, so an HTTP caller gets the same error as when an app is killed during a request.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class AppNotReady(AppError):
    """The app was not ready within `AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS`."""

    error_type = "Runtime.AppNotReady"


class BeforeSnapshotFailed(AppError):
    """One of the app's SnapStart hooks failed before the snapshot; no version is published."""

    error_type = "Runtime.BeforeSnapshotError"


class AfterRestoreFailed(AppError):
    """One of the app's SnapStart hooks failed after a restore; the environment ends."""

    error_type = "Runtime.AfterRestoreError"


class InvalidEvent(AdapterError):
    """The event is not JSON, or holds something that no HTTP request can carry."""

    error_type = "Runtime.InvalidEvent"
    status = 400


class ExchangeError(AdapterError):
    """The app gave no valid HTTP response to a request."""

    error_type = "Function.AppConnection"
    status = 502


class AppUnreachable(ExchangeError):
    """The connection to the app's port failed, or was lost before the request was sent."""

    error_type = "Function.AppUnreachable"


class AppExited(ExchangeError):
    """The app process ended before its response was complete."""

    error_type = "Runtime.AppExited"

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class InvalidResponse(ExchangeError):
    """The app's response broke off, or is not HTTP."""

    error_type = "Function.InvalidResponse"


class AppTimeout(ExchangeError):
    """The app gave no complete response before the invocation's deadline."""

    error_type = "Function.AppTimeout"
    status = 504


class ForbiddenPath(AdapterError):
    """An HTTP request came to a path that `AWS_LWA_PROTECT_EVENT_PATHS` reserves for events."""

    error_type = "Function.ForbiddenPath"
    status = 403


class ForbiddenMethod(AdapterError):
    """An HTTP request has a method that is not sent to apps: after it, the connection could carry another protocol."""

    error_type = "Function.ForbiddenMethod"
    status = 405
    headers = ((b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),)  # required for 405 (RFC 9110 §15.5.6)


class AppRejectedEvent(AdapterError):
    """The app's response has a status that fails the invocation.

    That is any status except 2xx for an event that is not an HTTP request, and any of `AWS_LWA_ERROR_STATUS_CODES`.
    """

    error_type = "Function.AppRejectedEvent"

    def __init__(self, message: str, *, raised: str = "", details: str = "") -> None:
        super().__init__(message)
        self.raised = raised
        self.details = details


class CommandFailed(AdapterError):
    """The command that an event names could not be started, has failed, or took too long."""

    error_type = "Function.CommandFailed"

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class ResponseTooLarge(AdapterError):
    """The reply exceeds the payload limit of Lambda or of the event source."""

    error_type = "Function.ResponseSizeTooLarge"

    def __init__(self, message: str, details: str, status: int) -> None:
        super().__init__(message)
        self.details = details
        self.status = status


class StartFileError(AdapterError):
    """The start file cannot be used, or cannot be written."""

    error_type = "Runtime.StartFileError"


class StartFileRejected(StartFileError):
    """The start file does not belong to this start; the message says why."""


class StartFileNotWritten(StartFileError):
    """`lambda-web-adapter compile` cannot write the start file."""


class NoInvocation(AdapterError, LookupError, RuntimeError):
    """The app wanted the context or the event outside of an invocation.

    It is a LookupError like a ContextVar's, and a RuntimeError like Flask's outside of a request, which werkzeug's
    proxies take for "unbound".
    """


class RuntimeApiError(AdapterError):
    """The Runtime API gave an unexpected response; the adapter can only try again or end.

    Attributes:
        fatal: whether the environment has to end (after a 500, "container error").
    """

    error_type = "Runtime.RuntimeApi"

    def __init__(self, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.fatal = fatal
