"""What clients and apps make up does not stay in memory: however many names, and however long."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from lambda_web_adapter.app.asgi.exchange import Exchange
from lambda_web_adapter.app.asgi.scope import build_scope
from lambda_web_adapter.app.request_parser import RawRequest, RequestParser
from lambda_web_adapter.app.wsgi.environ import build_environ
from lambda_web_adapter.app.wsgi.response import ResponseWriter
from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import import_sources
from lambda_web_adapter.http.headers import build_request_head, end_to_end
from lambda_web_adapter.http.messages import Invocation, Request, Response
from lambda_web_adapter.http.name_cache import LONGEST, NameCache

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

INVOCATION = Invocation(request_id="1", event=b"")
SIZE = 20_000  # characters of a long name
MEGABYTE = 1024 * 1024


def read(data: bytes) -> RawRequest:
    found = RequestParser(lambda _: None).feed(data)
    assert found is not None
    return found


def head_of(name: str) -> bytes:
    return build_request_head(
        Request("GET", "/", headers=[(name, "1"), ("host", name), ("connection", f"{name}-too")]), INVOCATION
    )


def as_event(name: str) -> None:
    head_of(name)
    with pytest.raises(InvalidEvent):
        head_of(f"{name}:")


def as_environ(name: str) -> None:
    build_environ(read(head_of(name)))


def as_scope(name: str) -> None:
    build_scope(read(head_of(name)), ("127.0.0.1", 1), None)


def as_wsgi_response(name: str) -> None:
    ResponseWriter(None, head=False, chunked=True).start("200 OK", [(name, "1")])  # type: ignore[arg-type]


def as_asgi_response(name: str) -> None:
    exchange = Exchange(None, {"method": "GET", "http_version": "1.1"}, read(b"GET / HTTP/1.1\r\n\r\n"), None)  # type: ignore[arg-type]
    exchange._build_head(int(name[:3], 36) + 1000, [(name.encode(), b"1")])


def as_reply(name: str) -> None:
    value = name.encode()
    for header in (b"content-type", b"content-encoding", value):
        response = end_to_end(Response(200, [(header, value)], b"body"), "GET")
        for source in import_sources():
            if source.name not in ("websocket", "lambda-edge"):
                source.build_reply(response, {"actionGroup": "", "apiPath": "", "httpMethod": "", "requestContext": {}})


WAYS = [as_event, as_environ, as_scope, as_wsgi_response, as_asgi_response, as_reply]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("count", "size"), [(300, SIZE), (3_000, 40)], ids=["long", "many"])
def test_names_that_are_made_up_do_not_fill_memory(way: Callable[[str], Any], count: int, size: int) -> None:
    way("warm-up")
    tracemalloc.start()
    try:
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for number in range(count):
            way(f"{number:05}".rjust(size, "x"))
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 2 * MEGABYTE


def test_a_name_is_looked_at_once() -> None:
    looks: list[str] = []

    def look(name: str) -> str:
        looks.append(name)
        return name.upper()

    cache: NameCache[str, str] = NameCache(look)

    assert [cache[name] for name in ("a", "b", "a", "x" * LONGEST, "x" * LONGEST)] == [
        "A",
        "B",
        "A",
        "X" * LONGEST,
        "X" * LONGEST,
    ]
    assert looks == ["a", "b", "x" * LONGEST]


def test_a_name_that_is_too_long_is_looked_at_each_time() -> None:
    cache: NameCache[str, int] = NameCache(len)

    assert [cache["x" * (LONGEST + 1)] for _ in range(2)] == [LONGEST + 1] * 2
    assert not cache
