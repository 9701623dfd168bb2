"""Hooks into the life of the execution environment, all of them optional.

Example:
    Flush telemetry before the environment freezes:

    ```python
    from lambda_web_adapter import before_freeze

    @before_freeze
    def flush() -> None:
        provider.force_flush()
    ```
"""

from __future__ import annotations

import sys
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Hook = Callable[[], Any]
    Function = TypeVar("Function", bound=Hook)

_before_freeze: list[Hook] = []
_before_snapshot: list[Hook] = []
_after_restore: list[Hook] = []
_on_shutdown: list[Hook] = []


def before_freeze(function: Function) -> Function:
    """Register a function to run after each request, before the environment freezes.

    It runs when the caller has the response and the request's background work is done, for instance to flush telemetry.
    All of these functions share `AWS_LWA_BEFORE_FREEZE_SECONDS`. One that fails or takes too long is only logged.

    Args:
        function: takes no arguments. An async function is awaited in an ASGI app's event loop; any other is called in
            a thread of its own.

    Returns:
        The function itself, so that this works as a decorator.
    """
    _before_freeze.append(function)
    return function


def hooks_before_freeze() -> list[Hook]:
    """Return the functions to call after each request, in the order of registration."""
    return _before_freeze


def before_snapshot(function: Function) -> Function:
    """Register a function to run before SnapStart takes its snapshot, such as one that closes connections.

    The function registered last is called first. One that raises fails the version that is being published.

    Args:
        function: takes no arguments; an async function is awaited.

    Returns:
        The function itself, so that this works as a decorator.
    """
    _before_snapshot.append(function)
    return function


def after_restore(function: Function) -> Function:
    """Register a function to run after each restore from SnapStart's snapshot, such as one that draws new secrets.

    One that raises ends the restored environment. Lambda gives all of them together 10 s.

    Args:
        function: takes no arguments; an async function is awaited.

    Returns:
        The function itself, so that this works as a decorator.
    """
    _after_restore.append(function)
    return function


def on_shutdown(function: Function) -> Function:
    """Register a function to run when the environment, or the local run, ends.

    It runs after an ASGI app's lifespan shutdown and before `atexit` functions. The function registered last is called
    first. One that raises is logged, and the rest are still called. All of this together has 300 ms on Lambda; then the
    app is killed. None is called when the app is killed for another reason, or exits by itself.

    Args:
        function: takes no arguments; an async function is awaited, in an ASGI app's event loop.

    Returns:
        The function itself, so that this works as a decorator.
    """
    _on_shutdown.append(function)
    return function


def hooks_before_snapshot() -> list[Hook]:
    """Return the functions to call before a snapshot, in order: ours, then those of `snapshot_restore_py`."""
    return [*reversed(_before_snapshot), *reversed(_snapshot_restore_py_hooks("get_before_snapshot"))]


def hooks_after_restore() -> list[Hook]:
    """Return the functions to call after a restore, in order: those of `snapshot_restore_py`, then ours."""
    return [*_snapshot_restore_py_hooks("get_after_restore"), *_after_restore]


def hooks_on_shutdown() -> list[Hook]:
    """Return the functions to call when the app ends, the one registered last first."""
    return _on_shutdown[::-1]


def _snapshot_restore_py_hooks(getter: str) -> list[Hook]:
    """Return the functions registered with AWS's own package, if the app has imported it."""
    registry = sys.modules.get("snapshot_restore_py")
    return (
        [partial(function, *args, **kwargs) for function, args, kwargs in getattr(registry, getter)()]
        if registry
        else []
    )
