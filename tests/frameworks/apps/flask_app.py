from flask import Flask, request, url_for

app = Flask(__name__)


@app.get("/hello/<name>")
def hello(name):
    return f"hello {name} {request.args['x']}"


@app.get("/address")
def address():
    return url_for("hello", name="world")
