"""Run unchanged WSGI and ASGI apps, or any program that listens on a port, on AWS Lambda."""

from lambda_web_adapter.app_api.current_invocation import (
    current_context,
    current_event,
    current_event_as,
    current_event_source,
)
from lambda_web_adapter.app_api.hooks import after_restore, before_freeze, before_snapshot, on_shutdown
from lambda_web_adapter.app_api.lambda_context import LambdaContext

__all__ = [
    "LambdaContext",
    "after_restore",
    "before_freeze",
    "before_snapshot",
    "current_context",
    "current_event",
    "current_event_as",
    "current_event_source",
    "on_shutdown",
]
__version__ = "0.1.0"
