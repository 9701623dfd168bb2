"""Call the app's `before_freeze` functions after a request, with one timeout for all of them."""

from __future__ import annotations

import contextvars
import inspect
import logging
import threading
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.app.hooks.calls import attempt, log_failure, name_of
from lambda_web_adapter.app_api.hooks import hooks_before_freeze

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.app_api.hooks import Hook

logger = logging.getLogger(__name__)

_KIND = "before_freeze"


def call_hooks(seconds: float) -> None:
    """Call the functions one after the other, and block until they have returned.

    Args:
        seconds: the timeout for all of them.
    """
    for hook, remaining in _hooks_within(seconds):
        run = contextvars.copy_context().run  # the function may use the current invocation
        thread = threading.Thread(target=run, args=(attempt, hook, _KIND), name="before-freeze", daemon=True)
        thread.start()
        thread.join(remaining)
        if thread.is_alive():
            _log_late(hook, seconds)


async def call_hooks_async(seconds: float) -> None:
    """Call the functions one after the other, without blocking the event loop for other requests.

    Args:
        seconds: the timeout for all of them.
    """
    import asyncio  # a WSGI app does not need it

    for hook, remaining in _hooks_within(seconds):
        timeout = asyncio.timeout(remaining)
        try:
            async with timeout:
                await (hook() if inspect.iscoroutinefunction(hook) else asyncio.to_thread(attempt, hook, _KIND))
        except Exception:  # noqa: BLE001  # a hook's error must not fail the request
            if timeout.expired():
                _log_late(hook, seconds)
            else:
                log_failure(hook, _KIND)


def _hooks_within(seconds: float) -> Iterator[tuple[Hook, float]]:
    """Yield the functions for which time remains, each with the remaining seconds."""
    deadline = time.monotonic() + seconds
    for hook in hooks_before_freeze():
        remaining = deadline - time.monotonic()
        if remaining > 0:
            yield hook, remaining
        else:
            name = name_of(hook)
            logger.warning("The before_freeze function %s was not called: earlier ones took all the time.", name)


def _log_late(hook: Hook, seconds: float) -> None:
    logger.warning(
        "The before_freeze function %s did not end within %g s (AWS_LWA_BEFORE_FREEZE_SECONDS).", name_of(hook), seconds
    )
