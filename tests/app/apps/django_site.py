"""A Django site in one file, as WSGI and as ASGI app."""

from django.conf import settings  # type: ignore[import-untyped]  # Django has no types of its own
from django.core.asgi import get_asgi_application  # type: ignore[import-untyped]  # Django has no types of its own
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]  # Django has no types of its own
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped]  # Django has no types of its own
from django.urls import path  # type: ignore[import-untyped]  # Django has no types of its own


def address(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(f"{request.method} {request.build_absolute_uri()} {request.META['REMOTE_ADDR']}")


urlpatterns = [path("address/<str:name>", address)]

settings.configure(
    ALLOWED_HOSTS=["app.test"],
    DEBUG_PROPAGATE_EXCEPTIONS=True,
    ROOT_URLCONF=__name__,
    SECRET_KEY="made up",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
)

wsgi = get_wsgi_application()
asgi = get_asgi_application()
