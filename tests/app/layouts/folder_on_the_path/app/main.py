from fastapi import FastAPI
from items import NAME

app = FastAPI()


@app.get("/")
def index() -> str:
    return NAME
