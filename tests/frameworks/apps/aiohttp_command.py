import os

from aiohttp import web


async def hello(request):
    return web.Response(text=f"hello {request.match_info['name']} {request.query['x']}")


app = web.Application()
app.router.add_get("/hello/{name}", hello)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
