from fastapi import FastAPI


def make_app(*, debug: bool = False) -> FastAPI:
    app = FastAPI(debug=debug)
    app.get("/")(lambda: "fastapi_factory")
    return app
