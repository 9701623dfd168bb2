from muffin import Application

app = Application()


@app.route("/hello/{name}")
async def hello(request):
    return f"hello {request.path_params['name']} {request.url.query['x']}"
