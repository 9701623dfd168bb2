"""How the app's hooks are called: where there is no event loop, or in the app's; and what becomes of one that fails.

`before_freeze.py` and `snapstart.py` say when some of them are called, the servers when those at the end are.
"""

from __future__ import annotations

import inspect
import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.app_api.hooks import Hook

logger = logging.getLogger(__name__)


def call(hook: Hook) -> None:
    """Calls a function where there is no event loop; an asynchronous one runs to its end in a loop of its own."""
    result = hook()
    if inspect.iscoroutine(result):
        import asyncio  # a WSGI app has no use for it elsewhere

        asyncio.run(result)


async def call_async(hook: Hook) -> None:
    """Calls a function in the app's event loop; a synchronous one blocks it."""
    result = hook()
    if inspect.isawaitable(result):
        await result


def attempt(hook: Hook, kind: str) -> None:
    """Calls a function; whatever it raises is its own affair, and logged.

    Args:
        hook: the function.
        kind: what it was registered by.
    """
    try:
        call(hook)
    except BaseException:  # noqa: BLE001  # also a SystemExit, which would be the end of the others
        log_failure(hook, kind)


async def attempt_async(hook: Hook, kind: str) -> None:
    """Does the same in the app's event loop, where nobody cancels it."""
    try:
        await call_async(hook)
    except BaseException:  # noqa: BLE001  # also the CancelledError of a task that it has cancelled itself
        log_failure(hook, kind)


def log_failure(hook: Hook, kind: str) -> None:
    """Logs the exception that is being handled."""
    logger.exception("The %s function %s failed", kind, name_of(hook))


def name_of(hook: Hook) -> str:
    """Says what a function is called."""
    return getattr(hook, "__qualname__", repr(hook))
