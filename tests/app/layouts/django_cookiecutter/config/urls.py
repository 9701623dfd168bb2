from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"django_cookiecutter {settings.TEXT}")


urlpatterns = [path("", index)]
