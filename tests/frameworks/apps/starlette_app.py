from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def hello(request):
    return PlainTextResponse(f"hello {request.path_params['name']} {request.query_params['x']}")


async def address(request):
    return PlainTextResponse(str(request.url_for("hello", name="world")))


app = Starlette(routes=[Route("/address", address), Route("/hello/{name}", hello)])
