from nexios import NexiosApp

app = NexiosApp()


@app.get("/hello/{name}")
async def hello(request, response, name):
    return response.text(f"hello {name} {request.query_params['x']}")
