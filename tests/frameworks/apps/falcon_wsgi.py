import falcon


class Hello:
    def on_get(self, req, resp, name):
        resp.text = f"hello {name} {req.get_param('x')}"


app = falcon.App()
app.add_route("/hello/{name}", Hello())
