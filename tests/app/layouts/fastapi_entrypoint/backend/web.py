from fastapi import FastAPI

site = FastAPI()


@site.get("/")
def index() -> str:
    return "fastapi_entrypoint"
