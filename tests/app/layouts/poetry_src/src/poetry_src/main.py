from fastapi import FastAPI

from . import __version__

__all__ = ["__version__"]

app = FastAPI()


@app.get("/")
def index() -> str:
    return "poetry_src"
