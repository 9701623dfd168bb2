from quart import Quart, request, url_for

app = Quart(__name__)


@app.get("/hello/<name>")
async def hello(name):
    return f"hello {name} {request.args['x']}"


@app.get("/address")
async def address():
    return url_for("hello", name="world")
