from emmett55 import App, request

app = App(__name__)


@app.route("/hello/<str:name>", output="str")
async def hello(name):
    return f"hello {name} {request.query_params.x}"
