from esmerald import Esmerald, Gateway, get
from lilya.responses import PlainText


@get()
async def hello(name: str, x: str) -> PlainText:
    return PlainText(f"hello {name} {x}")


app = Esmerald(routes=[Gateway("/hello/{name}", handler=hello)])
