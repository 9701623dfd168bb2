import hug


@hug.get("/hello/{name}", output=hug.output_format.text)
def hello(name, x):
    return f"hello {name} {x}"


app = __hug_wsgi__  # noqa: F821  # hug puts it into the module
