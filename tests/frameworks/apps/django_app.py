from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path, reverse

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="made up", DEBUG=False)


def hello(request, name):
    return HttpResponse(f"hello {name} {request.GET['x']}", content_type="text/plain")


def address(request):
    return HttpResponse(reverse("hello", args=["world"]), content_type="text/plain")


urlpatterns = [path("address", address), path("hello/<str:name>", hello, name="hello")]
app = get_asgi_application()
wsgi = get_wsgi_application()
