"""Set the current invocation, from the arrival of its request until all work for it is done.

With single invocations, X-Ray's environment variable is set too, as in Lambda's own Python runtime.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lambda_web_adapter.app_api.current_invocation import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
    from wsgiref.types import StartResponse, WSGIApplication

    from lambda_web_adapter.app.control_channel import AdapterChannel
    from lambda_web_adapter.app_api.current_invocation import Invocation

# X-Ray's SDK, Powertools, OpenTelemetry and botocore read the trace from it (Lambda, "Defined runtime environment
# variables").
_TRACE = b"_X_AMZN_TRACE_ID"
# Keys in scope and environ; the names are Mangum's.
CONTEXT = "aws.context"
EVENT = "aws.event"


class InvocationTracker:
    """How this process handles invocations.

    It is no dataclass, since that would take half a millisecond of each cold start.

    Attributes:
        control: the control channel.
        single: whether the environment has single invocations.
        freeze_seconds: the timeout of the app's `before_freeze` functions, which delay the message that a request is
            done.
        from_adapter: whether requests come from the adapter, which is so if there is a control channel.
        underscore_headers: whether a WSGI app gets headers whose names have an underscore.
        root_path: where an ASGI app finds the removed part of the path, as `app/asgi/root_path.py` returns it.
    """

    __slots__ = (
        "control",
        "freeze_seconds",
        "from_adapter",
        "root_path",
        "single",
        "underscore_headers",
    )

    def __init__(
        self,
        *,
        control: AdapterChannel,
        single: bool = True,
        freeze_seconds: float = 1.0,
    ) -> None:
        """Track nothing yet; `root_path` and `underscore_headers` are set after the app is loaded."""
        self.control = control
        self.from_adapter = control.fileno() >= 0
        self.single = single
        self.freeze_seconds = freeze_seconds
        self.root_path = "in-path"
        self.underscore_headers = False

    def begin(self, invocation: Invocation | None) -> None:
        """Set the current invocation; None for a request that does not come from the adapter."""
        CURRENT.in_context.set(invocation)
        if self.single and invocation is not None:
            CURRENT.in_process = invocation
            if invocation.trace_id:
                os.environb[_TRACE] = invocation.trace_id

    def end(self, invocation: Invocation | None) -> None:
        """Reset the process's current invocation; the task or thread keeps its own until it ends."""
        if self.single and invocation is not None:
            CURRENT.in_process = None
            if invocation.trace_id:
                try:  # noqa: SIM105  # `suppress` would double the time of this function
                    del os.environb[_TRACE]
                except KeyError:  # the app has removed it
                    pass

    def wrap_wsgi(self, app: WSGIApplication) -> Any:
        """Return the app with the context in its environ, for a WSGI server other than the built-in one."""

        def wrapped(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            invocation = CURRENT.get()
            if invocation is not None:
                environ[CONTEXT] = invocation
            return app(environ, start_response)

        return wrapped
