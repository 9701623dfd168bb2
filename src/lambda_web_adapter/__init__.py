"""Runs unchanged WSGI and ASGI apps, or any command that listens on a port, on AWS Lambda."""

from lambda_web_adapter.hooks import after_restore, before_freeze, before_snapshot

__all__ = ["after_restore", "before_freeze", "before_snapshot"]
__version__ = "0.1.0"
