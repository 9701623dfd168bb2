from lilya.apps import Lilya
from lilya.requests import Request
from lilya.responses import PlainText
from lilya.routing import Path


async def hello(request: Request):
    return PlainText(f"hello {request.path_params['name']} {request.query_params['x']}")


app = Lilya(routes=[Path("/hello/{name}", hello)])
