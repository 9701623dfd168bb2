"""Every error of the adapter, in one tree.

    AdapterError
    ├── SettingsError          a setting is wrong, the adapter does not start
    ├── AppError               the app cannot be served
    │   ├── AppNotFound        nothing that could be the app was found
    │   ├── AppStartFailed     the app raised, or ended, before it was ready
    │   │   └── AppKilled      a signal ended it
    │   ├── AppNotReady        the app was not ready in time
    │   ├── BeforeSnapshotFailed  a SnapStart hook failed before the snapshot
    │   └── AfterRestoreFailed    a SnapStart hook failed after a restore
    ├── InvalidEvent           the event is not JSON, or cannot become an HTTP request
    ├── ExchangeError          the app did not answer a request as HTTP asks for
    │   ├── AppUnreachable     no connection to the app's port
    │   ├── AppExited          the app's process ended before it had answered
    │   ├── InvalidResponse    the response broke off or is not HTTP
    │   └── AppTimeout         no whole response before the invocation's deadline
    ├── ForbiddenPath          an HTTP request to a path that is kept for events
    ├── ForbiddenMethod        an HTTP request whose method would change what the connection to the app carries
    ├── AppRejectedEvent       the app answered with a status that fails the invocation
    ├── ResponseTooLarge       the reply would be larger than Lambda takes
    ├── NoInvocation           the app asked about an invocation where none is handled
    └── RuntimeApiError        the Runtime API answered in a way that it should not

`error_type` is what Lambda shows: it keeps `Category.Reason` of letters only (Lambda Runtime API, "Invocation error").
`status` is what an HTTP caller gets when the error ends its request.
"""


class AdapterError(Exception):
    """Base of all errors the adapter raises itself; its text is meant for people.

    Attributes:
        error_type: what Lambda counts and shows.
        status: what an HTTP caller gets.
        headers: what else it gets; its type is JSON.
        raised: the app's own name for what went wrong, when there is one: the caller of the function is shown that.
        stack: the traceback's lines, when the app raised.
        details: what is for the log and for the function's owner, but not for an HTTP caller.
    """

    error_type = "Runtime.AdapterError"
    status = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    raised = ""
    stack: tuple[str, ...] = ()
    details = ""

    def document(self) -> bytes:
        """Writes the error as the Runtime API takes it ("Invocation error")."""
        import json  # nobody pays for it before something goes wrong

        return json.dumps(
            {
                "errorMessage": f"{self}{self.details}",
                "errorType": self.raised or self.error_type,
                "stackTrace": self.stack,
            }
        ).encode("ascii")


class SettingsError(AdapterError):
    """A setting has a value that cannot be used; the text names it, the value and what is accepted."""

    error_type = "Runtime.InvalidSettings"


class AppError(AdapterError):
    """The app cannot be served."""

    error_type = "Runtime.AppError"
    status = 502

    def __init__(self, message: str, *, raised: str = "", stack: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.raised = raised
        self.stack = stack


class AppNotFound(AppError):
    """Nothing that could be the app was found; the text says what was tried and what to do."""

    error_type = "Runtime.AppNotFound"


class AppStartFailed(AppError):
    """The app raised, or its process ended, before it was ready."""

    error_type = "Runtime.AppStartFailed"


class AppKilled(AppStartFailed):
    """Somebody else, such as the kernel where memory runs out, ended the app's process before it was ready.

    It is no fault that the app shows at each start: an HTTP caller is told as of an app that is killed at work.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class AppNotReady(AppError):
    """The app was not ready within `AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS`."""

    error_type = "Runtime.AppNotReady"


class BeforeSnapshotFailed(AppError):
    """A hook that the app has for SnapStart failed before the snapshot; no version is published."""

    error_type = "Runtime.BeforeSnapshotError"


class AfterRestoreFailed(AppError):
    """A hook that the app has for SnapStart failed after a restore; the environment ends."""

    error_type = "Runtime.AfterRestoreError"


class InvalidEvent(AdapterError):
    """The event is not JSON, or holds something that no HTTP request can carry."""

    error_type = "Runtime.InvalidEvent"
    status = 400


class ExchangeError(AdapterError):
    """The app did not answer a request as HTTP asks for."""

    error_type = "Function.AppConnection"
    status = 502


class AppUnreachable(ExchangeError):
    """No connection to the app's port, or it was lost before the request was sent."""

    error_type = "Function.AppUnreachable"


class AppExited(ExchangeError):
    """The app's process ended before it had answered."""

    error_type = "Runtime.AppExited"

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class InvalidResponse(ExchangeError):
    """The app's response broke off, or is not HTTP."""

    error_type = "Function.InvalidResponse"


class AppTimeout(ExchangeError):
    """The app gave no whole response before the invocation's deadline."""

    error_type = "Function.AppTimeout"
    status = 504


class ForbiddenPath(AdapterError):
    """An HTTP request came to a path that is kept for events by `AWS_LWA_PROTECT_EVENT_PATHS`."""

    error_type = "Function.ForbiddenPath"
    status = 403


class ForbiddenMethod(AdapterError):
    """An HTTP request has a method that no app gets: what follows it on the connection would be no more requests."""

    error_type = "Function.ForbiddenMethod"
    status = 405
    headers = ((b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),)  # a 405 has it (RFC 9110 §15.5.6)


class AppRejectedEvent(AdapterError):
    """The app answered with a status that fails the invocation.

    That is one which is not 2xx for an event that is no HTTP request, or one of `AWS_LWA_ERROR_STATUS_CODES`.
    """

    error_type = "Function.AppRejectedEvent"

    def __init__(self, message: str, *, raised: str = "") -> None:
        super().__init__(message)
        self.raised = raised


class ResponseTooLarge(AdapterError):
    """The reply is larger than Lambda, or the event's source, takes from a function."""

    error_type = "Function.ResponseSizeTooLarge"

    def __init__(self, message: str, details: str, status: int) -> None:
        super().__init__(message)
        self.details = details
        self.status = status


class NoInvocation(AdapterError, LookupError, RuntimeError):
    """The app asked for the context or the event of an invocation where none is handled.

    It is a LookupError as a context variable's is, and a RuntimeError as Flask's outside of a request, from which
    werkzeug's proxies know that they stand for nothing.
    """


class RuntimeApiError(AdapterError):
    """The Runtime API answered in a way that leaves nothing to do but to ask again, or to end.

    Attributes:
        fatal: whether the environment cannot go on (a 500: "container error", exit promptly).
    """

    error_type = "Runtime.RuntimeApi"

    def __init__(self, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.fatal = fatal
