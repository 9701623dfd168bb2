from bottle import Bottle, request

app = Bottle()


@app.get("/hello/<name>", name="hello")
def hello(name):
    return f"hello {name} {request.query.x}"


@app.get("/address")
def address():
    return app.get_url("hello", name="world")
