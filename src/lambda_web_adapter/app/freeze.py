"""Calling the app's `before_freeze` functions: after a request, in a time box of their own."""

from __future__ import annotations

import inspect
import logging
import threading
import time

from lambda_web_adapter.hooks import hooks_before_freeze

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.hooks import Hook

logger = logging.getLogger(__name__)


def call_hooks(seconds: float) -> None:
    """Calls the functions one after the other, from a thread that may wait.

    Args:
        seconds: for all of them together.
    """
    until = time.monotonic() + seconds
    for hook in hooks_before_freeze():
        if time.monotonic() >= until:
            _log_left_out(hook)
            continue
        thread = threading.Thread(target=_call, args=(hook,), name="before-freeze", daemon=True)
        thread.start()
        thread.join(max(until - time.monotonic(), 0))
        if thread.is_alive():
            _log_late(hook, seconds)


async def call_hooks_async(seconds: float) -> None:
    """Calls the functions one after the other, from an event loop, which stays free for other requests.

    Args:
        seconds: for all of them together.
    """
    import asyncio  # a WSGI app has no use for it

    until = time.monotonic() + seconds
    for hook in hooks_before_freeze():
        if time.monotonic() >= until:
            _log_left_out(hook)
            continue
        box = asyncio.timeout(max(until - time.monotonic(), 0))
        try:
            async with box:
                await (hook() if inspect.iscoroutinefunction(hook) else asyncio.to_thread(_call, hook))
        except Exception:  # noqa: BLE001  # whatever it raises is its own affair, and logged
            if box.expired():
                _log_late(hook, seconds)
            else:
                _log_failure(hook)


def _call(hook: Hook) -> None:
    """Calls one function; an asynchronous one, for want of an event loop, in one of its own."""
    try:
        result = hook()
        if inspect.iscoroutine(result):
            import asyncio

            asyncio.run(result)
    except Exception:  # noqa: BLE001  # whatever it raises is its own affair, and logged
        _log_failure(hook)


def _log_failure(hook: Hook) -> None:
    logger.exception("The before_freeze function %s failed", _name(hook))


def _log_late(hook: Hook, seconds: float) -> None:
    logger.warning(
        "The before_freeze function %s is not done within %g s (AWS_LWA_BEFORE_FREEZE_SECONDS).", _name(hook), seconds
    )


def _log_left_out(hook: Hook) -> None:
    logger.warning("The before_freeze function %s was not called: those before it took all the time.", _name(hook))


def _name(hook: Hook) -> str:
    return getattr(hook, "__qualname__", repr(hook))
