from fastapi import FastAPI

web = FastAPI()


@web.get("/")
def index() -> str:
    return "fastapi_other_name"
