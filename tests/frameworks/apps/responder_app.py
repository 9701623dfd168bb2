import responder

app = responder.API()


@app.route("/hello/{name}")
async def hello(req, resp, *, name):
    resp.text = f"hello {name} {req.params['x']}"
