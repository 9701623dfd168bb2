"""Load the app: `main:app`, `main.app`, or what `discovery` finds; errors say what to do."""

from __future__ import annotations

import importlib
import inspect
import itertools
import logging
import os
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
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    # The arguments with which a factory is called, by position and by name; None if nothing was said about a call.
    Call = tuple[Sequence[Any], Mapping[str, Any]] | None

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
_FACTORY_PREFIXES = ("create_", "make_", "build_")
_HINT = "Name the app on the command line or in AWS_LWA_APP, for example main:app for `app` in main.py."


def load_app(name: str, folder: Path) -> Any:
    """Import the app and return it.

    Args:
        name: `module:attribute` or `module.attribute`; if that is a factory, it is called. Also any other form that
            `discovery` reads; if empty, the folder is searched.
        folder: the folder to put first on the module search path.

    Raises:
        AppNotFound: there is no such module or attribute, or it is no app; the message says what was tried.
        BaseException: anything that the app's own code raises during its import.
    """
    if not folder.is_dir():
        raise AppNotFound(f"There is no folder {folder}. Set --app-dir or AWS_LWA_APP_DIR to the folder of the app.")
    start_file.put_in_path(str(folder))
    target = _split(name)
    try:
        target = target or _discover(name, folder)
        return _load(*target, folder)
    except (ImportError, AttributeError) as error:
        from lambda_web_adapter.app.discovery import advice

        # The search itself may import the settings of a Django project.
        app = f"{target[0]}:{target[1] or 'app'}" if target else ""
        if text := advice.for_failed_import(error, app, folder):
            error.add_note(text)
        raise


def _split(name: str) -> tuple[str, str, Call] | None:
    """Return module, attribute and call of a name such as `main:app`; None if only `discovery` can read it."""
    module, separator, attribute = name.partition(":")
    if not separator:
        module, _, attribute = name.rpartition(".")
    is_file = module.endswith(".py") or (attribute == "py" and not separator)
    attribute, parentheses, rest = attribute.partition("()")
    parts = f"{module}.{attribute}".split(".")
    if is_file or rest or not all(part.isidentifier() for part in parts):
        return None
    return module, attribute, ((), {}) if parentheses else None


def _discover(name: str, folder: Path) -> tuple[str, str, Call]:
    from lambda_web_adapter.app.discovery import search  # most apps are named in full

    target, source = search.find(name, folder, os.environ)
    for each in target.folders:
        start_file.put_in_path(each)
    if source:
        app = f"{target.module}:{target.attribute}".removesuffix(":")
        logging.getLogger(__name__).info("No app was named. Found %s by %s.", app, source)
    return target.module, target.attribute, target.call


def _load(module_name: str, attribute: str, call: Call, folder: Path) -> Any:
    module = _import(module_name, folder)
    value: Any = module
    for part in attribute.split(".") if attribute else ():
        if not hasattr(value, part):
            from lambda_web_adapter.app.discovery import module_search

            value = module_search.submodule(module, attribute)
            break
        value = getattr(value, part)
    name = f"{module_name}:{attribute}"
    if issubclass(type(value), ModuleType):  # only a module was named, as `main` or as `package.main`
        from lambda_web_adapter.app.discovery import module_search

        app_name = module_search.find_name(value)
        name, value = f"{value.__name__}:{app_name}", getattr(value, app_name)
    return _call_factory(value, name, call)


def _import(name: str, folder: Path) -> ModuleType:
    """Return the module; raise AppNotFound only if the module itself is missing, not if an import in it fails."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise
        from lambda_web_adapter.app.discovery import advice

        raise AppNotFound(advice.for_missing_module(name, folder)) from None


def _call_factory(value: Any, name: str, call: Call = None) -> Any:
    """Return the app that a factory makes, or the value itself if it is no factory.

    A function without required arguments is a factory, since every app has some.
    """
    required = _required_names(value)
    if not call:
        is_routine = is_function(value) or type(value) is MethodType or _inspect(inspect.isroutine, value)
        if required and is_routine and _needs_arguments(name, required):
            raise AppNotFound(_factory_advice(name, required))
        if not is_routine or required is None or required:
            return value
    positional, keywords = call or ((), {})
    if required and len(required) > len(positional) + len(keywords):
        raise AppNotFound(_factory_advice(name, required))
    if is_coroutine_callable(value) or _inspect(inspect.iscoroutinefunction, value):
        raise AppNotFound(f"The factory {name} is async, but is called before there is an event loop. {_HINT}")
    app = value(*positional, **keywords)
    if not callable(app):
        raise AppNotFound(f"The factory {name} returned {_safe_repr(app)}, which is no app. {_HINT}")
    return app


def _needs_arguments(name: str, required: tuple[str, ...]) -> bool:
    """Return whether a function with required arguments is a factory by its name, and those are not an app's."""
    is_factory = name.rpartition(":")[2].startswith(_FACTORY_PREFIXES)
    return is_factory and required[0] not in ("environ", "env", "scope")


def _factory_advice(name: str, required: tuple[str, ...]) -> str:
    return (
        f"The factory {name} needs arguments: {', '.join(required)}. "
        f"Name it with literals, as in '{name}(\"…\")', or assign what it returns to a name and name that. {_HINT}"
    )


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
