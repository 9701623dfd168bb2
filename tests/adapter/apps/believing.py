"""A command that believes the headers of a peer on loopback, as gunicorn does: SCRIPT_NAME moves the app's root."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Callable


class Handler(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        environ = super().get_environ()
        for name, value in self.headers.items():
            if name.upper() == "SCRIPT_NAME":
                environ["SCRIPT_NAME"] = value
                environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(value)
        return environ

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
        """Nothing is logged."""


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([environ["SCRIPT_NAME"], environ["PATH_INFO"]]).encode()]


if __name__ == "__main__":
    with make_server("127.0.0.1", int(os.environ["PORT"]), app, handler_class=Handler) as server:
        server.serve_forever()
