from apiflask import APIFlask
from flask import request

app = APIFlask(__name__)


@app.get("/hello/<name>")
def hello(name):
    return f"hello {name} {request.args['x']}"
