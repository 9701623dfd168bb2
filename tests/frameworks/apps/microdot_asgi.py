from microdot.asgi import Microdot

app = Microdot()


@app.get("/hello/<name>")
async def hello(request, name):
    return f"hello {name} {request.args['x']}"
