from datasette import Response, hookimpl
from datasette.app import Datasette
from datasette.plugins import pm


class Hello:
    __name__ = "Hello"

    @hookimpl
    def register_routes(self):
        return [(r"^/hello/(?P<name>\w+)$", self.hello)]

    async def hello(self, request):
        return Response.text(f"hello {request.url_vars['name']} {request.args.get('x')}")


pm.register(Hello(), name="hello")
app = Datasette(memory=True).app()
