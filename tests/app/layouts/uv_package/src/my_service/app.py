from fastapi import FastAPI

from my_service import main

__all__ = ["main"]

app = FastAPI()


@app.get("/")
def index() -> str:
    return "uv_package"
