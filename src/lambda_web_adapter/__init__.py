"""Runs unchanged WSGI and ASGI apps, or any command that listens on a port, on AWS Lambda."""

__version__ = "0.1.0"
