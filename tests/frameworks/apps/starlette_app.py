from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def hello(request):
    return PlainTextResponse(f"hello {request.path_params['name']} {request.query_params['x']}")


app = Starlette(routes=[Route("/hello/{name}", hello)])
