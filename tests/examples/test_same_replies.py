"""Byte by byte, header by header: the adapter's reply is the one that the app alone gives.

Each row is what one visitor does, step by step. Every step is sent to both servers, and nothing else is, so that both
are in the same state whatever the order of the rows.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from examples.comparing import Ask, ask, comparable, send
from examples.running import running

Pair = tuple[str, str]

EVERY_BYTE = bytes(range(256))
CRESS = {"slug": "cress", "name": "Crèsson 🌱", "species": "cress", "sow_in": 5, "packets": 9}
SHEET = "slug,name,species,sow_in,packets\nleek,Leek,leek,3,4\n"
BREAD = {"title": "Brød & smør", "ingredients": "1 kg flour\r\n10 g salt", "steps": "Knead.\r\nBake."}


def queue_event(*bodies: object) -> dict[str, list[dict[str, object]]]:
    """An SQS event as Lambda hands it over."""
    return {
        "Records": [
            {"messageId": f"m{number}", "body": json.dumps(body), "eventSource": "aws:sqs", "messageAttributes": {}}
            for number, body in enumerate(bodies)
        ]
    }


@contextmanager
def both(example: str) -> Iterator[Pair]:
    with running(example, adapter=False) as alone, running(example, adapter=True) as adapter:
        yield alone.url, adapter.url


@pytest.fixture(scope="module")
def fastapi_pair() -> Iterator[Pair]:
    with both("fastapi_app") as pair:
        yield pair


@pytest.fixture(scope="module")
def flask_pair() -> Iterator[Pair]:
    with both("flask_app") as pair:
        yield pair


def compare(pair: Pair, steps: list[Ask]) -> None:
    """One visitor to each server, with cookies; both call it by the same name, which shows in absolute addresses."""
    with ExitStack() as stack:
        alone, adapter = (
            stack.enter_context(
                httpx.Client(base_url=url, trust_env=False, timeout=10, headers={"host": "garden.example"})
            )
            for url in pair
        )
        for step in steps:
            expected, given = send(alone, step), send(adapter, step)
            assert comparable(given, expected) == comparable(expected, expected)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([ask("GET", "/")], id="the front page"),
        pytest.param([ask("GET", "/docs")], id="the page that describes the API"),
        pytest.param([ask("GET", "/openapi.json")], id="the description of the API"),
        pytest.param([ask("GET", "/varieties")], id="all varieties"),
        pytest.param([ask("GET", "/varieties?species=broad%20bean&month=11&limit=1")], id="a query"),
        pytest.param([ask("GET", "/varieties?species=broad+bean&species=tomato")], id="a query that repeats a name"),
        pytest.param([ask("GET", "/varieties?month=13&limit=")], id="a query that is wrong twice"),
        pytest.param([ask("GET", "/varieties/noir-de-crimee")], id="a variety"),
        pytest.param([ask("GET", "/varieties/noir%20de%20Crim%C3%A9e")], id="a path that is wrong and not ASCII"),
        pytest.param([ask("GET", "/varieties/triffid")], id="an error of the domain"),
        pytest.param([ask("GET", "/nowhere")], id="a path that is not there"),
        pytest.param([ask("GET", "/varieties/")], id="a slash too many, redirected"),
        pytest.param([ask("GET", "/", extensions={"target": b"//varieties"})], id="two slashes at the start"),
        pytest.param([ask("DELETE", "/varieties")], id="a method that is not offered"),
        pytest.param([ask("HEAD", "/varieties")], id="a HEAD that is not offered"),
        pytest.param([ask("OPTIONS", "/varieties")], id="an OPTIONS that is not offered"),
        pytest.param([ask("POST", "/varieties", json=CRESS), ask("GET", "/varieties/cress")], id="a new variety"),
        pytest.param([ask("POST", "/varieties", content=b'{"slug"')], id="half a JSON"),
        pytest.param([ask("POST", "/varieties", json={**CRESS, "sow_in": "May"})], id="a body that is wrong"),
        pytest.param(
            [
                ask("GET", "/varieties/crimson-flowered/photo"),
                ask(
                    "PUT",
                    "/varieties/crimson-flowered/photo",
                    content=EVERY_BYTE,
                    headers={"content-type": "image/png"},
                ),
                ask("GET", "/varieties/crimson-flowered/photo"),
            ],
            id="a photo there and back",
        ),
        pytest.param(
            [ask("PUT", "/varieties/brandywine/photo", content=[b"half a photo, ", b"and the rest"])],
            id="a body in chunks, of no photo",
        ),
        pytest.param(
            [
                ask("POST", "/varieties/import", files={"file": ("lauch.csv", SHEET)}, data={"donor": "Jérôme"}),
                ask("GET", "/varieties/leek"),
            ],
            id="a catalogue that is uploaded",
        ),
        pytest.param(
            [ask("POST", "/varieties/import", files={"file": ("ü.bin", EVERY_BYTE)}, data={"donor": "Tom"})],
            id="a file that is no catalogue",
        ),
        pytest.param([ask("POST", "/varieties/import", data={"donor": "Tom"})], id="a form without its file"),
        pytest.param(
            [
                ask("GET", "/me"),
                ask("POST", "/varieties/brandywine/loans", json={"gardener": "Zoë; Ida", "packets": 2}),
                ask("GET", "/me"),
                ask("POST", "/varieties/brandywine/loans", json={"gardener": "Zoë; Ida", "packets": 5}),
                ask("GET", "/varieties/brandywine"),
            ],
            id="two loans, with cookies",
        ),
        pytest.param(
            [ask("POST", "/varieties/noir-de-crimee/loans", json={"gardener": "Ida", "packets": 4})],
            id="a loan that is refused",
        ),
        pytest.param([ask("GET", "/me", headers={"cookie": "gardener=A%20B; x=1; last_loan=a=b"})], id="odd cookies"),
        pytest.param([ask("GET", "/p/brandywine")], id="a redirect to an absolute address"),
        pytest.param([ask("GET", "/backup")], id="a binary download"),
        pytest.param([ask("GET", "/request?a=1&a=%C3%A9&b&c=&=d&%26=%3D")], id="the address that the app sees"),
        pytest.param(
            [
                ask("POST", "/events", json=queue_event({"slug": "crimson-flowered", "packets": 1}, "?", None)),
                ask("GET", "/varieties/crimson-flowered"),
            ],
            id="messages that no queue has sent",
        ),
    ],
)
def test_fastapi_replies_through_the_adapter_as_it_does_alone(fastapi_pair: Pair, steps: list[Ask]) -> None:
    compare(fastapi_pair, steps)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([ask("GET", "/")], id="the front page"),
        pytest.param([ask("GET", "/?q=br%C3%BBl&q=%26")], id="a search"),
        pytest.param([ask("GET", "/recipes/cr%C3%A8me-br%C3%BBl%C3%A9e")], id="a path that is not ASCII"),
        pytest.param([ask("HEAD", "/recipes/shakshuka")], id="the headers of a page"),
        pytest.param([ask("OPTIONS", "/recipes/new")], id="the methods of a page"),
        pytest.param([ask("GET", "/static/style.css")], id="a stylesheet"),
        pytest.param([ask("GET", "/static/favicon.png")], id="an icon"),
        pytest.param([ask("HEAD", "/static/favicon.png")], id="the headers of an icon"),
        pytest.param([ask("GET", "/static/favicon.png", headers={"range": "bytes=-20"})], id="the end of an icon"),
        pytest.param(
            [ask("GET", "/static/favicon.png", headers={"range": "bytes=9999-"})], id="a range beyond the end"
        ),
        pytest.param(
            [ask("GET", "/static/style.css", headers={"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"})],
            id="a stylesheet that has not changed",
        ),
        pytest.param(
            [ask("GET", "/", extensions={"target": b"/static/../main.py"})], id="a file that is not for everybody"
        ),
        pytest.param(
            [ask("GET", "/", extensions={"target": b"/static/%2e%2e/main.py"})], id="the same, behind an encoding"
        ),
        pytest.param(
            [
                ask("POST", "/sign-in", data={"name": "Zoé"}),
                ask("GET", "/"),
                ask("GET", "/"),
                ask("POST", "/sign-out"),
                ask("GET", "/"),
            ],
            id="a session from its beginning to its end",
        ),
        pytest.param([ask("POST", "/sign-in", data={"title": "Cook"})], id="a form that lacks a field"),
        pytest.param([ask("POST", "/sign-in", files={"name": (None, "Ida")})], id="a form in parts"),
        pytest.param(
            [
                ask("GET", "/recipes/new"),
                ask("POST", "/recipes/new", data=BREAD),
                ask("GET", "/recipes/br%C3%B8d-sm%C3%B8r"),
                ask("POST", "/recipes/new", data=BREAD),
            ],
            id="a recipe that is written down twice",
        ),
        pytest.param(
            [
                ask("GET", "/recipes/shakshuka/photo"),
                ask("POST", "/recipes/shakshuka/photo", files={"photo": ("œuf.png", EVERY_BYTE * 5000, "image/png")}),
                ask("GET", "/recipes/shakshuka"),
                ask("GET", "/recipes/shakshuka/photo"),
                ask("GET", "/recipes/shakshuka/photo", headers={"range": "bytes=250-260"}),
            ],
            id="a photo of more than a megabyte there and back",
        ),
        pytest.param([ask("GET", "/recipes.csv")], id="an export that is streamed"),
        pytest.param([ask("HEAD", "/recipes.csv")], id="the headers of a stream"),
        pytest.param([ask("GET", "/recipes/haggis")], id="an error page of the app"),
        pytest.param([ask("GET", "/nowhere/at/all")], id="an error page of the framework"),
        pytest.param([ask("DELETE", "/")], id="a method that is not offered"),
        pytest.param([ask("GET", "/burnt")], id="an exception in the app"),
        pytest.param([ask("GET", "/request?a=1&a=%C3%A9&b&c=&=d&%26=%3D")], id="the address that the app sees"),
        pytest.param(
            [
                ask("POST", "/events", json=queue_event({"title": "Dal", "ingredients": ["lentils"]}, {}, 3)),
                ask("GET", "/recipes/dal"),
            ],
            id="messages that no queue has sent",
        ),
    ],
)
def test_flask_replies_through_the_adapter_as_it_does_alone(flask_pair: Pair, steps: list[Ask]) -> None:
    compare(flask_pair, steps)
