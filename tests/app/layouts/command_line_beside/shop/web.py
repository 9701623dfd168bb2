from fastapi import FastAPI


def create() -> FastAPI:
    app = FastAPI()
    app.get("/")(lambda: "command_line_beside")
    return app
