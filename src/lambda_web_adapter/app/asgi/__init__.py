"""The built-in ASGI server."""
