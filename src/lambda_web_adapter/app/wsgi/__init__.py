"""WSGI apps on the built-in server."""
