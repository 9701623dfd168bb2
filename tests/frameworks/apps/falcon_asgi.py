import falcon.asgi


class Hello:
    async def on_get(self, req, resp, name):
        resp.text = f"hello {name} {req.get_param('x')}"


app = falcon.asgi.App()
app.add_route("/hello/{name}", Hello())
