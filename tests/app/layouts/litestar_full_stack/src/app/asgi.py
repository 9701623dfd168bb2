from litestar import Litestar, MediaType, get


@get("/", media_type=MediaType.TEXT)
async def index() -> str:
    return "litestar_full_stack"


def create_app() -> Litestar:
    return Litestar([index])
