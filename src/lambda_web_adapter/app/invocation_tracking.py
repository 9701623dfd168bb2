"""The invocation that the app handles, from the moment that its request is there until all of its work is done.

Where there is one invocation at a time, the environment variable of X-Ray is its own, as in Lambda's Python runtime.
"""

from __future__ import annotations

import os

from lambda_web_adapter.app_api.current_invocation import CURRENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
    from wsgiref.types import StartResponse, WSGIApplication

    from lambda_web_adapter.app.control_channel import AdapterChannel
    from lambda_web_adapter.app_api.current_invocation import Invocation

# Where X-Ray's SDK, Powertools, OpenTelemetry and botocore look for the trace (Lambda, "Defined runtime environment
# variables").
_TRACE = b"_X_AMZN_TRACE_ID"
# Mangum's names, in scope and environ.
CONTEXT = "aws.context"
EVENT = "aws.event"


class InvocationTracker:
    """How invocations are handled in this process. No dataclass, which takes half a millisecond of each cold start.

    Attributes:
        control: the control channel.
        single: whether there is one at a time.
        freeze_seconds: how long the app's `before_freeze` functions may take, before a request is said to be done.
        event_in_environ: whether a WSGI app finds the event in its environ; it has to be read for that.
        from_adapter: whether requests come from the adapter, which the control channel tells.
        underscore_headers: whether a WSGI app gets headers whose names have an underscore.
        root_path: where an ASGI app finds the removed part of the path; `app/asgi/root_path.py` has the places.
    """

    __slots__ = (
        "control",
        "event_in_environ",
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
        event_in_environ: bool = False,
    ) -> None:
        """Takes them."""
        self.control = control
        self.from_adapter = control.fileno() >= 0
        self.single = single
        self.freeze_seconds = freeze_seconds
        self.event_in_environ = event_in_environ
        self.root_path = "in-path"
        self.underscore_headers = False

    def begin(self, invocation: Invocation | None) -> None:
        """Has the app know an invocation; None is a request that does not come from the adapter."""
        CURRENT.in_context.set(invocation)
        if self.single and invocation is not None:
            CURRENT.in_process = invocation
            if invocation.trace_id:
                os.environb[_TRACE] = invocation.trace_id

    def end(self, invocation: Invocation | None) -> None:
        """Has the process know no invocation any more; the task or thread keeps it to its own end."""
        if self.single and invocation is not None:
            CURRENT.in_process = None
            if invocation.trace_id:
                try:  # noqa: SIM105  # `suppress` takes as long as all the rest of this
                    del os.environb[_TRACE]
                except KeyError:  # the app has removed it
                    pass

    def add_to_environ(self, environ: dict[str, Any], invocation: Invocation) -> None:
        """Puts into an environ what an ASGI app finds in its scope."""
        environ[CONTEXT] = invocation
        if self.event_in_environ:
            environ[EVENT] = invocation.event

    def wrap_wsgi(self, app: WSGIApplication) -> Any:
        """Makes an app that is told the same on a server that does not know of it."""

        def wrapped(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            invocation = CURRENT.get()
            if invocation is not None:
                self.add_to_environ(environ, invocation)
            return app(environ, start_response)

        return wrapped
