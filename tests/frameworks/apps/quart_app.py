from quart import Quart, request

app = Quart(__name__)


@app.get("/hello/<name>")
async def hello(name):
    return f"hello {name} {request.args['x']}"
