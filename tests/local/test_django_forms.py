"""A Django form behind every gateway: login, CSRF check, session, redirect, over http and https, as in a browser."""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.processes import Running, plain_environment

from lambda_web_adapter.local.gateways import GATEWAYS

PROGRAM = [sys.executable, "-m", "lambda_web_adapter"]
APP = """
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model, login
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.shortcuts import redirect
from django.middleware.csrf import get_token
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    ROOT_URLCONF=__name__,
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # fast
    SECRET_KEY="made up",
)


def sign_in(request):
    if request.method == "POST":
        user = authenticate(request, username=request.POST["name"], password=request.POST["password"])
        if user is None:
            return HttpResponse("wrong", status=401)
        login(request, user)
        return redirect("home")
    return HttpResponse(f'<form method="post"><input name="csrfmiddlewaretoken" value="{get_token(request)}"></form>')


def home(request):
    return HttpResponse(f"{request.user.get_username()} at {request.build_absolute_uri()}")


urlpatterns = [path("login/", sign_in), path("home/", home, name="home")]
app = get_wsgi_application()
call_command("migrate", verbosity=0)
if not get_user_model().objects.exists():
    get_user_model().objects.create_user("alice", password="secret")
"""


@pytest.fixture(scope="module", params=["http", "https"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A run with all gateways before one app: its folder, and the URL of each gateway."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "main.py").write_text(APP)
    words = [word for name in GATEWAYS for word in ("--listen", f"{name}:0")]
    words += ["--tls"] if request.param == "https" else []
    with Running([*PROGRAM, *words], cwd=folder, env=plain_environment({"XDG_CACHE_HOME": str(folder)})) as run:
        run.wait_for(rf"(?s)(Serving .*?){{{len(GATEWAYS)}}}Ctrl-C")
        urls = re.findall(rf"on ({request.param}://127\.0\.0\.1:\d+) ", run.text)
        yield folder, dict(zip(GATEWAYS, urls, strict=True))


@pytest.fixture(params=GATEWAYS)
def browser(request: pytest.FixtureRequest, served: tuple[Path, dict[str, str]]) -> Iterator[httpx.Client]:
    """A client that trusts the made certificate, keeps cookies, and follows redirects."""
    folder, urls = served
    made = folder / "lambda-web-adapter" / "tls" / "localhost.pem"
    verify = ssl.create_default_context(cafile=made) if made.exists() else True
    with httpx.Client(
        base_url=urls[request.param], trust_env=False, follow_redirects=True, verify=verify, timeout=30
    ) as client:
        yield client


def sign_in(browser: httpx.Client, origin: str) -> httpx.Response:
    """Sends the form as a browser does: with the token, `Origin` and `Referer`."""
    page = browser.get("/login/")
    token = re.search(r'value="(\w+)"', page.text)
    assert token, page.text
    form = {"name": "alice", "password": "secret", "csrfmiddlewaretoken": token[1]}
    return browser.post("/login/", data=form, headers={"origin": origin, "referer": f"{origin}/login/"})


def test_a_form_signs_the_user_in(browser: httpx.Client) -> None:
    origin = str(browser.base_url).rstrip("/")

    response = sign_in(browser, origin)

    assert (response.status_code, response.text) == (200, f"alice at {origin}/home/")
    assert browser.get("/home/").text == f"alice at {origin}/home/"


def test_a_form_of_another_origin_is_rejected(browser: httpx.Client) -> None:
    assert sign_in(browser, "https://evil.example").status_code == 403


def test_a_form_of_the_other_scheme_is_rejected(browser: httpx.Client) -> None:
    """So the app knows the scheme, and does not just accept any."""
    other = "https" if browser.base_url.scheme == "http" else "http"

    assert sign_in(browser, f"{other}://127.0.0.1:{browser.base_url.port}").status_code == 403
