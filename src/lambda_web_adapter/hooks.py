"""Hooks of the environment's life that an app may use; none has to.

from lambda_web_adapter import before_freeze

@before_freeze
def flush() -> None:
    provider.force_flush()
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Hook = Callable[[], Any]
    Function = TypeVar("Function", bound=Hook)

_before_freeze: list[Hook] = []


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
