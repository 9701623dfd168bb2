"""Test an app as Lambda runs it, one that uses Lambda's event or context, or a runtime.

Example:
    ```python
    import httpx
    from lambda_web_adapter.testing import LambdaTransport

    def test_front_page() -> None:
        with httpx.Client(transport=LambdaTransport(app), base_url="https://test") as client:
            assert client.get("/").status_code == 200
    ```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lambda_web_adapter.testing.fake_invocation import invocation as invocation

if TYPE_CHECKING:
    from lambda_web_adapter.local.option_error import OptionError as OptionError
    from lambda_web_adapter.testing.record import InvocationFailed as InvocationFailed
    from lambda_web_adapter.testing.record import InvocationRecord as InvocationRecord
    from lambda_web_adapter.testing.runtime_api import RuntimeApi as RuntimeApi
    from lambda_web_adapter.testing.runtime_api import WaitFailed as WaitFailed
    from lambda_web_adapter.testing.transport import LambdaTransport as LambdaTransport

__all__ = [
    "InvocationFailed",
    "InvocationRecord",
    "LambdaTransport",
    "OptionError",
    "RuntimeApi",
    "WaitFailed",
    "invocation",
]
# Imported when they are first used: httpx and the gateways' models take 0.3 s.
_MODULES = {
    "InvocationFailed": "testing.record",
    "InvocationRecord": "testing.record",
    "LambdaTransport": "testing.transport",
    "OptionError": "local.option_error",
    "RuntimeApi": "testing.runtime_api",
    "WaitFailed": "testing.runtime_api",
}


def __getattr__(name: str) -> object:
    """Return a class that is imported now."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lambda_web_adapter.{_MODULES[name]}"), name)
