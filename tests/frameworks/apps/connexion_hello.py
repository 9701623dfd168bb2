"""What both kinds of Connexion's apps serve."""

NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
X = {"name": "x", "in": "query", "required": True, "schema": {"type": "string"}}
OPERATION = {
    "operationId": "connexion_hello.hello",
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
