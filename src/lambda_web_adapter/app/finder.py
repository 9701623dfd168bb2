"""Finding the app: `main:app`, `main.app`, or whatever app the folder holds; with errors that say what to do."""

from __future__ import annotations

import importlib
import inspect
import itertools
import sys
from operator import attrgetter
from pathlib import Path
from types import MethodType, ModuleType

from lambda_web_adapter.app.wrapping import (
    calls_of,
    is_class,
    is_coroutine_callable,
    is_function,
    is_opaque,
    layers,
    names_of,
    required_arguments,
    required_names,
    takes_anything,
)
from lambda_web_adapter.errors import AppNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MODULES = ("main", "app", "wsgi", "asgi")
NAMES = ("app", "application", "create_app")
_COMMAND = "Run it as a command: lambda-web-adapter -- python -m {module}, where {module} ends with "
# Apps that bring a server of their own, by package and class.
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
_KINDS = {3: "asgi", 2: "wsgi", 1: "asgi2"}  # by the number of arguments that an app takes
_HOW = "Name the app on the command line or in AWS_LWA_APP, for example main:app for `app` in main.py."


def find_app(name: str, folder: Path) -> Any:
    """Imports the app.

    Args:
        name: `module:attribute` or `module.attribute`; a factory, which takes no arguments, is called. Empty: the
            first of `MODULES` that is there, and the first of `NAMES` in it.
        folder: where to look for modules, besides the usual places.

    Raises:
        AppNotFound: there is no such module or attribute, or it is no app; the text says what was tried.
        BaseException: whatever the app's own code raises while it is imported is raised as it is.
    """
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    if name:
        return _named(name, folder)
    return _discovered(folder)


def _named(name: str, folder: Path) -> Any:
    module_name, separator, attribute = name.partition(":")
    if not separator and "." in name:
        module_name, separator, attribute = name.rpartition(".")
    attribute, called, behind = attribute.partition("()")
    if behind or not module_name or module_name.startswith(".") or "/" in module_name or (separator and not attribute):
        raise AppNotFound(f"{name!r} does not name an app. {_HOW}")
    module = _import(module_name, folder)
    if not separator:
        return _in_module(module)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise AppNotFound(f"Module {module_name!r} has no attribute {attribute!r}.{_instead(module)} {_HOW}")
        found = getattr(found, part)
    return _made(found, f"{module_name}:{attribute}", called=bool(called))


def _in_module(module: ModuleType) -> Any:
    for name in NAMES:
        if hasattr(module, name):
            return _made(getattr(module, name), f"{module.__name__}:{name}")
    raise AppNotFound(f"Module {module.__name__!r} has none of {', '.join(NAMES)}.{_instead(module)} {_HOW}")


def _discovered(folder: Path) -> Any:
    for name in MODULES:
        if (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists():
            return _in_module(_import(name, folder))
    looked = ", ".join(f"{name}.py" for name in MODULES)
    raise AppNotFound(f"No app was named, and {folder} has none of {looked}. {_HOW}")


def _import(name: str, folder: Path) -> ModuleType:
    """Imports a module; only if the module itself is missing is that our error, else it is the app's own."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise
        modules = sorted(path.stem for path in folder.glob("*.py"))
        here = f"Modules there: {', '.join(modules[:10])}." if modules else "There are no modules there."
        raise AppNotFound(f"There is no module {name!r} in {folder}. {here} {_HOW}") from None


def _instead(module: ModuleType) -> str:
    """Names what in a module looks like an app."""
    found = [name for name, value in vars(module).items() if not name.startswith("_") and _looks_like_app(value)]
    return f" It has {', '.join(found[:5])}, which may be what you mean." if found else ""


def _looks_like_app(value: Any) -> bool:
    if is_class(value) or is_function(value) or type(value) is MethodType or not callable(value):
        return False
    return is_coroutine_callable(value) or required_arguments(value) in (2, 3)


def _made(found: Any, name: str, *, called: bool = False) -> Any:
    """Calls a factory: a function that needs no arguments cannot be an app, since each kind of app takes some."""
    needed = _required_names(found)
    routine = is_function(found) or type(found) is MethodType or _ask(inspect.isroutine, found)
    if not called and (not routine or needed is None or needed):
        return found
    if needed:
        raise AppNotFound(f"The factory {name} needs {len(needed)} arguments, but is called without any. {_HOW}")
    if is_coroutine_callable(found) or _ask(inspect.iscoroutinefunction, found):
        raise AppNotFound(f"The factory {name} is async, but is called before there is an event loop. {_HOW}")
    made = found()
    if not callable(made):
        raise AppNotFound(f"The factory {name} returned {_shown(made)}, which is no app. {_HOW}")
    return made


def interface_of(app: Any, interface: str = "auto") -> str:
    """Says what kind of app an object is.

    Args:
        app: the object.
        interface: the kind, when the user said it; `auto` looks.

    Returns:
        `asgi`, `asgi2` (an app of two calls, before ASGI 3), or `wsgi`.

    Raises:
        AppNotFound: it is neither.
    """
    if not callable(app):
        raise AppNotFound(f"{_shown(app)} is neither a WSGI nor an ASGI app: it cannot be called. {_HOW}")
    if interface != "auto":
        return interface
    _refuse_servers(app)
    if is_class(app):
        return _interface_of_class(app)
    app = _unwrapped(app)
    if is_coroutine_callable(app) or _ask(inspect.iscoroutinefunction, app):
        return "asgi"
    needed = _required_names(app) or ()
    kind = _KINDS.get(len(needed))
    if kind == "asgi2" and "scope" not in needed:
        kind = None  # a factory that needs an argument, more likely than an app of the old kind
    if kind is None and takes_anything(app):
        kind = _kind_within(app)
    if kind is None:
        raise AppNotFound(
            f"{_shown(app)} is neither a WSGI nor an ASGI app as far as can be seen: a WSGI app takes "
            "(environ, start_response), an ASGI app (scope, receive, send). If it is one, say which: "
            "set AWS_LWA_INTERFACE to wsgi or asgi."
        )
    return kind


def _unwrapped(app: Any) -> Any:
    """Return what C code stands for, such as a tracer's proxy or a cache around a function; else the app itself."""
    wrapped = _ask(attrgetter("__wrapped__"), app)
    return app if wrapped is None else wrapped


def _required_names(app: Any) -> tuple[str, ...] | None:
    """Return the names of the arguments that the app needs; None if it takes any number, or does not say."""
    names = required_names(app)
    return _ask(_names_in_signature, app) if names is None else names


def _names_in_signature(app: Any) -> tuple[str, ...] | None:
    parameters = inspect.signature(app).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(each.name for each in parameters if each.kind in positional and each.default is each.empty)


def _ask(question: Callable[[Any], Any], app: Any) -> Any:
    """Ask the app itself, if nothing else can be seen of it; a proxy may raise anything then."""
    if not is_opaque(app):
        return None
    try:
        return question(app)
    except Exception:  # noqa: BLE001  # a proxy raises what its target does; then nothing is known
        return None


def _kind_within(app: Any) -> str:
    """Return the kind of an app that hides how it is called, as Dash does: WSGI, unless it holds an ASGI app."""
    if any(is_coroutine_callable(call) or required_arguments(call) == 4 for call in calls_of(app)):  # `self` is one
        return "asgi"
    for layer in itertools.islice(layers(app), 1, None):
        if any(is_coroutine_callable(each) and required_arguments(each) in (3, None) for each in layer):
            return "asgi"
        if any(required_arguments(each) == 2 for each in layer):
            break
    return "wsgi"


def _shown(value: Any) -> str:
    try:
        return repr(value)[:100]
    except Exception:  # noqa: BLE001  # an app's own `__repr__` may raise anything, and must not hide our message
        return object.__repr__(value)


def _refuse_servers(app: Any) -> None:
    """Say what to do with apps that bring a server of their own.

    Raises:
        AppNotFound: this is one.
    """
    for package, name in names_of(app):
        advice = _SERVERS.get((package, name))
        if advice:
            module = next((key for key, each in list(sys.modules.items()) if _holds(each, app)), "main")
            module = module if module != "__main__" else "main"
            raise AppNotFound(f"An app of {package} is neither a WSGI nor an ASGI app. {advice.format(module=module)}")


def _holds(module: Any, app: Any) -> bool:
    if not issubclass(type(module), ModuleType):
        return False
    namespace = vars(ModuleType)["__dict__"].__get__(module)  # past modules that are imported when they are looked at
    return any(value is app for value in list(namespace.values()))


def _interface_of_class(app: type) -> str:
    """A class is an app if its instances are made with what an app is called with."""
    kind = _KINDS.get(len(_required_names(app) or ()))
    if kind is None:
        raise AppNotFound(f"The class {app.__name__} is no app; name an instance of it. {_HOW}")
    return kind
