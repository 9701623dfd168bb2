"""Which classes are apps of web frameworks, and which are apps of something else although they are named so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.app.middleware import names_of

if TYPE_CHECKING:
    from typing import Any

# The names under which a module may have its app, in the order in which they are looked up.
OBJECT_NAMES = ("app", "application", "api", "server")
FACTORY_NAMES = ("create_app", "make_app")
NAMES = (*OBJECT_NAMES, *FACTORY_NAMES)
# Names that are taken whatever they stand for; `api` and `server` are often something else.
CERTAIN_NAMES = ("app", "application", *FACTORY_NAMES)

# Classes of apps by their packages. Those that only their own servers can run are here as well: the error about them
# says what to do.
_WEB = {
    "aiohttp": {"Application"},
    "apiflask": {"APIFlask"},
    "blacksheep": {"Application"},
    "bottle": {"Bottle"},
    "connexion": {"App", "AsyncApp", "FlaskApp"},
    "dash": {"Dash"},
    "falcon": {"API", "App"},
    "fastapi": {"FastAPI"},
    "fasthtml": {"FastHTML"},
    "flask": {"Flask"},
    "flask_openapi3": {"OpenAPI"},
    "gradio": {"Blocks", "Interface"},
    "litestar": {"Litestar"},
    "microdot": {"Microdot"},
    "quart": {"Quart"},
    "robyn": {"Robyn"},
    "sanic": {"Sanic"},
    "socketio": {"ASGIApp", "WSGIApp"},
    "starlette": {"Starlette"},
    "tornado": {"Application"},
}
# Packages whose objects are often named `app`, and serve no HTTP: command lines, queues, user interfaces, templates.
_OTHER = frozenset(
    ("aws_cdk", "celery", "click", "cyclopts", "discord", "huey", "modal", "slack_bolt", "textual", "tkinter", "typer")
)


def is_web_class(package: str, name: str) -> bool:
    """Return whether a class is a web framework's app."""
    return name in _WEB.get(package, ())


def is_other_package(package: str) -> bool:
    """Return whether a package's objects are no web apps, whatever they are named."""
    return package in _OTHER


def is_web_app(value: Any) -> bool:
    """Return whether an object is an app of a known web framework, without running its code."""
    return any(is_web_class(package, name) for package, name in names_of(value))


def is_other_app(value: Any) -> bool:
    """Return whether an object is of a package that serves no HTTP."""
    return any(is_other_package(package) for package, _ in names_of(value))
