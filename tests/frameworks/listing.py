"""The frameworks that are tried: an app of each is in `apps/`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Framework:
    """A framework, its app's module, and what is installed for it; some have a server of their own."""

    name: str
    module: str
    packages: tuple[str, ...]
    command: bool = False


FRAMEWORKS = [
    Framework("aiohttp (command)", "aiohttp_command", ("aiohttp",), command=True),
    Framework("APIFlask", "apiflask_app", ("apiflask",)),
    Framework("baize, ASGI", "baize_asgi", ("baize",)),
    Framework("baize, WSGI", "baize_wsgi", ("baize",)),
    Framework("BlackSheep", "blacksheep_app", ("blacksheep",)),
    Framework("Bottle", "bottle_app", ("bottle",)),
    Framework("CherryPy", "cherrypy_app", ("cherrypy",)),
    Framework("Connexion, AsyncApp", "connexion_app", ("connexion[uvicorn]",)),
    Framework("Connexion, FlaskApp", "connexion_flask", ("connexion[flask,uvicorn]",)),
    Framework("Dash", "dash_app", ("dash",)),
    Framework("Dash on FastAPI", "dash_fastapi", ("dash", "fastapi")),
    Framework("Datasette", "datasette_app", ("datasette",)),
    Framework("Django, ASGI", "django_app", ("django",)),
    Framework("Django Ninja, WSGI", "ninja_app", ("django-ninja",)),
    Framework("Ellar", "ellar_app", ("ellar",)),
    Framework("Emmett", "emmett_app", ("emmett",)),
    Framework("Emmett55", "emmett55_app", ("emmett55",)),
    Framework("Falcon, ASGI", "falcon_asgi", ("falcon",)),
    Framework("Falcon, WSGI", "falcon_wsgi", ("falcon",)),
    Framework("FastAPI", "fastapi_app", ("fastapi",)),
    Framework("FastHTML", "fasthtml_app", ("python-fasthtml",)),
    Framework("FastMCP", "fastmcp_app", ("fastmcp",)),
    Framework("Flask", "flask_app", ("flask",)),
    Framework("Gradio", "gradio_app", ("gradio",)),
    Framework("Hug", "hug_app", ("hug",)),
    Framework("Lilya", "lilya_app", ("lilya",)),
    Framework("Litestar", "litestar_app", ("litestar",)),
    Framework("MCP", "mcp_app", ("mcp>=2",)),
    Framework("Microdot, ASGI", "microdot_asgi", ("microdot",)),
    Framework("Microdot, WSGI", "microdot_wsgi", ("microdot",)),
    Framework("Muffin", "muffin_app", ("muffin",)),
    Framework("Nexios", "nexios_app", ("nexios",)),
    Framework("NiceGUI", "nicegui_app", ("nicegui",)),
    Framework("py4web", "py4web_app", ("py4web",)),
    Framework("Pycnic", "pycnic_app", ("pycnic",)),
    Framework("Pyramid", "pyramid_app", ("pyramid",)),
    Framework("python-socketio", "socketio_app", ("python-socketio", "fastapi")),
    Framework("Quart", "quart_app", ("quart",)),
    Framework("Ravyn", "ravyn_app", ("ravyn",)),
    Framework("Responder", "responder_app", ("responder",)),
    Framework("Robyn (command)", "robyn_command", ("robyn",), command=True),
    Framework("Sanic", "sanic_app", ("sanic",)),
    Framework("Shiny", "shiny_app", ("shiny",)),
    Framework("Starlette", "starlette_app", ("starlette",)),
    Framework("Tornado (command)", "tornado_command", ("tornado",), command=True),
    Framework("TurboGears", "turbogears_app", ("turbogears2",)),
    Framework("web.py", "webpy_app", ("web.py",)),
    Framework("WebOb", "webob_app", ("webob",)),
]
