import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="made up")
django.setup()

from ninja import NinjaAPI  # noqa: E402  # Django has to be set up before

api = NinjaAPI()


@api.get("/hello/{name}")
def hello(request, name: str, x: str):
    return HttpResponse(f"hello {name} {x}", content_type="text/plain")


urlpatterns = [path("", api.urls)]
app = get_wsgi_application()
