from baize.wsgi import PlainTextResponse, Router, request_response


@request_response
def hello(request):
    return PlainTextResponse(f"hello {request.path_params['name']} {request.query_params['x']}")


app = Router(("/hello/{name}", hello))
