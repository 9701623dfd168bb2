from ellar.app import AppFactory
from ellar.common import ModuleRouter, PlainTextResponse, Query

router = ModuleRouter("/")


@router.get("/hello/{name}", response=PlainTextResponse)
async def hello(name: str, x: str = Query()):
    return f"hello {name} {x}"


app = AppFactory.create_app(routers=[router])
