"""A Flask app with a page, which has twenty assets, and a slow response."""

from __future__ import annotations

import time
from pathlib import Path

from flask import Flask, render_template_string

app = Flask(__name__)
PAGE = """<!doctype html><title>Page</title>
{% for name in names %}<link rel="stylesheet" href="{{ url_for('static', filename=name) }}">
{% endfor %}"""


@app.get("/")
def page() -> str:
    """Respond with a page that names all files in the folder `static`."""
    return render_template_string(PAGE, names=sorted(file.name for file in Path(app.static_folder or "").iterdir()))


@app.get("/hello")
def hello() -> dict[str, str]:
    """Respond with a little JSON."""
    return {"hello": "nobody"}


@app.get("/slow")
def slow() -> dict[str, str]:
    """Respond after a second."""
    time.sleep(1)
    return {"hello": "nobody"}
