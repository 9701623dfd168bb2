"""The Flask app that every contender serves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import Flask, Response, request

if TYPE_CHECKING:
    from collections.abc import Iterator

app = Flask(__name__)


@app.get("/hello")
def hello() -> dict[str, str]:
    """Respond with a little JSON."""
    return {"hello": request.args.get("name", "nobody")}


@app.post("/echo")
def echo() -> Response:
    """Respond with the request's body."""
    return Response(request.get_data(), mimetype="application/octet-stream")


@app.get("/chunks")
def chunks() -> Response:
    """Respond with three parts, a millisecond apart."""

    def parts() -> Iterator[str]:
        for number in range(3):
            if number:
                time.sleep(0.001)
            yield f"chunk {number}\n"

    return Response(parts(), mimetype="text/plain")
