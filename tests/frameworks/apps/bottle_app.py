from bottle import Bottle, request

app = Bottle()


@app.get("/hello/<name>")
def hello(name):
    return f"hello {name} {request.query.x}"
