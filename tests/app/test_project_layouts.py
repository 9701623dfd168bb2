"""Projects laid out as templates and tutorials have them: their app is found without being named."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import httpx
import pytest
from app.serving import serving, starting
from support.processes import Running, plain_environment

pytestmark = pytest.mark.slow

LAYOUTS = Path(__file__).parent / "layouts"
# The layouts, with what the log says about the app; each app's page has the name of its layout.
FOUND = {
    "backend_and_frontend": "main by main.py",
    "cdk_repository": "handler.main by src/handler/main.py",
    "command_line_beside": "asgi by asgi.py",
    "django_asgi": "site_of_ours.asgi:application by manage.py",
    "django_in_src": "django.core.wsgi:get_wsgi_application by src/manage.py",
    "django_startproject": "mysite.wsgi:application by manage.py",
    "fastapi_best_practices": "main by src/main.py",
    "fastapi_bigger_applications": "app.main by app/main.py",
    "fastapi_entrypoint": "backend.web:site by entrypoint in pyproject.toml",
    "fastapi_factory": "server by server.py",
    "fastapi_full_stack": "app.main by app/main.py",
    "fastapi_in_api": "api by api.py",
    "fastapi_other_name": "main by main.py",
    "flask_beanstalk": "application by application.py",
    "flask_cookiecutter": "autoapp by FLASK_APP in .env",
    "flask_mega_tutorial": "microblog by FLASK_APP in .flaskenv",
    "flask_src": "shop by src/shop/__init__.py",
    "flask_tutorial": "flaskr by flaskr/__init__.py",
    "flask_wsgi_file": "wsgi by wsgi.py",
    "folder_on_the_path": "main by app/main.py",
    "litestar_full_stack": "app.asgi by src/app/asgi.py",
    "poetry_src": "poetry_src.main by src/poetry_src/main.py",
    "quart_tutorial": "blog by src/blog/__init__.py",
    "starlette_example": "app by app.py",
    "uv_app": "server by server.py",
    "uv_package": "my_service.app by src/my_service/app.py",
}
INFO = {"AWS_LAMBDA_LOG_LEVEL": "INFO"}
# What a layout needs besides, as its own instructions say.
VARIABLES = {"backend_and_frontend": {"AWS_LWA_APP_DIR": "backend"}}
# Frameworks that not every environment of the tests has, by the first part of their layouts' names.
OPTIONAL = ("litestar", "quart")


@pytest.mark.parametrize("layout", FOUND)
def test_the_app_of_a_layout_is_found(layout: str) -> None:
    framework = layout.partition("_")[0]
    if framework in OPTIONAL and importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed")

    with serving("", INFO | VARIABLES.get(layout, {}), folder=LAYOUTS / layout) as served, served.connect() as client:
        assert layout in client.ask("GET", "/").body.decode()
        assert f"Found {FOUND[layout]}." in served.output()


def test_every_layout_is_tried() -> None:
    assert {path.name for path in LAYOUTS.iterdir()} == {*FOUND, "django_cookiecutter"}


@pytest.mark.parametrize("settings", ["local", "production"])
def test_the_variable_of_django_decides_between_settings(settings: str) -> None:
    variables = {"DJANGO_SETTINGS_MODULE": f"config.settings.{settings}"}
    with serving("", variables, folder=LAYOUTS / "django_cookiecutter") as served, served.connect() as client:
        assert client.ask("GET", "/").body.decode() == f"django_cookiecutter {settings}"


def test_different_settings_in_manage_py_and_wsgi_py_have_to_be_chosen() -> None:
    with starting("", folder=LAYOUTS / "django_cookiecutter") as served:
        message = served.failure()["message"]

    assert message == (
        "manage.py is for the settings config.settings.local, wsgi.py for config.settings.production. "
        "Set DJANGO_SETTINGS_MODULE to one of them."
    )


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        pytest.param("fastapi_other_name", "./main.py", id="file with a dot"),
        pytest.param("fastapi_other_name", "main.py", id="file"),
        pytest.param("fastapi_other_name", "main.py:web", id="file and name"),
        pytest.param("fastapi_other_name", "main", id="module"),
        pytest.param("fastapi_bigger_applications", "app/main.py:app", id="file in a package"),
        pytest.param("fastapi_bigger_applications", "app/main.py", id="file in a package, without a name"),
        pytest.param("fastapi_bigger_applications", "app/main:app", id="path without .py"),
        pytest.param("fastapi_bigger_applications", "app.main", id="module in a package"),
        pytest.param("fastapi_best_practices", "src.main:app", id="src as a package"),
        pytest.param("fastapi_best_practices", "src/main.py:app", id="file in src"),
        pytest.param("poetry_src", "src/poetry_src/main.py:app", id="file in a package in src"),
        pytest.param("fastapi_factory", "server:make_app(debug=True)", id="factory with an argument"),
        pytest.param("flask_src", "src/shop", id="folder of a package"),
        pytest.param("flask_tutorial", 'flaskr:create_app({"TESTING": True})', id="factory with a dict"),
        pytest.param("flask_tutorial", 'flaskr.create_app({"TESTING": True})', id="factory with a dict after a dot"),
        pytest.param("flask_wsgi_file", "app:create_app('test')", id="factory that needs an argument"),
    ],
)
def test_an_app_can_be_named_in_many_forms(layout: str, name: str) -> None:
    with serving(name, folder=LAYOUTS / layout) as served, served.connect() as client:
        assert layout in client.ask("GET", "/").body.decode()


@pytest.mark.parametrize(
    ("layout", "value"),
    [
        pytest.param("flask_mega_tutorial", "microblog", id="module"),
        pytest.param("flask_mega_tutorial", "microblog.py", id="file"),
        pytest.param("flask_mega_tutorial", "microblog:app", id="name"),
        pytest.param("flask_mega_tutorial", "./microblog.py:app", id="file and name"),
        pytest.param("flask_cookiecutter", "shop.app", id="module in a package"),
        pytest.param("flask_cookiecutter", "shop/app.py", id="file in a package"),
        pytest.param("flask_cookiecutter", "shop.app:create_app('shop.settings')", id="factory with an argument"),
        pytest.param("flask_tutorial", "flaskr:create_app(test_config=None)", id="factory with a keyword"),
    ],
)
def test_flask_app_is_read_as_flask_reads_it(layout: str, value: str) -> None:
    with serving("", {**INFO, "FLASK_APP": value}, folder=LAYOUTS / layout) as served, served.connect() as client:
        assert client.ask("GET", "/").body.decode() == layout
        assert "by FLASK_APP." in served.output()


@pytest.mark.parametrize(
    ("layout", "options"),
    [
        pytest.param("fastapi_bigger_applications", [], id="FastAPI"),
        pytest.param("django_startproject", [], id="Django"),
        pytest.param("flask_tutorial", ["flaskr:create_app({})"], id="Flask"),
    ],
)
def test_a_layout_is_served_by_the_local_run(layout: str, options: list[str]) -> None:
    command = [sys.executable, "-m", "lambda_web_adapter", "--port", "0", *options]
    with Running(command, cwd=LAYOUTS / layout, env=plain_environment()) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]

        assert layout in httpx.get(f"{url}/", trust_env=False, timeout=30).text
        assert run.terminate() == 0


@pytest.mark.parametrize(
    ("layout", "options"),
    [
        pytest.param("backend_and_frontend", ["--app-dir", "backend"], id="folder"),
        pytest.param("flask_src", [], id="src"),
    ],
)
def test_a_start_file_is_written_for_an_app_that_is_not_named(layout: str, options: list[str], tmp_path: Path) -> None:
    target = ["--output", str(tmp_path / "start"), *options]
    compile_start = [sys.executable, "-m", "lambda_web_adapter", "compile", *target]
    with Running(compile_start, cwd=LAYOUTS / layout, env=plain_environment()) as run:
        assert run.wait() == 0
    with Running([*compile_start, "--check"], cwd=LAYOUTS / layout, env=plain_environment()) as run:
        assert run.wait() == 0

    command = [sys.executable, "-m", "lambda_web_adapter", "--port", "0", *options]
    environment = plain_environment({"AWS_LWA_START_FILE": str(tmp_path / "start")})
    with Running(command, cwd=LAYOUTS / layout, env=environment) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]

        assert layout in httpx.get(f"{url}/", trust_env=False, timeout=30).text
        assert "start file" not in run.text
