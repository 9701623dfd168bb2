"""An app for the schedule: it is deployed beside the Flask example."""

from flask import Flask, request
from flask.typing import ResponseReturnValue

from lambda_web_adapter.flask import require_event_source

app = Flask(__name__)


@app.post("/events")
@require_event_source("eventbridge")
def run() -> ResponseReturnValue:
    return {"done": request.get_json()["detail-type"]}
