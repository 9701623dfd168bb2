from dash import Dash, html
from flask import request

app = Dash(__name__)
app.layout = html.Div("hello")


@app.server.get("/hello/<name>")
def hello(name):
    return f"hello {name} {request.args['x']}"
