"""Where an app finds the stage or base path that was removed: as its framework needs it, under middleware too."""

from __future__ import annotations

import functools
import logging
import types
from typing import TYPE_CHECKING, Any

import pytest
from a2wsgi import WSGIMiddleware
from app.serving import serving
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from lambda_web_adapter.app import middleware as wrapping
from lambda_web_adapter.app.asgi import root_path
from lambda_web_adapter.app.asgi.root_path import APART, IN_PATH, NONE, root_path_of
from lambda_web_adapter.app.loader import detect_interface

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class _Asgi:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class _AsgiWithoutAsync:
    def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class _Wsgi:
    def __call__(self, environ: Any, start_response: Any) -> None: ...


def stand_in(module: str, name: str, base: type = _Asgi) -> Any:
    """An app of a class that has the name of a framework's."""
    return type(name, (base,), {"__module__": module})()


FALCON = stand_in("falcon.asgi.app", "App")


@pytest.mark.parametrize(
    ("module", "name", "place"),
    [
        ("falcon.asgi.app", "App", APART),
        ("sanic.app", "Sanic", APART),
        ("datasette.utils.asgi", "AsgiRunOnFirstRequest", APART),
        ("datasette.app", "DatasetteRouter", APART),
        ("emmett_core.app", "App", APART),
        ("microdot.microdot", "Microdot", APART),
        ("responder.api", "API", APART),
        ("baize.asgi.routing", "Router", APART),
        ("bareasgi.core_application", "CoreApplication", APART),
        ("panther.main", "Panther", APART),
        ("asgi_tools.app", "App", NONE),
        ("quart.app", "Quart", IN_PATH),
        ("litestar.app", "Litestar", IN_PATH),
        ("shop.app", "App", IN_PATH),
    ],
)
def test_a_framework_is_known_by_its_class(module: str, name: str, place: str) -> None:
    app = stand_in(module, name)

    assert root_path_of(app, "auto") == place
    assert root_path_of(type("Shop", (type(app),), {})(), "auto") == place
    assert root_path_of(stand_in(module, name, _AsgiWithoutAsync), "auto") == place


class Holder:
    """Middleware that holds its app by some name."""

    def __init__(self, name: str, app: Any) -> None:
        setattr(self, name, app)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Slotted:
    __slots__ = ("__weakref__", "_next")

    def __init__(self, app: Any) -> None:
        self._next = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Bound:
    def __init__(self, app: Any) -> None:
        self.inner = app

    async def serve(self, scope: Any, receive: Any, send: Any) -> None: ...


class Proxy:
    """It raises when it is looked at, as a proxy for what is not there yet does."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # that it cannot be read is the case
        raise RuntimeError("outside of a context")


def closure(app: Any) -> Any:
    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return middleware


def decorated(app: Any) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return app(*args, **kwargs)

    return wrapper


async def by_global_name(scope: Any, receive: Any, send: Any) -> None:
    await FALCON(scope, receive, send)


async def takes_the_app_too(app: Any, scope: Any, receive: Any, send: Any) -> None: ...


async def dispatch(request: Any, call_next: Any) -> Any: ...


flask: Any = Flask("main")


WRAPPINGS: dict[str, Callable[[Any], Any]] = {
    "CORSMiddleware": CORSMiddleware,
    "GZipMiddleware": GZipMiddleware,
    "BaseHTTPMiddleware": lambda app: BaseHTTPMiddleware(app, dispatch=dispatch),
    "ProxyHeadersMiddleware": ProxyHeadersMiddleware,
    ".app": lambda app: Holder("app", app),
    ".application": lambda app: Holder("application", app),
    "._app": lambda app: Holder("_app", app),
    ".__wrapped__": lambda app: Holder("__wrapped__", app),
    "a name of its own": lambda app: Holder("whatever_comes_next", app),
    "by protocol": lambda app: Holder("application_mapping", {"http": app}),
    "in a list": lambda app: Holder("apps", [app]),
    "slots": Slotted,
    "closure": closure,
    "decorator": decorated,
    "partial": lambda app: functools.partial(takes_the_app_too, app),
    "partial by name": lambda app: functools.partial(takes_the_app_too, app=app),
    "method": lambda app: Bound(app).serve,
    "global": lambda app: by_global_name,
    "twelve layers": lambda app: functools.reduce(lambda inner, _: Holder("app", inner), range(12), app),
    "all of it": lambda app: CORSMiddleware(closure(functools.partial(takes_the_app_too, Slotted(app)))),
}


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS.keys())
def test_it_is_known_under_middleware(wrap: Callable[[Any], Any]) -> None:
    assert root_path_of(wrap(FALCON), "auto") == APART


def in_a_circle() -> Any:
    first = Holder("app", None)
    first.app = Holder("app", first)  # type: ignore[attr-defined]  # it is set by name
    return first


async def bare(scope: Any, receive: Any, send: Any) -> None: ...


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(bare, id="a function"),
        pytest.param(FastAPI(), id="FastAPI"),
        pytest.param(Starlette(), id="Starlette"),
        pytest.param(Starlette(routes=[Mount("/falcon", FALCON)]), id="Starlette that mounts Falcon"),
        pytest.param(CORSMiddleware(FastAPI()), id="FastAPI under middleware"),
        pytest.param(WSGIMiddleware(flask), id="Flask on ASGI"),
        pytest.param(WSGIMiddleware(stand_in("falcon.app", "App", _Wsgi)), id="Falcon's WSGI app on ASGI"),
        pytest.param(Holder("apps", {"/a": FALCON, "/b": Starlette()}), id="two that differ"),
        pytest.param(Holder("kind", type(FALCON)), id="the class alone"),
        pytest.param(in_a_circle(), id="a circle"),
        pytest.param(Proxy(), id="a proxy"),
        pytest.param(types.SimpleNamespace(), id="nothing that is called"),
    ],
)
def test_all_others_get_it_as_asgi_has_it(app: Any) -> None:
    assert root_path_of(app, "auto") == IN_PATH


class Untouchable:
    """It raises when it is looked at, as settings that nobody has configured do."""

    def __getattribute__(self, name: str) -> Any:
        raise LookupError(f"{name} was looked at")

    __bool__ = __len__ = __iter__ = __eq__ = __hash__ = lambda *_: pytest.fail("it was called")  # type: ignore[assignment]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        pytest.fail("it was called")


class OfAnotherClass:
    @property  # type: ignore[misc]  # that it cannot be read is the case
    def __class__(self) -> Any:
        raise RuntimeError("settings are not configured")


class OfAnotherSignature(Untouchable):
    @property
    def __signature__(self) -> Any:
        raise KeyError("__signature__")

    def __call__(self, first: Any, second: Any) -> Any: ...


class UntouchableDict(dict[str, Any]):
    def values(self) -> Any:
        raise OSError("there is no connection")


class UntouchableList(list[Any]):
    def __iter__(self) -> Any:
        raise OSError("there is no connection")


class UntouchablePartial(functools.partial[Any]):
    func = args = keywords = property(lambda self: pytest.fail("it was looked at"))


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        if name in ("__call__", "__dict__", "__flags__", "__module__", "__mro__", "__name__"):
            raise LookupError(f"{name} of the class was looked at")
        return super().__getattribute__(name)


class OfUntouchableClass(metaclass=Meta):
    def __call__(self, first: Any, second: Any) -> Any: ...


def with_wrapped(wrapped: Any) -> Any:
    def function(first: Any, second: Any) -> None: ...

    function.__wrapped__ = wrapped  # type: ignore[attr-defined]  # as `functools.wraps` does
    return function


def without_module() -> Any:
    return types.FunctionType((lambda scope, receive, send: None).__code__, {})


def in_a_circle_of_wrapped() -> Any:
    function = with_wrapped(None)
    function.__wrapped__ = function
    return function


# Made in the test, since pytest looks at parameters.
UNTOUCHABLE: dict[str, Callable[[], Any]] = {
    "any attribute": Untouchable,
    "__class__": OfAnotherClass,
    "__signature__": OfAnotherSignature,
    "a dict": lambda: UntouchableDict(one=Untouchable()),
    "a list": lambda: UntouchableList([Untouchable()]),
    "a partial": lambda: UntouchablePartial(dispatch),
    "__wrapped__": lambda: with_wrapped(Untouchable()),
    "__wrapped__ in a circle": in_a_circle_of_wrapped,
    "the class": OfUntouchableClass,
    "no module": without_module,
    "a class without module": lambda: type("Lone", (_AsgiWithoutAsync,), {"__module__": None})(),
}


class Beside:
    """Middleware that holds something beside the app."""

    def __init__(self, held: Any, app: Any) -> None:
        self.held = held
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


def naming_both(held: Any, app: Any) -> Any:
    source = "async def serve(scope, receive, send):\n    held\n    await app(scope, receive, send)"
    names = {"held": held, "app": app}
    exec(source, names)  # noqa: S102  # our own
    return names["serve"]


def enclosing_both(held: Any, app: Any) -> Any:
    async def serve(scope: Any, receive: Any, send: Any) -> None:
        _ = held
        await app(scope, receive, send)

    return serve


@pytest.mark.parametrize("hold", [Beside, naming_both, enclosing_both])
@pytest.mark.parametrize("make", UNTOUCHABLE.values(), ids=UNTOUCHABLE.keys())
def test_what_an_app_holds_is_not_touched(make: Callable[[], Any], hold: Callable[[Any, Any], Any]) -> None:
    held = make()

    assert root_path_of(hold(held, FALCON), "auto") == APART
    assert root_path_of(hold(held, None), "auto") == IN_PATH


@pytest.mark.parametrize("make", UNTOUCHABLE.values(), ids=UNTOUCHABLE.keys())
def test_an_app_is_not_touched_itself(make: Callable[[], Any]) -> None:
    app = make()

    assert root_path_of(app, "auto") == IN_PATH


def test_a_search_that_fails_leaves_the_app_as_asgi_has_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(app: Any) -> Any:
        raise LookupError("that was not foreseen")

    monkeypatch.setattr(root_path, "layers", fail)
    caplog.set_level(logging.DEBUG)

    assert root_path_of(FALCON, "auto") == IN_PATH
    assert "that was not foreseen" in caplog.text


def test_the_search_ends_in_an_app_of_many_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    helpers = 10_000
    looked: list[Any] = []
    monkeypatch.setattr(wrapping, "_may_be_app", looked.append)
    names: dict[str, Any] = {f"help_{number}": closure(number) for number in range(helpers)}
    exec("async def serve(scope, receive, send):\n    " + "\n    ".join(names), names)  # noqa: S102  # our own

    root_path_of(names["serve"], "auto")
    root_path_of(Holder("helpers", list(names.values())), "auto")

    assert len(looked) < helpers / 10


def test_a_framework_s_own_app_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapping, "_held_values", lambda app: pytest.fail("it was searched"))

    assert [root_path_of(app, "auto") for app in (FastAPI(), Starlette(), FALCON)] == [IN_PATH, IN_PATH, APART]


@pytest.mark.parametrize("said", [IN_PATH, APART, NONE])
def test_the_setting_decides_for_any_app(said: str) -> None:
    assert root_path_of(FALCON, said) == root_path_of(bare, said) == root_path_of(FastAPI(), said) == said


NAMES_SETTINGS = """
class Settings:
    def __getattr__(self, name):
        raise LookupError("the settings are not configured")

    @property
    def __class__(self):
        return self.of_another

    def __call__(self, *args):
        raise LookupError("the settings are not configured")


settings = Settings()


async def app(scope, receive, send):
    if scope["path"] == "/debug":
        settings.debug
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


class Middleware:
    def __init__(self, app):
        self.app, self.settings = app, settings

    def __call__(self, *args):
        return self.app(*args)


hidden = Middleware(app)
"""


@pytest.mark.parametrize("name", ["app", "hidden"])
def test_an_app_is_served_that_names_settings_nobody_has_configured(tmp_path: Path, name: str) -> None:
    (tmp_path / "main.py").write_text(NAMES_SETTINGS)

    with serving(f"main:{name}", {"AWS_LWA_LIFESPAN": "off"}, folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/").status == 204


TELLS = """
class {name}:
    async def __call__(self, scope, receive, send):
        body = "{{root_path}} {{path}} ".format(**scope).encode() + scope["raw_path"]
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": body}})
"""
MAIN = """
from {package} import {name}


class Middleware:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


app = Middleware({name}())
"""


@pytest.mark.parametrize(
    ("package", "name", "settings", "seen"),
    [
        pytest.param("falcon", "App", {}, "/st é /a/é /a/%C3%A9", id="apart"),
        pytest.param("asgi_tools", "App", {}, " /a/é /a/%C3%A9", id="none"),
        pytest.param("quart", "Quart", {}, "/st é /st é/a/é /st%20%C3%A9/a/%C3%A9", id="in path"),
        pytest.param("shop", "App", {"AWS_LWA_ROOT_PATH": "apart"}, "/st é /a/é /a/%C3%A9", id="apart, as it was said"),
        pytest.param("shop", "App", {"AWS_LWA_ROOT_PATH": "none"}, " /a/é /a/%C3%A9", id="none, as it was said"),
        pytest.param(
            "falcon",
            "App",
            {"AWS_LWA_ROOT_PATH": "in-path"},
            "/st é /st é/a/é /st%20%C3%A9/a/%C3%A9",
            id="in path, as it was said",
        ),
    ],
)
def test_the_app_finds_it_there(tmp_path: Path, package: str, name: str, settings: dict[str, str], seen: str) -> None:
    (tmp_path / f"{package}.py").write_text(TELLS.format(name=name))
    (tmp_path / "main.py").write_text(MAIN.format(package=package, name=name))

    with serving("main:app", settings, folder=tmp_path) as served, served.connect() as client:
        behind_it = client.ask("GET", "/a/%C3%A9", ("X-Forwarded-Prefix", "/st%20%C3%A9")).body
        alone = client.ask("GET", "/a/%C3%A9").body

    assert behind_it.decode() == seen
    assert alone.decode() == " /a/é /a/%C3%A9"


def test_a_wsgi_app_on_uvicorn_finds_it_in_script_name_whatever_is_said(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [f\"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}\".encode()]\n"
    )
    settings = {"AWS_LWA_SERVER": "uvicorn", "AWS_LWA_ROOT_PATH": "apart"}

    with serving("main:app", settings, folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/st/a", ("X-Forwarded-Prefix", "/st")).body == b"/st /st/a"


MICRODOT = """
class Microdot:
    def __call__(self, environ, start_response):
        start_response('200 OK', [])
        return [f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]

    wsgi_app = __call__
"""


@pytest.mark.parametrize("server", ["auto", "uvicorn"])
@pytest.mark.parametrize(
    ("package", "app", "setting", "seen"),
    [
        pytest.param("microdot", "Microdot()", "auto", b" /a", id="Microdot"),
        pytest.param("microdot", "type('Shop', (Microdot,), {})()", "auto", b" /a", id="a class of its"),
        pytest.param("microdot", "Microdot().wsgi_app", "auto", b" /a", id="its method"),
        pytest.param("microdot", "Microdot()", "in-path", b"/st /a", id="Microdot, as it was said"),
        pytest.param("shop", "Microdot()", "auto", b"/st /a", id="another"),
        pytest.param("shop", "Microdot()", "none", b" /a", id="another, as it was said"),
    ],
)
def test_a_wsgi_app_that_routes_on_script_name_too_gets_none(
    tmp_path: Path, package: str, app: str, setting: str, seen: bytes, server: str
) -> None:
    (tmp_path / f"{package}.py").write_text(MICRODOT)
    (tmp_path / "main.py").write_text(f"from {package} import Microdot\n\napp = {app}\n")
    settings = {"AWS_LWA_SERVER": server, "AWS_LWA_ROOT_PATH": setting}

    with serving("main:app", settings, folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/a", ("X-Forwarded-Prefix", "/st")).body == seen


class Delegating(Untouchable):
    __class__ = property(lambda self: self.missing)


class Holds:
    def __init__(self) -> None:
        self.app, self.others = Delegating(), [Untouchable()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Is not called here."""


def mentions(*others: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(others)

    return app


@pytest.mark.parametrize("make", [Untouchable, Delegating, Holds, lambda: mentions(Untouchable(), Delegating())])
def test_what_an_app_holds_is_not_made_to_do_anything(make: Callable[[], Any]) -> None:
    assert root_path_of(make(), "auto") == "in-path"


def test_functions_and_classes_without_a_module_are_looked_at_as_well() -> None:
    names: dict[str, Any] = {}
    exec("async def app(scope, receive, send): await helper(scope)", names)  # noqa: S102  # as a template engine does
    names["app"].__module__ = None
    nameless = type("Nameless", (Holds,), {"__module__": None})()

    assert root_path_of(names["app"], "auto") == root_path_of(nameless, "auto") == "in-path"
    assert detect_interface(names["app"]) == detect_interface(nameless) == "asgi"
