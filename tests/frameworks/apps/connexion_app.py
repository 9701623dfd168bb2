import sys

from connexion import AsyncApp

NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
X = {"name": "x", "in": "query", "required": True, "schema": {"type": "string"}}
OPERATION = {
    "operationId": "connexion_app.hello",
    "parameters": [NAME, X],
    "responses": {"200": {"description": "hello", "content": {"text/plain": {"schema": {"type": "string"}}}}},
}
SPECIFICATION = {
    "openapi": "3.0.0",
    "info": {"title": "hello", "version": "1"},
    "paths": {"/hello/{name}": {"get": OPERATION}},
}


def hello(name, x):
    return f"hello {name} {x}"


sys.modules.setdefault("connexion_app", sys.modules[__name__])
app = AsyncApp(__name__)
app.add_api(SPECIFICATION)
