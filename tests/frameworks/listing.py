"""The frameworks that are tried: an app of each is in `apps/`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Framework:
    """A framework, its app's module, and what is installed for it.

    Attributes:
        server: what serves the app alone: `asgi` (uvicorn), `wsgi` (waitress), or `command` for its own.
        page: what its page has in it; all else of it has to be as it is alone.
        addresses: whether the app's `/address` has the address of its page, as the framework builds it.
    """

    name: str
    module: str
    packages: tuple[str, ...]
    server: str = "asgi"
    page: str = "hello world 1"
    addresses: bool = False


FRAMEWORKS = [
    Framework("aiohttp (command)", "aiohttp_command", ("aiohttp",), server="command"),
    Framework("APIFlask", "apiflask_app", ("apiflask",), server="wsgi"),
    Framework("Ariadne", "ariadne_app", ("ariadne",), page="Ariadne GraphQL"),
    Framework("baize, ASGI", "baize_asgi", ("baize",)),
    Framework("baize, WSGI", "baize_wsgi", ("baize",), server="wsgi"),
    Framework("BlackSheep", "blacksheep_app", ("blacksheep",)),
    Framework("Bottle", "bottle_app", ("bottle",), server="wsgi", addresses=True),
    Framework("CherryPy", "cherrypy_app", ("cherrypy",), server="wsgi"),
    Framework("Connexion, AsyncApp", "connexion_app", ("connexion[uvicorn]",)),
    Framework("Connexion, FlaskApp", "connexion_flask", ("connexion[flask,uvicorn]",)),
    Framework("Dash on FastAPI", "dash_fastapi", ("dash", "fastapi")),
    Framework("Dash", "dash_app", ("dash",), server="wsgi"),
    Framework("Datasette", "datasette_app", ("datasette",)),
    Framework("Django Ninja, WSGI", "ninja_app", ("django-ninja",), server="wsgi"),
    Framework("Django, ASGI", "django_app", ("django",), addresses=True),
    Framework("Ellar", "ellar_app", ("ellar",)),
    Framework("Emmett", "emmett_app", ("emmett",)),
    Framework("Emmett55", "emmett55_app", ("emmett55",)),
    Framework("Esmerald", "esmerald_app", ("esmerald", "lilya<0.23")),
    Framework("Falcon, ASGI", "falcon_asgi", ("falcon",)),
    Framework("Falcon, WSGI", "falcon_wsgi", ("falcon",), server="wsgi"),
    Framework("FastAPI", "fastapi_app", ("fastapi",), addresses=True),
    Framework("FastHTML", "fasthtml_app", ("python-fasthtml",)),
    Framework("FastMCP", "fastmcp_app", ("fastmcp",)),
    Framework("Flask", "flask_app", ("flask",), server="wsgi", addresses=True),
    Framework("Gradio", "gradio_app", ("gradio",)),
    Framework("Granian (command)", "granian_command", ("granian", "starlette"), server="command"),
    Framework("Hug", "hug_app", ("hug",), server="wsgi"),
    Framework("Lilya", "lilya_app", ("lilya",)),
    Framework("Litestar", "litestar_app", ("litestar",)),
    Framework("MCP", "mcp_app", ("mcp>=2",)),
    Framework("Microdot, ASGI", "microdot_asgi", ("microdot",)),
    Framework("Microdot, WSGI", "microdot_wsgi", ("microdot",), server="wsgi"),
    Framework("Muffin", "muffin_app", ("muffin",)),
    Framework("Nexios", "nexios_app", ("nexios",)),
    Framework("NiceGUI", "nicegui_app", ("nicegui",)),
    Framework("py4web", "py4web_app", ("py4web",), server="wsgi"),
    Framework("Pycnic", "pycnic_app", ("pycnic",), server="wsgi"),
    Framework("Pyramid", "pyramid_app", ("pyramid",), server="wsgi", addresses=True),
    Framework("python-socketio", "socketio_app", ("python-socketio", "fastapi")),
    Framework("Quart", "quart_app", ("quart",), addresses=True),
    Framework("Ravyn", "ravyn_app", ("ravyn",)),
    Framework("Responder", "responder_app", ("responder",)),
    Framework("Robyn (command)", "robyn_command", ("robyn",), server="command"),
    Framework("Sanic", "sanic_app", ("sanic",)),
    Framework("Shiny", "shiny_app", ("shiny",)),
    Framework("Starlette", "starlette_app", ("starlette",), addresses=True),
    Framework("Strawberry", "strawberry_app", ("strawberry-graphql[asgi]",), page="Strawberry GraphiQL"),
    Framework(
        "Streamlit (command)", "streamlit_command", ("streamlit",), server="command", page="<title>Streamlit</title>"
    ),
    Framework("Tornado (command)", "tornado_command", ("tornado",), server="command"),
    Framework("TurboGears", "turbogears_app", ("turbogears2",), server="wsgi"),
    Framework("web.py", "webpy_app", ("web.py",), server="wsgi"),
    Framework("WebOb", "webob_app", ("webob",), server="wsgi"),
]
