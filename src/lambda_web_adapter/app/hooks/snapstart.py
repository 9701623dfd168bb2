"""SnapStart, in the app: hooks before the snapshot and after a restore, when the adapter asks for them.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
"""

from __future__ import annotations

import random

from lambda_web_adapter.app.hooks.calls import call, call_async
from lambda_web_adapter.app_api.hooks import hooks_after_restore, hooks_before_snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.app.control_channel import AdapterChannel
    from lambda_web_adapter.app_api.hooks import Hook


def run_hooks(message: str, control: AdapterChannel) -> None:
    """Does what the adapter asks for, without an event loop, and says that it is done, or what went wrong."""
    try:
        for hook in _hooks(message):
            call(hook)
    except Exception as error:  # noqa: BLE001  # it is the adapter's to report
        control.failed(error)
    else:
        control.completed()


async def run_hooks_async(message: str, control: AdapterChannel) -> None:
    """Does what the adapter asks for, in the app's event loop, and says that it is done, or what went wrong."""
    try:
        for hook in _hooks(message):
            await call_async(hook)
    except Exception as error:  # noqa: BLE001  # it is the adapter's to report
        control.failed(error)
    else:
        control.completed()


def _hooks(message: str) -> list[Hook]:
    if message == "snapshot":
        return hooks_before_snapshot()
    if message == "restore":
        random.seed()  # or all environments that stem from one snapshot would draw the same numbers
        return hooks_after_restore()
    raise ValueError(f"snapshot or restore was expected from the adapter, but it asked for {message!r}")
