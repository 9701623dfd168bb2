"""Hooks of the environment's life that an app may use; none has to.

Example:
    Telemetry is flushed before the environment freezes:

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
    """Has a function called after each request, when its response is out and its background work is done.

    The caller has the response by then; the environment is frozen only afterwards, so that telemetry can be flushed.
    All such functions together have `AWS_LWA_BEFORE_FREEZE_SECONDS`; one that fails or takes too long is logged, and
    nothing else.

    Args:
        function: takes nothing. An asynchronous one is awaited in an ASGI app's event loop; any other is called in a
            thread of its own.

    Returns:
        The function itself, so that this serves as a decorator.
    """
    _before_freeze.append(function)
    return function


def hooks_before_freeze() -> list[Hook]:
    """Lists the functions to call, in the order in which they were given."""
    return _before_freeze


def before_snapshot(function: Function) -> Function:
    """Has a function called before SnapStart takes its snapshot: to close what must not be in it twice.

    The last function given is called first. One that raises fails the version that is being published.

    Args:
        function: takes nothing; an asynchronous one is awaited.

    Returns:
        The function itself, so that this serves as a decorator.
    """
    _before_snapshot.append(function)
    return function


def after_restore(function: Function) -> Function:
    """Has a function called after each restore from SnapStart's snapshot: to open connections, to draw new secrets.

    One that raises ends the restored environment. Lambda gives all of them together 10 s.

    Args:
        function: takes nothing; an asynchronous one is awaited.

    Returns:
        The function itself, so that this serves as a decorator.
    """
    _after_restore.append(function)
    return function


def on_shutdown(function: Function) -> Function:
    """Has a function called when the environment ends, or the local run: to close what should not just be dropped.

    An ASGI app's lifespan shutdown comes before, `atexit` functions come after. The last function given is called
    first. One that raises is logged, and the others are called. Lambda leaves 300 ms to all of that together, after
    which the app is killed; it is not called when the app is killed for another reason, or ends by itself.

    Args:
        function: takes nothing; an asynchronous one is awaited, in an ASGI app's event loop.

    Returns:
        The function itself, so that this serves as a decorator.
    """
    _on_shutdown.append(function)
    return function


def hooks_before_snapshot() -> list[Hook]:
    """Lists the functions to call before a snapshot, in order: ours, then those given to `snapshot_restore_py`."""
    return [*reversed(_before_snapshot), *reversed(_snapshot_restore_py_hooks("get_before_snapshot"))]


def hooks_after_restore() -> list[Hook]:
    """Lists the functions to call after a restore, in order: those given to `snapshot_restore_py`, then ours."""
    return [*_snapshot_restore_py_hooks("get_after_restore"), *_after_restore]


def hooks_on_shutdown() -> list[Hook]:
    """Lists the functions to call when the app is asked to end, in order: the last given comes first."""
    return _on_shutdown[::-1]


def _snapshot_restore_py_hooks(getter: str) -> list[Hook]:
    """Takes the functions given to AWS's own package, if the app has imported it (it has no other use for us)."""
    registry = sys.modules.get("snapshot_restore_py")
    return (
        [partial(function, *args, **kwargs) for function, args, kwargs in getattr(registry, getter)()]
        if registry
        else []
    )
