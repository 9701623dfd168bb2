"""Call an app's hook, with or without an event loop, and log its failure.

When to call it is decided by `before_freeze.py`, `snapstart.py` and, at shutdown, the servers.
"""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.app_api.hooks import Hook

logger = logging.getLogger(__name__)


def call(hook: Hook) -> None:
    """Call a function without an event loop; an async function runs in a loop of its own."""
    result = hook()
    if inspect.iscoroutine(result):
        import asyncio  # a WSGI app does not need it elsewhere

        asyncio.run(result)


async def call_async(hook: Hook) -> None:
    """Call a function in the app's event loop; a synchronous function blocks the loop."""
    result = hook()
    if inspect.isawaitable(result):
        await result


def attempt(hook: Hook, kind: str) -> None:
    """Call a function without an event loop; log what it raises.

    Args:
        hook: the function.
        kind: the decorator that registered it.
    """
    try:
        call(hook)
    except BaseException:  # noqa: BLE001  # also a SystemExit, so that the remaining hooks are called
        log_failure(hook, kind)


async def attempt_async(hook: Hook, kind: str) -> None:
    """Call a function in the app's event loop; log what it raises."""
    try:
        await call_async(hook)
    except BaseException:  # noqa: BLE001  # a CancelledError comes from the hook: nobody cancels this coroutine
        log_failure(hook, kind)


def log_failure(hook: Hook, kind: str) -> None:
    """Log the exception that is being handled as a failure of the function."""
    logger.exception("The %s function %s failed", kind, name_of(hook))


def name_of(hook: Hook) -> str:
    """Return a function's qualified name, for the log."""
    return getattr(hook, "__qualname__", repr(hook))
