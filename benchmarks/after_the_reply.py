"""Time a background task of one second: `PYTHONPATH=tests python benchmarks/after_the_reply.py`.

Prints when the caller gets the reply, and when the next event is requested, both from the moment at which the event was
sent; the task has to run between the two.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from support.processes import BOOTSTRAP, Running, plain_environment

from lambda_web_adapter.testing.runtime_api import RuntimeApi

ROUNDS = 5
EVENT = {
    "version": "2.0",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {"host": "abc.lambda-url.eu-central-1.on.aws"},
    "requestContext": {
        "domainName": "abc.lambda-url.eu-central-1.on.aws",
        "http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
    },
    "isBase64Encoded": False,
}
APPS = {
    "FastAPI, BackgroundTasks": """
import time
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()

@app.get("/")
def accept(tasks: BackgroundTasks):
    tasks.add_task(time.sleep, 1)
    return "accepted"
""",
    "Flask, call_on_close": """
import time
from flask import Flask, jsonify

app = Flask(__name__)

@app.get("/")
def accept():
    response = jsonify("accepted")
    response.call_on_close(lambda: time.sleep(1))
    return response
""",
}


def measure(text: str) -> list[tuple[float, float]]:
    """Return for each event, in milliseconds, when the reply came, and when the next event was requested."""
    times = []
    with tempfile.TemporaryDirectory() as folder, RuntimeApi() as api:
        Path(folder, "main.py").write_text(text)
        env = plain_environment({"AWS_LAMBDA_RUNTIME_API": api.address})
        command: list[str | Path] = [sys.executable, BOOTSTRAP, "main:app"]
        with Running(command, env=env, cwd=folder, at_end=api.set_runtime_ended):
            for number in range(1, ROUNDS + 1):
                api.wait_for_call("next", number)
                started_at = time.time()
                reply = api.invoke(EVENT)
                next_call = api.wait_for_call("next", number + 1)
                times.append(((reply.at - started_at) * 1000, (next_call.at - started_at) * 1000))
    return times


def main() -> None:
    """Print the median and the worst of both."""
    for name, text in APPS.items():
        replies, nexts = zip(*measure(text), strict=True)
        print(
            f"{name}: reply after {statistics.median(replies):.1f} ms (at most {max(replies):.1f}), "
            f"next event requested after {statistics.median(nexts):.0f} ms (at least {min(nexts):.0f})"
        )


if __name__ == "__main__":
    main()
