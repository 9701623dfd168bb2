NAME = "starlette_example"
