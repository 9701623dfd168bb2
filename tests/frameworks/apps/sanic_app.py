from sanic import Sanic, text

app = Sanic("hello")


@app.get("/hello/<name>")
async def hello(request, name):
    return text(f"hello {name} {request.args.get('x')}")
