"""Detect where an ASGI app expects the part of the path that was removed: the stage, or a base path.

ASGI's `path` includes `root_path`. Some frameworks route on `path` and ignore `root_path`, so that with a prefix no
route matches; others join the two themselves.
"""

from __future__ import annotations

import logging
from types import MethodType
from typing import TYPE_CHECKING

from lambda_web_adapter.app.middleware import is_coroutine_callable, layers, names_of, required_arguments

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

logger = logging.getLogger(__name__)

IN_PATH = "in-path"
APART = "apart"
NONE = "none"

# By package and class, since modules within packages move. An entry also covers derived classes.
_FRAMEWORKS = {
    # They route on `path` alone; Falcon and Responder build URLs from both.
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
    # They route on `root_path` and `path`, joined.
    ("asgi_tools", "App"): NONE,
    ("asgi_tools", "RouterMiddleware"): NONE,
    ("asgineer", "application_wrapper"): NONE,
    # They follow ASGI. They are listed so that the search ends here: an app mounted in them does not count.
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
    """Return where an ASGI app expects the removed part of the path.

    Args:
        app: the app.
        setting: the user's setting; `auto` detects the framework, even within middleware.

    Returns:
        `in-path` (in `path`, as ASGI has it, and as `root_path`), `apart` (as `root_path` only) or `none`.
    """
    if setting != "auto":
        return setting
    try:
        return _detect_place(app)
    except Exception:  # the app is served whatever it holds
        logger.debug("The app's framework cannot be detected. Set AWS_LWA_ROOT_PATH if its paths fail.", exc_info=True)
        return IN_PATH


def _detect_place(app: Any) -> str:
    for layer in layers(app):
        places = {place for each in layer if (place := _framework_place(each))}
        if places:
            return places.pop() if len(places) == 1 else IN_PATH
    return IN_PATH


def without_script_name(app: Any, setting: str) -> Callable[..., Any]:
    """Return a WSGI app without the removed part of the path, if it needs that: Microdot joins it with PATH_INFO.

    Args:
        app: the app.
        setting: the user's setting; for WSGI apps, only `none` makes a difference.

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


def _framework_place(app: Any) -> str:
    """Return where the app's framework expects the removed part; empty for an unknown one, and for a WSGI app."""
    for name in names_of(app):
        place = _FRAMEWORKS.get(name)
        if place and (is_coroutine_callable(app) or required_arguments(app) == 3):
            return place
    return ""
