"""Finding the app in a folder, and seeing what kind it is."""

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from werkzeug.local import LocalProxy

from lambda_web_adapter.app.discovery.frameworks import NAMES
from lambda_web_adapter.app.discovery.search import STEMS
from lambda_web_adapter.app.loader import detect_interface, load_app
from lambda_web_adapter.errors import AppNotFound

Write = Callable[[str, str], None]

APP = "def {}(environ, start_response): ...\n"
WSGI = APP.format("app")
LAZY = """
class Lazy:
    @property
    def __class__(self):
        raise RuntimeError("settings are not configured")

    def __call__(self): ...
"""


@pytest.fixture(autouse=True)
def _imports_are_undone(tmp_path: Path) -> Iterator[None]:
    """Each test imports modules of the same names from a folder of its own."""
    names = {"main", "app", "wsgi", "asgi", "shop"}
    path = sys.path.copy()
    taken = {name: sys.modules.pop(name) for name in names & sys.modules.keys()}
    yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if name in names or str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    sys.modules.update(taken)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(path: str, source: str) -> None:
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)

    return write


def name_of(app: Any) -> str:
    return f"{app.__module__}:{getattr(app, '__qualname__', repr(app))}"


@pytest.mark.parametrize("name", ["main:app", "main.app", "main"])
def test_an_app_in_a_module(write: Write, tmp_path: Path, name: str) -> None:
    write("main.py", WSGI)

    assert name_of(load_app(name, tmp_path)) == "main:app"


def test_a_name_of_ones_own(write: Write, tmp_path: Path) -> None:
    write("main.py", APP.format("site"))

    assert name_of(load_app("main:site", tmp_path)) == "main:site"


def test_an_app_inside_an_object_in_a_package(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "")
    write("shop/web.py", "class sites:\n    def front(environ, start_response): ...\n")

    assert name_of(load_app("shop.web:sites.front", tmp_path)) == "shop.web:sites.front"


@pytest.mark.parametrize("name", ["shop.web:app", "shop.web.app"])
def test_an_app_in_a_package(write: Write, tmp_path: Path, name: str) -> None:
    write("shop/__init__.py", "")
    write("shop/web.py", WSGI)

    assert name_of(load_app(name, tmp_path)) == "shop.web:app"


def test_the_folder_is_searched_first(write: Write, tmp_path: Path) -> None:
    write("main.py", WSGI)

    load_app("main", tmp_path)
    load_app("main", tmp_path)

    assert sys.path[0] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1


@pytest.mark.parametrize("name", ["main:create_app", "main:create_app()", "main.create_app", "main"])
def test_a_factory_is_called(write: Write, tmp_path: Path, name: str) -> None:
    write("main.py", "def create_app(debug=False):\n    def made(environ, start_response): ...\n    return made\n")

    assert load_app(name, tmp_path).__name__ == "made"


def test_a_factory_that_is_called_by_name_may_be_any_callable(write: Write, tmp_path: Path) -> None:
    write("main.py", f"import functools\n{WSGI}\nmake = functools.partial(lambda made: made, app)\n")

    assert name_of(load_app("main:make()", tmp_path)) == "main:app"


@pytest.mark.parametrize("made", ["None", "42", "'app'"])
def test_a_factory_that_makes_no_app(write: Write, tmp_path: Path, made: str) -> None:
    write("main.py", f"def create_app(): return {made}\n")

    with pytest.raises(AppNotFound, match=rf"main:create_app returned {made}"):
        load_app("main:create_app", tmp_path)


def test_an_async_factory_makes_no_app(write: Write, tmp_path: Path) -> None:
    write("main.py", "async def create_app(): ...\n")

    with pytest.raises(AppNotFound, match="main:create_app"):
        load_app("main:create_app", tmp_path)


def test_a_factory_that_needs_arguments_cannot_be_called(write: Write, tmp_path: Path) -> None:
    write("main.py", "def create_app(config, debug): ...\n")

    with pytest.raises(AppNotFound, match=r"main:create_app.* arguments"):
        load_app("main:create_app()", tmp_path)


def test_a_factory_that_needs_an_argument_is_no_app(write: Write, tmp_path: Path) -> None:
    write("main.py", "def create_app(config): ...\n")

    with pytest.raises(AppNotFound, match="create_app"):
        detect_interface(load_app("main:create_app", tmp_path))


@pytest.mark.parametrize("name", ["main:create_app().site", "main:create_app()()"])
def test_nothing_may_follow_a_call(write: Write, tmp_path: Path, name: str) -> None:
    write("main.py", "def create_app():\n    def made(environ, start_response): ...\n    return made\n")

    with pytest.raises(AppNotFound, match="main:app"):
        load_app(name, tmp_path)


def test_an_exception_in_a_factory_comes_out_as_itself(write: Write, tmp_path: Path) -> None:
    write("main.py", "def create_app(): raise LookupError('no database')\n")

    with pytest.raises(LookupError, match="no database"):
        load_app("main:create_app", tmp_path)


@pytest.mark.parametrize("module", STEMS)
@pytest.mark.parametrize("name", ["app", "application"])
def test_discovery(write: Write, tmp_path: Path, module: str, name: str) -> None:
    write(f"{module}.py", APP.format(name))

    assert name_of(load_app("", tmp_path)) == f"{module}:{name}"


def test_discovery_of_a_factory(write: Write, tmp_path: Path) -> None:
    write("wsgi.py", "def create_app():\n    def made(environ, start_response): ...\n    return made\n")

    assert load_app("", tmp_path).__name__ == "made"


def test_discovery_in_a_package(write: Write, tmp_path: Path) -> None:
    write("app/__init__.py", WSGI)

    assert name_of(load_app("", tmp_path)) == "app:app"


@pytest.mark.parametrize("first", range(len(STEMS)))
def test_discovery_takes_the_first_module(write: Write, tmp_path: Path, first: int) -> None:
    for module in STEMS[first:]:
        write(f"{module}.py", WSGI)

    assert name_of(load_app("", tmp_path)) == f"{STEMS[first]}:app"


@pytest.mark.parametrize("first", range(len(NAMES)))
def test_discovery_takes_the_first_name(write: Write, tmp_path: Path, first: int) -> None:
    write("main.py", "".join(APP.format(name) for name in reversed(NAMES[first:])))

    assert name_of(load_app("", tmp_path)) == f"main:{NAMES[first]}"


def test_nothing_to_discover(write: Write, tmp_path: Path) -> None:
    write("shop.py", WSGI)

    with pytest.raises(AppNotFound) as caught:
        load_app("", tmp_path)

    assert str(tmp_path) in str(caught.value)
    assert "none in main.py, app.py, api.py, wsgi.py, asgi.py" in str(caught.value)
    assert "Apps there: shop:app." in str(caught.value)
    assert "AWS_LWA_APP" in str(caught.value)


def test_a_discovered_module_without_an_app(write: Write, tmp_path: Path) -> None:
    write("main.py", "api = 1\n")

    with pytest.raises(
        AppNotFound, match="Module 'main' has none of app, application, api, server, create_app, make_app"
    ):
        load_app("", tmp_path)


@pytest.mark.parametrize("name", ["shop:app", "shop.app", "shop", "shop.web:app"])
def test_a_module_that_is_not_there(write: Write, tmp_path: Path, name: str) -> None:
    write("main.py", WSGI)
    write("other.py", WSGI)

    with pytest.raises(AppNotFound, match=r"There is no module 'shop.*Modules there: main, other\.") as caught:
        load_app(name, tmp_path)

    assert str(tmp_path) in str(caught.value)


def test_a_module_that_is_not_in_its_package(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "")

    with pytest.raises(AppNotFound, match=r"There is no module 'shop\.web'"):
        load_app("shop.web:app", tmp_path)


def test_a_module_that_is_not_there_in_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(AppNotFound, match="There are no modules there"):
        load_app("main:app", tmp_path)


def test_a_module_that_is_not_there_among_many(write: Write, tmp_path: Path) -> None:
    for number in range(12):
        write(f"module_{number:02}.py", "")

    with pytest.raises(AppNotFound) as caught:
        load_app("main:app", tmp_path)

    assert "module_09." in str(caught.value)
    assert "module_10" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["../main:app", ":app", "main:", "main:()", ".app", "..", "main:app + 1", "main:create_app(app)", "main:app:app"],
)
def test_what_is_no_name_of_an_app(write: Write, tmp_path: Path, name: str) -> None:
    write("main.py", WSGI)

    with pytest.raises(AppNotFound, match="main:app"):
        load_app(name, tmp_path)


@pytest.mark.parametrize("name", ["main:site", "main.site", "main:app.site", "main:site.app"])
def test_an_attribute_that_is_not_there(write: Write, tmp_path: Path, name: str) -> None:
    write("main.py", WSGI)

    with pytest.raises(AppNotFound, match=r"Module 'main' has no attribute '(site|app\.site|site\.app)'"):
        load_app(name, tmp_path)


@pytest.mark.parametrize("name", ["main:app", "main.app"])
def test_a_missing_attribute_comes_with_what_may_be_meant(write: Write, tmp_path: Path, name: str) -> None:
    write("main.py", "from flask import Flask\napi = Flask('main')\n_private = Flask('main')\nNUMBER = 1\n")

    with pytest.raises(AppNotFound, match="It has api, which may be what you mean"):
        load_app(name, tmp_path)


def test_what_may_be_meant_is_an_app_and_not_just_callable(write: Write, tmp_path: Path) -> None:
    write("main.py", "from typing import Optional\nfrom flask import Flask, g, request, session\napi = Flask('main')\n")

    with pytest.raises(AppNotFound, match="It has api, which may be what you mean"):
        load_app("main:app", tmp_path)


def test_what_may_be_meant_is_not_looked_at_more_than_needed(write: Write, tmp_path: Path) -> None:
    write("main.py", f"{LAZY}\nfrom flask import Flask\nsettings = Lazy()\napi = Flask('main')\n")

    with pytest.raises(AppNotFound, match="It has api, which may be what you mean"):
        load_app("main:app", tmp_path)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        pytest.param("import no_such_module_anywhere", ModuleNotFoundError, id="another module is missing"),
        pytest.param("from json import no_such_name", ImportError, id="a name is missing"),
        pytest.param("import shop.nothing", ModuleNotFoundError, id="another module of the package is missing"),
        pytest.param("def app(:", SyntaxError, id="syntax"),
        pytest.param("raise ValueError('no database')", ValueError, id="exception"),
        pytest.param("import sys\nsys.exit(3)", SystemExit, id="exit"),
    ],
)
def test_what_the_module_raises_comes_out_as_itself(
    write: Write, tmp_path: Path, source: str, error: type[BaseException]
) -> None:
    write("shop/__init__.py", "")
    write("shop/web.py", source)

    with pytest.raises(error) as caught:
        load_app("shop.web:app", tmp_path)

    assert not isinstance(caught.value, AppNotFound)


# What kind of app it is.


def wsgi_function(environ: object, start_response: object) -> None: ...


def wsgi_function_with_options(
    environ: object, start_response: object, debug: bool = False, *, more: int = 0
) -> None: ...


async def asgi_function(scope: object, receive: object, send: object) -> None: ...


def asgi_function_without_async(scope: object, receive: object, send: object) -> None: ...


def asgi2_function(scope: object) -> None: ...


def takes_anything(*args: object, **kwargs: object) -> None: ...


def takes_one_more(first: object, environ: object, start_response: object) -> None: ...


async def async_takes_one_more(first: object, scope: object, receive: object, send: object) -> None: ...


class WsgiObject:
    def __call__(self, environ: object, start_response: object) -> None: ...

    def method(self, environ: object, start_response: object) -> None: ...


class AsgiObject:
    async def __call__(self, scope: object, receive: object, send: object) -> None: ...


class AsgiObjectOfAnything:
    async def __call__(self, *args: object) -> None: ...


class AsgiObjectWithoutAsync:
    def __call__(self, scope: object, receive: object, send: object) -> None: ...


class WsgiClass:
    """An app is made for each request, and iterated over (PEP 3333)."""

    def __init__(self, environ: object, start_response: object) -> None: ...


class AsgiClass:
    def __init__(self, scope: object, receive: object, send: object) -> None: ...


class Asgi2Class:
    def __init__(self, scope: object) -> None: ...

    async def __call__(self, receive: object, send: object) -> None: ...


class Hiding:
    """It hides how it is called, as Dash does."""

    def __init__(self, server: object = None) -> None:
        self.server = server

    def __call__(self, *args: object, **kwargs: object) -> None: ...


class HidingDecorator(Hiding):
    """It makes an app of a function that is called in another way, as WebOb does."""

    def __init__(self, function: Callable[..., object]) -> None:
        functools.update_wrapper(self, function)

    def __get__(self, owner: object, kind: object = None) -> object:
        return self


class HidingFastApi(FastAPI):
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


def decorated(function: Callable[..., object]) -> Callable[..., object]:
    def wrapper(*args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    return wrapper


def of_server(package: str, name: str) -> Any:
    """An app of a class that has the name of a framework's."""
    return type(name, (), {"__module__": f"{package}.web", "__call__": lambda self, *args: self})()


class Lazy:
    """It raises when it is looked at, as settings do that nobody has configured."""

    @property  # type: ignore[misc]  # that it cannot be read is the case
    def __class__(self) -> Any:
        raise RuntimeError("settings are not configured")

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class LazyOfAnything(Lazy):
    def __call__(self, *args: object, **kwargs: object) -> None: ...


class LazyWsgi(Lazy):
    def __call__(self, environ: object, start_response: object) -> None: ...


class LazyAsgi(Lazy):
    async def __call__(self, *args: object) -> None: ...


def without_module(function: Any) -> Any:
    return types.FunctionType(function.__code__, {})


@functools.wraps(wsgi_function)
def wrapped(*args: object, **kwargs: object) -> None: ...


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        pytest.param(wsgi_function, "wsgi", id="WSGI function"),
        pytest.param(wsgi_function_with_options, "wsgi", id="WSGI function with options"),
        pytest.param(WsgiObject(), "wsgi", id="WSGI object"),
        pytest.param(WsgiObject().method, "wsgi", id="WSGI method"),
        pytest.param(WsgiClass, "wsgi", id="WSGI class"),
        pytest.param(wrapped, "wsgi", id="wrapped WSGI function"),
        pytest.param(functools.partial(takes_one_more, 1), "wsgi", id="partial WSGI function"),
        pytest.param(Flask("main"), "wsgi", id="Flask"),
        pytest.param(takes_anything, "wsgi", id="function that takes anything"),
        pytest.param(Hiding(), "wsgi", id="object that takes anything"),
        pytest.param(Hiding(Flask("main")), "wsgi", id="object around Flask"),
        pytest.param(HidingDecorator(lambda request: request), "wsgi", id="decorated function of one argument"),
        pytest.param(Hiding(Hiding(Flask("main"))), "wsgi", id="object around an object around Flask"),
        pytest.param(decorated(wsgi_function), "wsgi", id="decorated WSGI function"),
        pytest.param(Hiding(FastAPI()), "asgi", id="object around FastAPI"),
        pytest.param(HidingFastApi(), "asgi", id="FastAPI that hides its call"),
        pytest.param(decorated(asgi_function), "asgi", id="decorated ASGI function"),
        pytest.param(asgi_function, "asgi", id="ASGI function"),
        pytest.param(asgi_function_without_async, "asgi", id="ASGI function without async"),
        pytest.param(AsgiObject(), "asgi", id="ASGI object"),
        pytest.param(AsgiObjectOfAnything(), "asgi", id="ASGI object that takes anything"),
        pytest.param(AsgiObjectWithoutAsync(), "asgi", id="ASGI object without async"),
        pytest.param(AsgiClass, "asgi", id="ASGI class"),
        pytest.param(functools.partial(async_takes_one_more, 1), "asgi", id="partial ASGI function"),
        pytest.param(FastAPI(), "asgi", id="FastAPI"),
        pytest.param(Starlette(), "asgi", id="Starlette"),
        pytest.param(asgi2_function, "asgi2", id="ASGI 2 function"),
        pytest.param(Asgi2Class, "asgi2", id="ASGI 2 class"),
        pytest.param(functools.cache(asgi_function_without_async), "asgi", id="C code around an ASGI function"),
        pytest.param(without_module(wsgi_function), "wsgi", id="WSGI function without module"),
        pytest.param(type("Lone", (WsgiObject,), {"__module__": None})(), "wsgi", id="WSGI object without module"),
    ],
)
def test_the_kind_is_seen(app: object, kind: str) -> None:
    assert detect_interface(app) == kind


# Made in the test, since pytest looks at parameters.
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        pytest.param(LazyOfAnything, "wsgi", id="that takes anything"),
        pytest.param(LazyWsgi, "wsgi", id="WSGI"),
        pytest.param(LazyAsgi, "asgi", id="ASGI"),
        pytest.param(lambda: Hiding(LazyOfAnything()), "wsgi", id="in an object"),
        pytest.param(lambda: Hiding(LazyAsgi()), "asgi", id="ASGI, in an object"),
    ],
)
def test_the_kind_is_seen_without_a_look_at_lazy_attributes(make: Callable[[], object], kind: str) -> None:
    app = make()

    assert detect_interface(app) == kind


@pytest.mark.parametrize(
    ("app", "text"),
    [
        pytest.param(None, "None is neither .* cannot be called", id="None"),
        pytest.param(sys, "module 'sys'.* cannot be called", id="module"),
        pytest.param(lambda: None, r"AWS_LWA_INTERFACE", id="function that takes nothing"),
        pytest.param(lambda a, b, c, d: None, r"AWS_LWA_INTERFACE", id="function that takes too much"),
        pytest.param(iter, r"AWS_LWA_INTERFACE", id="builtin function"),
        pytest.param(dict, "class dict is no app; name an instance", id="builtin class"),
        pytest.param(FastAPI, "class FastAPI is no app; name an instance", id="class that takes options"),
        pytest.param(WsgiObject, "class WsgiObject is no app; name an instance", id="class that takes nothing"),
    ],
)
def test_what_is_no_app_as_far_as_can_be_seen(app: object, text: str) -> None:
    with pytest.raises(AppNotFound, match=text):
        detect_interface(app)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the mark is of Python 3.12")
def test_a_function_that_is_marked_as_asynchronous_is_an_asgi_app() -> None:
    def marked(*args: object) -> None: ...

    assert detect_interface(vars(inspect)["markcoroutinefunction"](marked)) == "asgi"


def test_a_proxy_for_what_is_not_there_is_no_app() -> None:
    app: Any = LocalProxy(lambda: Lazy().app)

    with pytest.raises(AppNotFound, match="AWS_LWA_INTERFACE"):
        detect_interface(app)


@pytest.mark.parametrize(
    ("package", "name", "advice"),
    [
        ("aiohttp", "Application", "lambda-web-adapter -- python -m main, .*run_app"),
        ("tornado", "Application", "lambda-web-adapter -- python -m main, .*listen"),
        ("robyn", "Robyn", "lambda-web-adapter -- python -m main, .*start"),
        ("gradio", "Interface", "mount_gradio_app"),
        ("fastmcp", "FastMCP", "http_app"),
    ],
)
def test_an_app_with_a_server_of_its_own_comes_with_what_to_do(package: str, name: str, advice: str) -> None:
    base = of_server(package, "Blocks" if package == "gradio" else name)

    with pytest.raises(AppNotFound, match=advice):
        detect_interface(type(name, (type(base),), {})())


@pytest.mark.parametrize("said", ["wsgi", "asgi"])
def test_the_kind_can_be_said(said: str) -> None:
    assert detect_interface(takes_anything, said) == said


def test_what_cannot_be_called_is_no_app_whatever_is_said() -> None:
    with pytest.raises(AppNotFound, match="cannot be called"):
        detect_interface(42, "wsgi")
