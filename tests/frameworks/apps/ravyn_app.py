from lilya.responses import PlainText
from ravyn import Gateway, Ravyn, get


@get()
async def hello(name: str, x: str) -> PlainText:
    return PlainText(f"hello {name} {x}")


app = Ravyn(routes=[Gateway("/hello/{name}", handler=hello)])
