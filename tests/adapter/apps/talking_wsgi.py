"""The WSGI app that logs."""

from flask import Flask
from talking import say

app = Flask(__name__)


@app.get("/say/<what>")
@app.get("/pool/<what>")
def view(what: str) -> str:
    """Logs from a thread of the server's."""
    say(what)
    return "said"
