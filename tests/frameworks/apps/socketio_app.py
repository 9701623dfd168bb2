import socketio
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

fastapi = FastAPI()


@fastapi.get("/hello/{name}", response_class=PlainTextResponse)
async def hello(name: str, x: str):
    return f"hello {name} {x}"


app = socketio.ASGIApp(socketio.AsyncServer(async_mode="asgi"), fastapi)
