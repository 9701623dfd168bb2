from webob import Response, exc
from webob.dec import wsgify


@wsgify
def app(request):
    if request.path_info_pop() != "hello":
        raise exc.HTTPNotFound
    return Response(f"hello {request.path_info_pop()} {request.GET['x']}")
