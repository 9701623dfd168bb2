"""Find the app: `main:app`, `main.app`, or the app in the current folder; errors say what to do."""

from __future__ import annotations

import importlib
import inspect
import itertools
import sys
from operator import attrgetter
from pathlib import Path
from types import MethodType, ModuleType
from typing import TYPE_CHECKING

from lambda_web_adapter.app.middleware import (
    calls_of,
    has_varargs,
    is_class,
    is_coroutine_callable,
    is_function,
    is_opaque,
    layers,
    names_of,
    required_arguments,
    required_names,
)
from lambda_web_adapter.errors import AppNotFound
from lambda_web_adapter.ipc import start_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MODULES = ("main", "app", "wsgi", "asgi")
NAMES = ("app", "application", "create_app")
_COMMAND = "Run it as an external command: lambda-web-adapter -- python -m {module}, where {module} ends with "
# What to do with apps that only an external command can serve, or that have to be wrapped, by package and class.
_SERVERS = {
    ("aiohttp", "Application"): _COMMAND + '`web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))`.',
    ("tornado", "Application"): _COMMAND
    + '`app.listen(int(os.environ["PORT"]), "127.0.0.1")` and `await asyncio.Event().wait()` in an async function.',
    ("robyn", "Robyn"): _COMMAND + '`app.start(host="127.0.0.1", port=int(os.environ["PORT"]))`.',
    ("gradio", "Blocks"): 'Mount it: `app = gradio.mount_gradio_app(FastAPI(), demo, path="/")`.',
    ("fastmcp", "FastMCP"): "Name what serves it: `app = mcp.http_app(stateless_http=True)`.",
    ("mcp", "FastMCP"): "Name what serves it: `app = mcp.streamable_http_app()`.",
    ("mcp", "MCPServer"): "Name what serves it: `app = mcp.streamable_http_app()`.",
}
_INTERFACES = {3: "asgi", 2: "wsgi", 1: "asgi2"}  # by the number of arguments that an app takes
_HINT = "Name the app on the command line or in AWS_LWA_APP, for example main:app for `app` in main.py."


def load_app(name: str, folder: Path) -> Any:
    """Import the app and return it.

    Args:
        name: `module:attribute` or `module.attribute`; if that is a factory, it is called without arguments. If empty,
            the first of `MODULES` that exists is taken, and the first of `NAMES` in it.
        folder: the folder to put first on the module search path.

    Raises:
        AppNotFound: there is no such module or attribute, or it is no app; the message says what was tried.
        BaseException: anything that the app's own code raises during its import.
    """
    start_file.put_in_path(str(folder))
    if name:
        return _load_named(name, folder)
    return _discover(folder)


def _load_named(name: str, folder: Path) -> Any:
    module_name, separator, attribute = name.partition(":")
    if not separator and "." in name:
        module_name, separator, attribute = name.rpartition(".")
    attribute, parentheses, rest = attribute.partition("()")
    if rest or not module_name or module_name.startswith(".") or "/" in module_name or (separator and not attribute):
        raise AppNotFound(f"{name!r} does not name an app. {_HINT}")
    module = _import(module_name, folder)
    if not separator:
        return _find_in_module(module)
    value: Any = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            raise AppNotFound(f"Module {module_name!r} has no attribute {attribute!r}.{_suggest(module)} {_HINT}")
        value = getattr(value, part)
    return _call_factory(value, f"{module_name}:{attribute}", must_call=bool(parentheses))


def _find_in_module(module: ModuleType) -> Any:
    for name in NAMES:
        if hasattr(module, name):
            return _call_factory(getattr(module, name), f"{module.__name__}:{name}")
    raise AppNotFound(f"Module {module.__name__!r} has none of {', '.join(NAMES)}.{_suggest(module)} {_HINT}")


def _discover(folder: Path) -> Any:
    for name in MODULES:
        if (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists():
            return _find_in_module(_import(name, folder))
    candidates = ", ".join(f"{name}.py" for name in MODULES)
    raise AppNotFound(f"No app was named, and {folder} has none of {candidates}. {_HINT}")


def _import(name: str, folder: Path) -> ModuleType:
    """Return the module; raise AppNotFound only if the module itself is missing, not if an import in it fails."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise
        modules = sorted(path.stem for path in folder.glob("*.py"))
        existing = f"Modules there: {', '.join(modules[:10])}." if modules else "There are no modules there."
        raise AppNotFound(f"There is no module {name!r} in {folder}. {existing} {_HINT}") from None


def _suggest(module: ModuleType) -> str:
    """Return a hint at what looks like an app in a module; empty if nothing looks like one."""
    names = [name for name, value in vars(module).items() if not name.startswith("_") and _looks_like_app(value)]
    return f" It has {', '.join(names[:5])}, which may be what you mean." if names else ""


def _looks_like_app(value: Any) -> bool:
    if is_class(value) or is_function(value) or type(value) is MethodType or not callable(value):
        return False
    return is_coroutine_callable(value) or required_arguments(value) in (2, 3)


def _call_factory(value: Any, name: str, *, must_call: bool = False) -> Any:
    """Return the app that a factory makes, or the value itself if it is no factory.

    A function without required arguments is a factory, since every app has some.
    """
    required = _required_names(value)
    is_routine = is_function(value) or type(value) is MethodType or _inspect(inspect.isroutine, value)
    if not must_call and (not is_routine or required is None or required):
        return value
    if required:
        raise AppNotFound(f"The factory {name} needs {len(required)} arguments, but is called without any. {_HINT}")
    if is_coroutine_callable(value) or _inspect(inspect.iscoroutinefunction, value):
        raise AppNotFound(f"The factory {name} is async, but is called before there is an event loop. {_HINT}")
    app = value()
    if not callable(app):
        raise AppNotFound(f"The factory {name} returned {_safe_repr(app)}, which is no app. {_HINT}")
    return app


def detect_interface(app: Any, interface: str = "auto") -> str:
    """Return the interface of an app.

    Args:
        app: the app, or an object that is none.
        interface: the user's setting; `auto` detects the interface.

    Returns:
        `asgi`, `asgi2` (called twice for each request, as before ASGI 3), or `wsgi`.

    Raises:
        AppNotFound: the object is no app.
    """
    if not callable(app):
        raise AppNotFound(f"{_safe_repr(app)} is neither a WSGI nor an ASGI app: it cannot be called. {_HINT}")
    if interface != "auto":
        return interface
    _reject_servers(app)
    if is_class(app):
        return _interface_of_class(app)
    app = _unwrap(app)
    if is_coroutine_callable(app) or _inspect(inspect.iscoroutinefunction, app):
        return "asgi"
    required = _required_names(app) or ()
    detected = _INTERFACES.get(len(required))
    if detected == "asgi2" and "scope" not in required:
        detected = None  # more likely a factory that needs an argument than an ASGI 2 app
    if detected is None and has_varargs(app):
        detected = _interface_within(app)
    if detected is None:
        raise AppNotFound(
            f"{_safe_repr(app)} is neither a WSGI nor an ASGI app as far as can be seen: a WSGI app takes "
            "(environ, start_response), an ASGI app (scope, receive, send). If it is one, set AWS_LWA_INTERFACE to "
            "wsgi or asgi."
        )
    return detected


def _unwrap(app: Any) -> Any:
    """Return the object behind a C wrapper, such as a tracer's proxy or a function's cache; else the app itself."""
    wrapped = _inspect(attrgetter("__wrapped__"), app)
    return app if wrapped is None else wrapped


def _required_names(app: Any) -> tuple[str, ...] | None:
    """Return the names of the app's required arguments; None if it takes any number, or the names cannot be seen."""
    names = required_names(app)
    return _inspect(_names_in_signature, app) if names is None else names


def _names_in_signature(app: Any) -> tuple[str, ...] | None:
    parameters = inspect.signature(app).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(each.name for each in parameters if each.kind in positional and each.default is each.empty)


def _inspect(function: Callable[[Any], Any], app: Any) -> Any:
    """Return the result of a function that may run an opaque app's own code, such as `inspect.signature`, or None."""
    if not is_opaque(app):
        return None
    try:
        return function(app)
    except Exception:  # noqa: BLE001  # a proxy raises what its object raises
        return None


def _interface_within(app: Any) -> str:
    """Return the interface of an app that takes any arguments, as Dash does: WSGI unless an ASGI app is within."""
    if any(is_coroutine_callable(call) or required_arguments(call) == 4 for call in calls_of(app)):  # with `self`
        return "asgi"
    for layer in itertools.islice(layers(app), 1, None):
        if any(is_coroutine_callable(each) and required_arguments(each) in (3, None) for each in layer):
            return "asgi"
        if any(required_arguments(each) == 2 for each in layer):
            break
    return "wsgi"


def _safe_repr(value: Any) -> str:
    try:
        return repr(value)[:100]
    except Exception:  # noqa: BLE001  # an app's own `__repr__` may raise anything, and must not hide our message
        return object.__repr__(value)


def _reject_servers(app: Any) -> None:
    """Raise AppNotFound, which says what to do instead, if the app is one of `_SERVERS`."""
    for package, name in names_of(app):
        advice = _SERVERS.get((package, name))
        if advice:
            module = next((key for key, each in list(sys.modules.items()) if _holds(each, app)), "main")
            module = module if module != "__main__" else "main"
            raise AppNotFound(f"An app of {package} is neither a WSGI nor an ASGI app. {advice.format(module=module)}")


def _holds(module: Any, app: Any) -> bool:
    if not issubclass(type(module), ModuleType):
        return False
    namespace = vars(ModuleType)["__dict__"].__get__(module)  # `vars(module)` would trigger lazy imports
    return any(value is app for value in list(namespace.values()))


def _interface_of_class(app: type) -> str:
    """Return the interface of a class that is an app, since its constructor takes an app's arguments."""
    interface = _INTERFACES.get(len(_required_names(app) or ()))
    if interface is None:
        raise AppNotFound(f"The class {app.__name__} is no app; name an instance of it. {_HINT}")
    return interface
