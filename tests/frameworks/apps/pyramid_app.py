from pyramid.config import Configurator
from pyramid.response import Response


def hello(request):
    return Response(f"hello {request.matchdict['name']} {request.params['x']}")


def address(request):
    return Response(request.route_path("hello", name="world"))


with Configurator() as config:
    config.add_route("hello", "/hello/{name}")
    config.add_view(hello, route_name="hello")
    config.add_route("address", "/address")
    config.add_view(address, route_name="address")
    app = config.make_wsgi_app()
