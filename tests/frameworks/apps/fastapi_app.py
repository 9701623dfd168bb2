from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/hello/{name}", response_class=PlainTextResponse)
async def hello(name: str, x: str):
    return f"hello {name} {x}"


@app.get("/address", response_class=PlainTextResponse)
async def address(request: Request):
    return str(request.url_for("hello", name="world"))
