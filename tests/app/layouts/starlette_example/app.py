from settings import NAME
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def homepage(request: Request) -> PlainTextResponse:
    return PlainTextResponse(NAME)


app = Starlette(debug=True, routes=[Route("/", homepage)])
