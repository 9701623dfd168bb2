from fastapi import FastAPI

api = FastAPI()


@api.get("/")
def index() -> str:
    return "fastapi_in_api"
