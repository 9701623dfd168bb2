"""ASGI apps on uvicorn's server, with connections of our own."""
