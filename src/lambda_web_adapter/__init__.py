"""Runs unchanged WSGI and ASGI apps, or any command that listens on a port, on AWS Lambda."""

from lambda_web_adapter.hooks import before_freeze

__all__ = ["before_freeze"]
__version__ = "0.1.0"
