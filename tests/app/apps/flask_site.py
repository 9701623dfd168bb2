"""A Flask app as one would write it."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/address/<name>")
def address(name: str) -> str:
    return f"{request.method} {request.url} {request.remote_addr}"
