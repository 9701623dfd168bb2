"""Where an ASGI app looks for the part of the path that was removed: the stage, or a base path.

ASGI's `path` includes `root_path`. Some frameworks route on `path` and know nothing of `root_path`, so that they find
no route behind a prefix; some put the two together themselves.
"""

from __future__ import annotations

import logging
from types import MethodType

from lambda_web_adapter.app.middleware import is_coroutine_callable, layers, names_of, required_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

logger = logging.getLogger(__name__)

IN_PATH = "in-path"
APART = "apart"
NONE = "none"

# By package and class, since modules within packages move. A class counts for those that are derived from it.
_FRAMEWORKS = {
    # The path alone; Falcon and Responder make addresses of both.
    ("bareasgi", "CoreApplication"): APART,
    ("baize", "Hosts"): APART,
    ("baize", "Router"): APART,
    ("baize", "Subpaths"): APART,
    ("datasette", "AsgiRunOnFirstRequest"): APART,
    ("datasette", "DatasetteRouter"): APART,
    ("emmett_core", "App"): APART,
    ("falcon", "App"): APART,
    ("indexpy", "Index"): APART,
    ("microdot", "Microdot"): APART,
    ("panther", "Panther"): APART,
    ("responder", "API"): APART,
    ("sanic", "Sanic"): APART,
    # They route on `root_path` and `path`, one put before the other.
    ("asgi_tools", "App"): NONE,
    ("asgi_tools", "RouterMiddleware"): NONE,
    ("asgineer", "application_wrapper"): NONE,
    # As ASGI has it. They are here so that what they hold, a mounted app for instance, is not looked at.
    ("blacksheep", "Application"): IN_PATH,
    ("connexion", "AbstractApp"): IN_PATH,
    ("django", "ASGIHandler"): IN_PATH,
    ("lilya", "BaseLilya"): IN_PATH,
    ("litestar", "Litestar"): IN_PATH,
    ("quart", "Quart"): IN_PATH,
    ("starlette", "Router"): IN_PATH,
    ("starlette", "Starlette"): IN_PATH,
}


def root_path_of(app: Any, setting: str) -> str:
    """Return where an ASGI app wants the removed part of the path.

    Args:
        app: the app.
        setting: what the user has said; `auto` looks which framework it is, under its middleware too.

    Returns:
        `in-path` (in `path`, as ASGI has it, and as `root_path`), `apart` (as `root_path` only) or `none`.
    """
    if setting != "auto":
        return setting
    try:
        return _wanted_place(app)
    except Exception:  # whatever the app holds, it is served
        logger.debug("The app's framework cannot be seen; AWS_LWA_ROOT_PATH says what it needs.", exc_info=True)
        return IN_PATH


def _wanted_place(app: Any) -> str:
    for layer in layers(app):
        wanted = {place for each in layer if (place := _of_framework(each))}
        if wanted:
            return wanted.pop() if len(wanted) == 1 else IN_PATH
    return IN_PATH


def without_script_name(app: Any, setting: str) -> Callable[..., Any]:
    """Return a WSGI app that finds the removed part nowhere, if it wants that: Microdot routes on both put together.

    Args:
        app: the app.
        setting: what the user has said; of the places only `none` differs for WSGI apps.

    Returns:
        The app itself, or one that calls it with an empty `SCRIPT_NAME`.
    """
    if setting != NONE and not (setting == "auto" and _is_microdot(app)):
        return app  # type: ignore[no-any-return]  # a WSGI app has no type of its own

    def wsgi_app(environ: dict[str, Any], start_response: Any) -> Any:
        environ["SCRIPT_NAME"] = ""
        return app(environ, start_response)

    return wsgi_app


def _is_microdot(app: Any) -> bool:
    owner = app.__self__ if type(app) is MethodType else app
    return ("microdot", "Microdot") in names_of(owner)


def _of_framework(app: Any) -> str:
    """Return what the app's framework wants; nothing for one that is not known, and for a framework's WSGI app."""
    for name in names_of(app):
        place = _FRAMEWORKS.get(name)
        if place and (is_coroutine_callable(app) or required_arguments(app) == 3):
            return place
    return ""
