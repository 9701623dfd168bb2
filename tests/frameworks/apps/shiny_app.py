from shiny import App, ui
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def hello(request):
    return PlainTextResponse(f"hello {request.path_params['name']} {request.query_params['x']}")


app = App(ui.page_fluid("hello"), None)
app.starlette_app.router.routes.insert(0, Route("/hello/{name}", hello))
