from dash import Dash, html
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

server = FastAPI()


@server.get("/hello/{name}", response_class=PlainTextResponse)
def hello(name: str, x: str):
    return f"hello {name} {x}"


app = Dash(__name__, server=server)
app.layout = html.Div("hello")
