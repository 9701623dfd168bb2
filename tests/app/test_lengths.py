"""A body and the length that the app has said of it: what does not fit is the app's 500, and no broken connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from app.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

WSGI = """
def app(environ, start_response):
    name = environ["PATH_INFO"][1:]
    if name.isdigit():
        start_response(f"{name} -", [("content-length", "5")])
        return []
    start_response("200 OK", [("content-length", "5")])
    return {
        "longer": [b"too long"],
        "longer-by-the-second-part": [b"right", b"more"],
        "longer-generated": (part for part in [b"too long"]),
        "shorter": [b"no"],
        "right": [b"ri", b"ght"],
    }[name]
"""
ASGI = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": int(scope["path"][1:]), "headers": headers})
    await send({"type": "http.response.body", "body": b""})
"""


def test_a_body_of_another_length_than_its_content_length_is_a_500(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(WSGI)

    with serving("main:app", folder=tmp_path) as served, served.connect() as client:
        for name in ("longer", "longer-by-the-second-part", "longer-generated", "shorter"):
            answer = client.ask("GET", f"/{name}")
            assert (name, answer.status, answer.body) == (name, 500, b"Internal Server Error")
            assert served.word(client.name) == "done"
        assert client.ask("GET", "/right").body == b"right"
        assert "bytes more than its content-length" in served.output()
        assert "bytes less than its content-length" in served.output()


@pytest.mark.parametrize("source", [pytest.param(WSGI, id="WSGI"), pytest.param(ASGI, id="ASGI")])
def test_a_response_that_has_no_body_has_no_length(tmp_path: Path, source: str) -> None:
    (tmp_path / "main.py").write_text(source)

    with serving("main:app", folder=tmp_path) as served, served.connect() as client:
        answer = client.ask("GET", "/204")

        assert (answer.status, answer.values("content-length"), answer.body) == (204, [], b"")
