from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from nicegui import ui

app = FastAPI()


@app.get("/hello/{name}", response_class=PlainTextResponse)
async def hello(name: str, x: str):
    return f"hello {name} {x}"


@ui.page("/")
def page():
    ui.label("hello")


ui.run_with(app)
