from litestar import Litestar, MediaType, get


@get("/hello/{name:str}", media_type=MediaType.TEXT)
async def hello(name: str, x: str) -> str:
    return f"hello {name} {x}"


app = Litestar([hello])
