from mcp.server.mcpserver import MCPServer
from starlette.responses import PlainTextResponse

mcp = MCPServer("hello")


@mcp.custom_route("/hello/{name}", methods=["GET"])
async def hello(request):
    return PlainTextResponse(f"hello {request.path_params['name']} {request.query_params['x']}")


app = mcp.streamable_http_app()
