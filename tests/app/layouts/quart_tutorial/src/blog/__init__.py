from quart import Quart

app = Quart(__name__)


@app.get("/")
async def index() -> str:
    return "quart_tutorial"


def run() -> None:
    app.run()
