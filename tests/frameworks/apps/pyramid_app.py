from pyramid.config import Configurator
from pyramid.response import Response


def hello(request):
    return Response(f"hello {request.matchdict['name']} {request.params['x']}")


with Configurator() as config:
    config.add_route("hello", "/hello/{name}")
    config.add_view(hello, route_name="hello")
    app = config.make_wsgi_app()
