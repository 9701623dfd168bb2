from fasthtml.common import fast_app
from starlette.responses import PlainTextResponse

app, rt = fast_app()


@rt("/hello/{name}")
def get(name: str, x: str):
    return PlainTextResponse(f"hello {name} {x}")
