"""A Starlette app as one would write it."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def address(request: Request) -> PlainTextResponse:
    assert request.client is not None
    return PlainTextResponse(f"{request.method} {request.url} {request.client.host}")


app = Starlette(routes=[Route("/address/{name}", address)])
