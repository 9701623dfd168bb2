from fastmcp import FastMCP
from starlette.responses import PlainTextResponse

mcp = FastMCP("hello")


@mcp.custom_route("/hello/{name}", methods=["GET"])
async def hello(request):
    return PlainTextResponse(f"hello {request.path_params['name']} {request.query_params['x']}")


app = mcp.http_app(stateless_http=True)
