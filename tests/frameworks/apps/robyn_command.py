import os

from robyn import Request, Robyn

app = Robyn(__file__)


@app.get("/hello/:name")
async def hello(request: Request):
    return f"hello {request.path_params['name']} {request.query_params.get('x', None)}"


if __name__ == "__main__":
    app.start(host="127.0.0.1", port=int(os.environ["PORT"]))
