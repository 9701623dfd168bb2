"""What each example is sent, in this order, to one and the same environment, and what it must reply.

Cookies come back with the next events that can carry them, as from a browser.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from support.processes import PROJECT

from .events import API_HOST, function_url, http_api, load_balancer, queue, rest_api

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
ABOUT_THE_REQUEST = f"https://{API_HOST}/prod/request?month=3"


@dataclass(frozen=True)
class Part:
    """Stands for a body that must hold this text, or begin with these bytes."""

    of: str | bytes

    def is_in(self, body: Any) -> bool:
        return bool(body.startswith(self.of) if isinstance(self.of, bytes) else self.of in body)


@dataclass(frozen=True)
class Exchange:
    """An event and its reply: the headers that are named, and the body as text, as bytes (base64), or read as JSON."""

    name: str
    event: Mapping[str, Any]
    status: int
    body: object
    headers: Mapping[str, object] = field(default_factory=dict)
    single_values: bool = True
    cookies: tuple[str, ...] = ()

    def differences(self, reply: Any) -> list[str]:
        if not isinstance(reply, dict):
            return [f"the reply is {reply!r}"]
        given = reply.get("headers" if self.single_values else "multiValueHeaders") or {}
        headers = {name.lower(): value for name, value in given.items()}
        pairs: list[tuple[str, object, object]] = [("status", reply.get("statusCode"), self.status)]
        pairs += [(name, headers.get(name), value) for name, value in self.headers.items()]
        pairs += [("cookies", beginnings(reply.get("cookies", ()), self.cookies), self.cookies)]
        found = [f"{what} is {got!r}, not {expected!r}" for what, got, expected in pairs if got != expected]
        return found + body_differences(reply, self.body)


@dataclass(frozen=True)
class Result:
    """An event that is no HTTP request: the reply is the app's JSON itself."""

    name: str
    event: Mapping[str, Any]
    expected: object

    def differences(self, reply: Any) -> list[str]:
        return [] if reply == self.expected else [f"the result is {reply!r}, not {self.expected!r}"]


def beginnings(cookies: Sequence[str], expected: Sequence[str]) -> tuple[str, ...]:
    """The cookies, each cut to what is expected of it: a signed one never looks the same twice."""
    return tuple(cookie[: len(begin)] for cookie, begin in zip_longest(cookies, expected, fillvalue=""))


def body_differences(reply: Mapping[str, Any], expected: object) -> list[str]:
    value = expected.of if isinstance(expected, Part) else expected
    binary = isinstance(value, bytes)
    if reply.get("isBase64Encoded", False) != binary:
        return [f"isBase64Encoded is {reply.get('isBase64Encoded')!r}; body {reply.get('body')!r:.200}"]
    body: Any = base64.b64decode(reply["body"]) if binary else reply["body"]
    if not isinstance(value, str | bytes):
        body = json.loads(body)
    fits = expected.is_in(body) if isinstance(expected, Part) else body == expected
    return [] if fits else [f"the body is {body!r:.600}, not {expected!r}"]


def form(boundary: str, name: str, content: bytes) -> bytes:
    head = f'--{boundary}\r\ncontent-disposition: form-data; name="photo"; filename="{name}"\r\n'
    return head.encode() + b"content-type: image/png\r\n\r\n" + content + f"\r\n--{boundary}--\r\n".encode()


FASTAPI: list[Exchange | Result] = [
    Exchange(
        "function URL, front page",
        function_url("GET", "/"),
        200,
        "<!doctype html><title>Seed library</title><h1>Seed library</h1><ul>"
        '<li><a href="/varieties/brandywine">Brandywine</a> (tomato), 12 packets</li>'
        '<li><a href="/varieties/crimson-flowered">Crimson Flowered</a> (broad bean), 7 packets</li>'
        '<li><a href="/varieties/noir-de-crimee">Noir de Crimée</a> (tomato), 3 packets</li></ul>',
        {"content-type": "text/html; charset=utf-8"},
    ),
    Exchange(
        "function URL, JSON in and out, two cookies",
        function_url(
            "POST",
            "/varieties/noir-de-crimee/loans",
            '{"gardener": "Zoë", "packets": 2}',
            content_type="application/json",
        ),
        202,
        {"slug": "noir-de-crimee", "name": "Noir de Crimée", "species": "tomato", "sow_in": 3, "packets": 1},
        {"content-type": "application/json"},
        cookies=(
            "gardener=Zo%C3%AB; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax",
            "last_loan=noir-de-crimee; HttpOnly; Path=/; SameSite=lax",
        ),
    ),
    Exchange(
        "function URL, the background task of the request before has run",
        function_url("GET", "/packing-list"),
        200,
        ["2 x Noir de Crimée for Zoë"],
    ),
    Exchange(
        "function URL, the cookies come back",
        function_url("GET", "/me"),
        200,
        {"gardener": "Zoë", "last_loan": "noir-de-crimee"},
    ),
    Exchange(
        "HTTP API, upload of a photo",
        http_api("PUT", "/varieties/brandywine/photo", PIXEL, content_type="image/png"),
        204,
        "",
    ),
    Exchange(
        "function URL, download of the same photo",
        function_url("GET", "/varieties/brandywine/photo"),
        200,
        PIXEL,
        {"content-type": "image/png"},
    ),
    Exchange(
        "REST API, stage and client address",
        rest_api("GET", "/request", {"month": "3"}),
        200,
        {"url": ABOUT_THE_REQUEST, "root_path": "/prod", "client": "203.0.113.7"},
        {"content-type": ["application/json"]},
        single_values=False,
    ),
    Exchange(
        "load balancer, download of the database",
        load_balancer("GET", "/backup"),
        200,
        Part(b"SQLite format 3\0"),
        {"content-type": "application/vnd.sqlite3"},
    ),
    Exchange(
        "load balancer with multi-value headers, an error of the app",
        load_balancer("GET", "/varieties/mandrake", multi_value=True),
        404,
        {"detail": "There is no variety 'mandrake'."},
        {"content-type": ["application/json"]},
        single_values=False,
    ),
    Result(
        "queue, one good message and one bad",
        queue('{"slug": "crimson-flowered", "packets": 20}', "not JSON"),
        {"batchItemFailures": [{"itemIdentifier": "message-2"}]},
    ),
]

FLASK: list[Exchange | Result] = [
    Exchange(
        "function URL, front page",
        function_url("GET", "/"),
        200,
        Part('<li><a href="/recipes/cr%C3%A8me-br%C3%BBl%C3%A9e">Crème brûlée</a> by Zoé</li>'),
        {"content-type": "text/html; charset=utf-8"},
    ),
    Exchange(
        "function URL, a form and a redirect",
        function_url(
            *("POST", "/recipes/new", "title=Pesto&ingredients=basil%0D%0Apine+nuts&steps=Pound."),
            content_type="application/x-www-form-urlencoded",
        ),
        303,
        Part('<a href="/recipes/pesto">'),
        {"location": "/recipes/pesto"},
        cookies=("session=",),
    ),
    Exchange(
        "function URL, the page that the form has made, with the message that the session's cookie has carried",
        function_url("GET", "/recipes/pesto"),
        200,
        Part('<p class="flash">Pesto is in the box.</p>'),
        cookies=("session=;",),
    ),
    Exchange(
        "function URL, a path with more than ASCII",
        function_url("GET", "/recipes/cr%C3%A8me-br%C3%BBl%C3%A9e"),
        200,
        Part("<h1>Crème brûlée</h1>"),
    ),
    Exchange(
        "function URL, a static file",
        function_url("GET", "/static/favicon.png"),
        200,
        (PROJECT / "examples/flask_app/static/favicon.png").read_bytes(),
        {"content-type": "image/png"},
    ),
    Exchange(
        "HTTP API, upload of a photo in a form",
        http_api(
            *("POST", "/recipes/shakshuka/photo", form("frontier", "pan.png", PIXEL)),
            content_type="multipart/form-data; boundary=frontier",
        ),
        303,
        Part('<a href="/recipes/shakshuka">'),
        {"location": "/recipes/shakshuka"},
        cookies=("session=",),
    ),
    Exchange(
        "load balancer, download of the same photo",
        load_balancer("GET", "/recipes/shakshuka/photo"),
        200,
        PIXEL,
        {"content-type": "image/png", "content-disposition": "attachment; filename=pan.png"},
    ),
    Exchange(
        "REST API, stage and client address",
        rest_api("GET", "/request", {"month": "3"}),
        200,
        {"url": ABOUT_THE_REQUEST, "script_root": "/prod", "remote_addr": "203.0.113.7"},
        {"content-type": ["application/json"]},
        single_values=False,
    ),
    Exchange(
        "load balancer, a reply that is written while it is sent",
        load_balancer("GET", "/recipes.csv"),
        200,
        "title,cook,ingredients\r\n"
        "Shakshuka,Noa,6 eggs; 800 g tomatoes; 2 peppers\r\n"
        "Crème brûlée,Zoé,5 yolks; 500 ml cream; 80 g sugar\r\n"
        "Pesto,,basil; pine nuts\r\n",
        {"content-type": "text/csv; charset=utf-8"},
    ),
    Exchange(
        "load balancer with multi-value headers, an exception in the app",
        load_balancer("GET", "/burnt", multi_value=True),
        500,
        Part("<h1>500 Internal Server Error</h1>"),
        {"content-type": ["text/html; charset=utf-8"]},
        single_values=False,
    ),
    Result(
        "queue, one good message and one bad",
        queue('{"title": "Toast", "ingredients": ["bread"]}', "not JSON"),
        {"batchItemFailures": [{"itemIdentifier": "message-2"}]},
    ),
]


@dataclass(frozen=True)
class Example:
    """What is sent, and what the app writes to the log when it is given the time to shut down in order."""

    exchanges: Sequence[Exchange | Result]
    title: str  # of its front page
    last_words: str = ""


EXAMPLES = {
    "flask_app": Example(FLASK, "Recipe box"),
    "fastapi_app": Example(FASTAPI, "Seed library", "The seed library is closed."),
}
