"""The lifespan of an ASGI app: startup, shutdown, and how its errors are reported (ASGI, "Lifespan Protocol")."""

from __future__ import annotations

import asyncio
import itertools
import re
from typing import TYPE_CHECKING

from lambda_web_adapter.app.asgi.exchange import logger
from lambda_web_adapter.app.middleware import is_coroutine_callable, layers, required_arguments

if TYPE_CHECKING:
    from typing import Any

    from uvicorn._types import (
        ASGI3Application,
        ASGIReceiveCallable,
        ASGIReceiveEvent,
        ASGISendCallable,
        ASGISendEvent,
        Scope,
    )

    from lambda_web_adapter.app.control_channel import AdapterChannel


# The key in a `failed` message whose reason is in the log already.
_REPORTED = "lambda_web_adapter.reported"
# How long a lifespan that is cancelled may take to end, in seconds.
_CANCEL_SECONDS = 1.0


class StartupFailed(Exception):
    """The app reported that its lifespan startup failed, or has no lifespan although one is required."""


class LifespanTask:
    """Runs an app's lifespan, from before the first request until after the last one.

    Attributes:
        state: what the app keeps for its requests, each of which gets a copy.
    """

    def __init__(self, app: ASGI3Application) -> None:
        """Prepare for `startup`."""
        self._app: Any = app
        self._messages: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._started, self._stopped = asyncio.Event(), asyncio.Event()
        self._startup_failed = False
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}

    async def startup(self) -> bool:
        """Start the app, and return whether it can be served; it can if it has no lifespan."""
        self._messages.put_nowait({"type": "lifespan.startup"})
        self._task = asyncio.create_task(self._run())
        await self._started.wait()
        return not self._startup_failed

    async def shutdown(self) -> None:
        """Wait until the app has shut down, unless its lifespan has ended before."""
        if self._task is not None and not self._task.done():
            self._messages.put_nowait({"type": "lifespan.shutdown"})
            await self._stopped.wait()

    async def cancel(self) -> None:
        """End the lifespan without a shutdown, as when the app is killed; `finally` and `async with` still release."""
        if self._task is not None and not self._task.done():
            self._stopped.set()  # what the app sends about it is no shutdown that has failed
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_CANCEL_SECONDS)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._messages.get, self._send)
        except BaseException:  # noqa: BLE001, S110  # `ReportedLifespan` has reported it
            pass
        finally:
            self._started.set()
            self._stopped.set()

    async def _send(self, message: dict[str, Any]) -> None:
        if self._started.is_set() and self._task is not None and self._task.cancelling():
            return  # Starlette reports its cancellation as a shutdown that has failed
        kind, phase = message["type"], "shutdown" if self._started.is_set() else "startup"
        accepted = () if self._stopped.is_set() else (f"lifespan.{phase}.complete", f"lifespan.{phase}.failed")
        if kind not in accepted:
            expected = " or ".join(map(repr, accepted)) or "none"
            raise RuntimeError(f"The app's lifespan sent the message {kind!r}; accepted now: {expected}.")
        if kind.endswith(".failed"):
            self._startup_failed |= phase == "startup"
            if not message.get(_REPORTED):
                logger.error(message.get("message") or f"The app's lifespan {phase} has failed.")
        (self._started if phase == "startup" else self._stopped).set()


class ReportedLifespan:
    """Calls an app for its lifespan, and sends errors to the adapter or logs them."""

    def __init__(self, app: ASGI3Application, control: AdapterChannel, setting: str) -> None:
        """Prepare to call an app; with the setting `on` (AWS_LWA_LIFESPAN), a lifespan is required."""
        self._app = app
        self._control = control
        self._required = setting == "on"
        self._received = self._complete = self._is_discarded = False
        self._failure: StartupFailed | None = None

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Call the app."""

        async def tracking_receive() -> ASGIReceiveEvent:
            try:
                message = await receive()
            except GeneratorExit:  # the event loop has ended without the task
                self._is_discarded = True
                raise
            self._received = True
            return message

        async def tracking_send(message: ASGISendEvent) -> None:
            if message["type"] == "lifespan.startup.failed":
                self._failure = StartupFailed(message.get("message", ""))
            self._complete = self._complete or message["type"] == "lifespan.startup.complete"
            await send(message)

        try:
            await self._app(scope, tracking_receive, tracking_send)
            if self._required and not self._complete and not self._failure:
                raise StartupFailed("The app returned without lifespan.startup.complete, and AWS_LWA_LIFESPAN=on.")
        except BaseException as error:
            await self._report(error, send)
            raise
        if self._failure:
            self._control.failed(self._failure)

    async def _report(self, error: BaseException, send: ASGISendCallable) -> None:
        """Send an exception of the app to the adapter or log it, depending on when it was raised."""
        if self._is_discarded:
            return
        cancelled = isinstance(error, asyncio.CancelledError)
        if self._failure:
            self._control.failed(self._failure if cancelled else error)
        elif self._complete:
            if not cancelled:  # the event loop cancels the task when it ends
                logger.error("The app's lifespan has failed after its startup.", exc_info=error)
        elif self._required or not (cancelled or isinstance(error, Exception)):
            self._control.failed(error)
            logger.error("The app's lifespan startup has failed.", exc_info=error)
            failed: Any = {"type": "lifespan.startup.failed", "message": "", _REPORTED: True}
            await send(failed)  # also for SystemExit
        elif not self._received and _rejects_lifespan(self._app, error):
            logger.debug("The app has no lifespan (%r).", error)
        else:
            logger.warning(
                "The app raised an exception before its lifespan startup was complete; it is served without a "
                "lifespan. Set AWS_LWA_LIFESPAN=on to have the start fail instead, or =off to skip the lifespan.",
                exc_info=error,
            )


def _rejects_lifespan(app: ASGI3Application, error: BaseException) -> bool:
    """Return whether an exception means that the app does not support scopes of this type.

    It does if its message says so, or if it is what a check of the scope's type raises and the app is no middleware: a
    middleware may have passed on what the startup of the app within raised.
    """
    if isinstance(error, (AttributeError, ImportError, NameError, OSError)):
        return False
    if re.search(r"lifespan|scope.?type", str(error), re.IGNORECASE):
        return True
    return isinstance(error, (AssertionError, NotImplementedError)) and not _holds_an_asgi_app(app)


def _holds_an_asgi_app(app: ASGI3Application) -> bool:
    inner = itertools.chain.from_iterable(itertools.islice(layers(app), 1, None))
    return any(is_coroutine_callable(each) and required_arguments(each) == 3 for each in inner)
