"""Calling the app's `before_freeze` functions: after a request, in a time box of their own."""

from __future__ import annotations

import contextvars
import inspect
import logging
import threading
import time

from lambda_web_adapter.app.hooks.calls import attempt, log_failure, name_of
from lambda_web_adapter.app_api.hooks import hooks_before_freeze

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.app_api.hooks import Hook

logger = logging.getLogger(__name__)

_KIND = "before_freeze"


def call_hooks(seconds: float) -> None:
    """Calls the functions one after the other, from a thread that may wait.

    Args:
        seconds: for all of them together.
    """
    for hook, remaining in _hooks_within(seconds):
        run = contextvars.copy_context().run  # the function may ask which invocation it is about
        thread = threading.Thread(target=run, args=(attempt, hook, _KIND), name="before-freeze", daemon=True)
        thread.start()
        thread.join(remaining)
        if thread.is_alive():
            _log_late(hook, seconds)


async def call_hooks_async(seconds: float) -> None:
    """Calls the functions one after the other, from an event loop, which stays free for other requests.

    Args:
        seconds: for all of them together.
    """
    import asyncio  # a WSGI app has no use for it

    for hook, remaining in _hooks_within(seconds):
        box = asyncio.timeout(remaining)
        try:
            async with box:
                await (hook() if inspect.iscoroutinefunction(hook) else asyncio.to_thread(attempt, hook, _KIND))
        except Exception:  # noqa: BLE001  # whatever it raises is its own affair, and logged
            if box.expired():
                _log_late(hook, seconds)
            else:
                log_failure(hook, _KIND)


def _hooks_within(seconds: float) -> Iterator[tuple[Hook, float]]:
    """Yields the functions for which there is time, each with the seconds that are left for it."""
    deadline = time.monotonic() + seconds
    for hook in hooks_before_freeze():
        remaining = deadline - time.monotonic()
        if remaining > 0:
            yield hook, remaining
        else:
            name = name_of(hook)
            logger.warning("The before_freeze function %s was not called: those before it took all the time.", name)


def _log_late(hook: Hook, seconds: float) -> None:
    logger.warning(
        "The before_freeze function %s is not done within %g s (AWS_LWA_BEFORE_FREEZE_SECONDS).", name_of(hook), seconds
    )
