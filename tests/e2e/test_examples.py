"""Both examples under the Runtime Interface Emulator, in the local run and in a test, with an event of each source."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

import httpx
import pytest
from e2e.conftest import launcher
from e2e.events import ALB_HOST, API_HOST, CLIENT, HTTP_SOURCES, URL_HOST, Request, sqs
from e2e.replies import Reply, read_reply
from examples.running import load_example
from support.processes import PROJECT, runs, wait_until

from lambda_web_adapter.testing import LambdaTransport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.conftest import AnyEmulator, Emulate

pytestmark = pytest.mark.e2e

EXAMPLES = PROJECT / "examples"
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
# What a client asked for, as far as the events of each source can tell.
ORIGINS = {
    "rest-api": f"https://{API_HOST}/prod",
    "http-api-1.0": f"https://{API_HOST}",
    "http-api-2.0": f"https://{API_HOST}",
    "function-url": f"https://{URL_HOST}",
    "alb": f"https://{ALB_HOST}",
    "alb-multi": f"https://{ALB_HOST}",
}
each_source = pytest.mark.parametrize("source", list(HTTP_SOURCES))


def query_seen(source: str) -> str:
    """The query of two months; with single values the last one is all there is."""
    return "month=4" if source == "alb" else "month=3&month=4"


class Invokes(Protocol):
    """What an example is reached by."""

    def invoke(self, event: object) -> httpx.Response: ...


class InTest:
    """An example behind `LambdaTransport`, in the process of the test."""

    def __init__(self, example: str) -> None:
        self.transport = LambdaTransport(load_example(example))

    def invoke(self, event: object) -> httpx.Response:
        return httpx.Response(200, json=self.transport.invoke(event))


class Site:
    """An example in one emulator, or in the test."""

    def __init__(self, emulator: Invokes) -> None:
        self.emulator = emulator

    def send(self, source: str, **request: Any) -> Reply:
        return read_reply(source, self.emulator.invoke(HTTP_SOURCES[source](Request(**request))))


@contextmanager
def site_of(example: str, way: str, config: pytest.Config) -> Iterator[Site]:
    """An example, reached in one of three ways."""
    if way == "transport":
        in_test = InTest(example)
        with in_test.transport:
            yield Site(in_test)
    else:
        with launcher(way, config)("main:app", cwd=EXAMPLES / example) as emulator:
            yield Site(emulator)


@pytest.fixture(scope="module", params=["rie", "local", "transport"])
def way(request: pytest.FixtureRequest) -> str:
    """How an example is reached."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def seeds(way: str, pytestconfig: pytest.Config) -> Iterator[Site]:
    with site_of("fastapi_app", way, pytestconfig) as site:
        yield site


@pytest.fixture(scope="module")
def recipes(way: str, pytestconfig: pytest.Config) -> Iterator[Site]:
    with site_of("flask_app", way, pytestconfig) as site:
        yield site


# FastAPI


@each_source
def test_fastapi_answers_with_json(seeds: Site, source: str) -> None:
    reply = seeds.send(source, path="/varieties/crimson-flowered")

    assert reply.status == 200
    assert reply.headers == {"content-type": ["application/json"]}
    assert reply.cookies == []
    assert reply.text == (
        '{"slug":"crimson-flowered","name":"Crimson Flowered","species":"broad bean","sow_in":11,"packets":7}'
    )


@each_source
def test_fastapi_answers_with_html(seeds: Site, source: str) -> None:
    reply = seeds.send(source)

    prefix = "/prod" if source == "rest-api" else ""
    assert reply.status == 200
    assert reply.headers == {"content-type": ["text/html; charset=utf-8"]}
    assert f'<li><a href="{prefix}/varieties/noir-de-crimee">Noir de Crimée</a> (tomato), 3 packets</li>' in reply.text


@each_source
def test_fastapi_reads_the_query(seeds: Site, source: str) -> None:
    reply = seeds.send(source, path="/varieties", query={"species": ["broad bean"], "limit": ["1"]})

    assert [variety["slug"] for variety in json.loads(reply.text)] == ["crimson-flowered"]


@each_source
def test_fastapi_reads_a_body_and_sets_cookies(seeds: Site, source: str) -> None:
    reply = seeds.send(
        source,
        method="POST",
        path="/varieties/brandywine/loans",
        headers={"content-type": "application/json"},
        body='{"gardener": "Zoë", "packets": 1}',
    )

    assert reply.status == 202
    assert reply.headers == {"content-type": ["application/json"]}
    assert reply.cookies == [
        "gardener=Zo%C3%AB; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax",
        "last_loan=brandywine; HttpOnly; Path=/; SameSite=lax",
    ]
    assert json.loads(reply.text)["slug"] == "brandywine"
    assert "1 x Brandywine for Zoë" in json.loads(seeds.send(source, path="/packing-list").text)


@each_source
def test_fastapi_reads_cookies(seeds: Site, source: str) -> None:
    reply = seeds.send(source, path="/me", cookies=["gardener=Zo%C3%AB", "last_loan=brandywine"])

    assert json.loads(reply.text) == {"gardener": "Zoë", "last_loan": "brandywine"}


@each_source
def test_fastapi_takes_and_gives_bytes(seeds: Site, source: str) -> None:
    path = "/varieties/noir-de-crimee/photo"

    json_type = {"content-type": ["application/json"]}  # FastAPI sends it, body or not
    put = seeds.send(source, method="PUT", path=path, headers={"content-type": "image/png"}, body=PIXEL)
    got = seeds.send(source, path=path)

    assert (put.status, put.headers, put.body, put.is_base64) == (204, json_type, b"", False)
    assert (got.status, got.headers) == (200, {"content-type": ["image/png"]})
    assert (got.body, got.is_base64) == (PIXEL, True)


@each_source
def test_fastapi_sees_what_the_client_asked_for(seeds: Site, source: str) -> None:
    reply = seeds.send(source, path="/request", query={"month": ["3", "4"]})

    assert json.loads(reply.text) == {
        "url": f"{ORIGINS[source]}/request?{query_seen(source)}",
        "root_path": "/prod" if source == "rest-api" else "",
        "client": CLIENT,
    }


@each_source
def test_fastapi_redirects_to_where_the_client_is(seeds: Site, source: str) -> None:
    reply = seeds.send(source, path="/p/brandywine")

    assert reply.status == 307
    assert reply.headers == {"location": [f"{ORIGINS[source]}/varieties/brandywine"]}


@each_source
def test_fastapi_s_own_errors_are_replies_too(seeds: Site, source: str) -> None:
    reply = seeds.send(source, path="/varieties/mandrake")

    assert reply.status == 404
    assert json.loads(reply.text) == {"detail": "There is no variety 'mandrake'."}


def test_fastapi_gets_the_messages_of_a_queue(seeds: Site) -> None:
    response = seeds.emulator.invoke(sqs('{"slug": "brandywine", "packets": 1}', "not JSON"))

    assert response.status_code == 200
    assert response.json() == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}


# Flask


@each_source
def test_flask_answers_with_html(recipes: Site, source: str) -> None:
    reply = recipes.send(source)

    assert reply.status == 200
    assert reply.headers == {"content-type": ["text/html; charset=utf-8"], "vary": ["Cookie"]}
    assert "Crème brûlée</a> by Zoé</li>" in reply.text


@each_source
def test_flask_gets_a_path_with_more_than_ascii(recipes: Site, source: str) -> None:
    reply = recipes.send(source, path="/recipes/cr%C3%A8me-br%C3%BBl%C3%A9e")

    assert reply.status == 200
    assert "<h1>Crème brûlée</h1>" in reply.text


@each_source
def test_flask_keeps_a_session(recipes: Site, source: str) -> None:
    signed_in = recipes.send(
        source,
        method="POST",
        path="/sign-in",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body="name=No%C3%A9mie",
    )
    (cookie,) = signed_in.cookies
    front_page = recipes.send(source, cookies=["theme=dark", cookie.partition(";")[0]])

    assert signed_in.status == 303
    assert signed_in.headers["location"] == ["/prod/" if source == "rest-api" else "/"]
    assert cookie.startswith("session=")
    assert "Welcome to the kitchen, Noémie." in front_page.text


@each_source
def test_flask_gives_a_file(recipes: Site, source: str) -> None:
    reply = recipes.send(source, path="/static/favicon.png")

    assert (reply.status, reply.headers["content-type"]) == (200, ["image/png"])
    assert reply.is_base64
    assert reply.body == (EXAMPLES / "flask_app/static/favicon.png").read_bytes()


@each_source
def test_flask_takes_an_upload(recipes: Site, source: str) -> None:
    form = (
        b'--frontier\r\ncontent-disposition: form-data; name="photo"; filename="pan.png"\r\n'
        b"content-type: image/png\r\n\r\n" + PIXEL + b"\r\n--frontier--\r\n"
    )

    posted = recipes.send(
        source,
        method="POST",
        path="/recipes/shakshuka/photo",
        headers={"content-type": "multipart/form-data; boundary=frontier"},
        body=form,
    )
    got = recipes.send(source, path="/recipes/shakshuka/photo")

    assert posted.status == 303
    assert (got.status, got.body, got.is_base64) == (200, PIXEL, True)
    assert got.headers["content-disposition"] == ["attachment; filename=pan.png"]


@each_source
def test_flask_writes_while_it_sends(recipes: Site, source: str) -> None:
    reply = recipes.send(source, path="/recipes.csv")

    assert reply.status == 200
    assert reply.headers == {
        "content-type": ["text/csv; charset=utf-8"],
        "content-disposition": ["attachment; filename=recipes.csv"],
    }
    assert reply.text.startswith("title,cook,ingredients\r\nShakshuka,Noa,6 eggs; 800 g tomatoes; 2 peppers\r\n")


@each_source
def test_flask_sees_what_the_client_asked_for(recipes: Site, source: str) -> None:
    reply = recipes.send(source, path="/request", query={"month": ["3", "4"]})

    assert json.loads(reply.text) == {
        "url": f"{ORIGINS[source]}/request?{query_seen(source)}",
        "script_root": "/prod" if source == "rest-api" else "",
        "remote_addr": CLIENT,
    }


@each_source
def test_flask_answers_head_without_a_body(recipes: Site, source: str) -> None:
    reply = recipes.send(source, method="HEAD")

    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-type"] == ["text/html; charset=utf-8"]


@each_source
def test_flask_s_exceptions_are_pages(recipes: Site, source: str) -> None:
    reply = recipes.send(source, path="/burnt")

    assert reply.status == 500
    assert "<h1>500 Internal Server Error</h1>" in reply.text
    if isinstance(recipes.emulator, InTest):
        assert str(recipes.emulator.transport.last.error) == "The oven was too hot."
    else:
        cast("AnyEmulator", recipes.emulator).process.wait_for("RuntimeError: The oven was too hot")


def test_flask_gets_the_messages_of_a_queue(recipes: Site) -> None:
    response = recipes.emulator.invoke(sqs("not JSON", '{"title": "", "ingredients": []}'))

    assert response.status_code == 200
    assert response.json() == {"batchItemFailures": [{"itemIdentifier": "message-1"}, {"itemIdentifier": "message-2"}]}


# The life of an environment


def test_one_process_serves_one_event_after_the_other_and_shuts_down_in_order(emulate: Emulate) -> None:
    emulator = emulate("main:app", cwd=EXAMPLES / "fastapi_app")
    site = Site(emulator)

    lent = site.send(
        "function-url",
        method="POST",
        path="/varieties/noir-de-crimee/loans",
        headers={"content-type": "application/json"},
        body='{"gardener": "Zoë", "packets": 2}',
    )
    (bootstrap,) = emulator.runtimes()
    left = [json.loads(site.send(source, path="/varieties/noir-de-crimee").text)["packets"] for source in HTTP_SOURCES]
    packed = json.loads(site.send("alb", path="/packing-list").text)

    assert lent.status == 202
    assert left == [1, 1, 1, 1, 1, 1]
    assert packed == ["2 x Noir de Crimée for Zoë"]
    assert emulator.runtimes() == [bootstrap]
    assert emulator.process.text.count("The seed library is open.") == 1
    assert "The seed library is closed." not in emulator.process.text

    emulator.terminate_runtime()
    emulator.wait_for_end(0)
    wait_until(lambda: not runs(bootstrap), "the bootstrap ends")

    assert emulator.process.text.count("The seed library is closed.") == 1
    assert emulator.process.text.count("The seed library is open.") == 1


@pytest.mark.parametrize(("switch", "closed"), [("true", 1), ("false", 0)], ids=["extension", "no extension"])
def test_an_environment_that_is_shut_down_by_lambda_ends_in_order_with_an_extension_only(
    switch: str, closed: int, emulate: Emulate
) -> None:
    emulator = emulate("main:app", cwd=EXAMPLES / "fastapi_app", AWS_LWA_REGISTER_EXTENSION=switch)
    Site(emulator).send("function-url", path="/varieties")
    emulator.process.wait_for("The seed library is open.")  # what is killed passes nothing on any more

    emulator.shut_down()

    assert emulator.process.text.count("The seed library is open.") == 1
    assert emulator.process.text.count("The seed library is closed.") == closed


def test_a_reply_that_lambda_would_not_take_is_a_small_one(tmp_path: Path, emulate: Emulate) -> None:
    (tmp_path / "main.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('content-type', 'text/plain')])\n"
        "    return [b'x' * int(environ['QUERY_STRING'] or 0)]\n"
    )
    site = Site(emulate("main:app", cwd=tmp_path))

    event = HTTP_SOURCES["function-url"](Request())

    large = read_reply("function-url", site.emulator.invoke(event | {"rawQueryString": "6000000"}))
    too_large = read_reply("function-url", site.emulator.invoke(event | {"rawQueryString": "7000000"}))

    assert (large.status, len(large.body)) == (200, 6_000_000)
    assert too_large.status == 502
    assert json.loads(too_large.text)["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_function_that_takes_too_long_answers_before_lambda_gives_up(tmp_path: Path, emulate: Emulate) -> None:
    (tmp_path / "main.py").write_text(
        "import threading\n"
        "def app(environ, start_response):\n"
        "    if environ['PATH_INFO'] == '/hang':\n"
        "        threading.Event().wait()\n"
        "    start_response('200 OK', [('content-type', 'text/plain')])\n"
        "    return [b'fine']\n"
    )
    emulator = emulate("main:app", cwd=tmp_path, timeout=2)
    site = Site(emulator)

    assert site.send("alb").text == "fine"
    (bootstrap,) = emulator.runtimes()
    late = site.send("alb", path="/hang")

    assert late.status == 504
    assert site.send("alb").text == "fine"
    assert emulator.runtimes() == [bootstrap]
