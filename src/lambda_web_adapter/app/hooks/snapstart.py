"""Run the app's SnapStart hooks, before the snapshot and after a restore, at the adapter's request.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from lambda_web_adapter.app.hooks.calls import call, call_async
from lambda_web_adapter.app_api.hooks import hooks_after_restore, hooks_before_snapshot
from lambda_web_adapter.ipc.control_protocol import AFTER_RESTORE, BEFORE_SNAPSHOT

if TYPE_CHECKING:
    from lambda_web_adapter.app.control_channel import AdapterChannel
    from lambda_web_adapter.app_api.hooks import Hook


def run_hooks(message: bytes, control: AdapterChannel) -> None:
    """Run the hooks that a message requests, without an event loop, and send the adapter the outcome."""
    try:
        for hook in _hooks(message):
            call(hook)
    except Exception as error:  # noqa: BLE001  # the adapter reports it
        control.failed(error)
    else:
        control.completed()


async def run_hooks_async(message: bytes, control: AdapterChannel) -> None:
    """Run the hooks that a message requests, in the app's event loop, and send the adapter the outcome."""
    try:
        for hook in _hooks(message):
            await call_async(hook)
    except Exception as error:  # noqa: BLE001  # the adapter reports it
        control.failed(error)
    else:
        control.completed()


def _hooks(message: bytes) -> list[Hook]:
    if message == BEFORE_SNAPSHOT:
        return hooks_before_snapshot()
    if message == AFTER_RESTORE:
        random.seed()  # otherwise all environments restored from one snapshot draw the same numbers
        return hooks_after_restore()
    raise ValueError(f"The adapter sent {message.decode()!r} instead of snapshot or restore.")
