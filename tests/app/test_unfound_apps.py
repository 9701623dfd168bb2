"""Apps that are not found, or whose import fails: the error names the fix."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from app.serving import APPS, serving, starting
from hypothesis import given
from hypothesis import strategies as st
from support.processes import Running, plain_environment

from lambda_web_adapter.app.discovery.advice import for_failed_import
from lambda_web_adapter.app.discovery.names import parse_name
from lambda_web_adapter.errors import AppNotFound

Write = Callable[[str, str], None]

FLASK = "from flask import Flask\n\n{} = Flask(__name__)\n"
APP = FLASK.format("app")
FACTORY = "from flask import Flask\n\n\ndef create_app(config):\n    return Flask(config)\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(path: str, source: str) -> None:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)

    return write


def failure(name: str, folder: Path, **variables: str) -> dict[str, Any]:
    """What the adapter is told about a start that fails."""
    with starting(name, variables, folder=folder) as served:
        return served.failure()


def message(name: str, folder: Path, **variables: str) -> str:
    """Why no app is found."""
    report = failure(name, folder, **variables)
    assert report["raised"] == "Runtime.AppNotFound"
    return str(report["message"])


def note(name: str, folder: Path, **variables: str) -> str:
    """What is said below the traceback of an app's exception."""
    report = failure(name, folder, **variables)
    assert report["raised"] != "Runtime.AppNotFound"
    return str(report["stack"][-1]).strip()


def served_by(name: str, folder: Path, **variables: str) -> str:
    """What the log says about an app that is found."""
    with serving(name, {"AWS_LAMBDA_LOG_LEVEL": "INFO", **variables}, folder=folder) as served:
        return served.output()


# Several apps, or none.


def test_several_apps_in_a_module_are_listed(write: Write, tmp_path: Path) -> None:
    write("main.py", f"{FLASK.format('front')}\n{FLASK.format('back')}")

    assert message("", tmp_path) == "Module 'main' has 2 apps. Name one of them: main:front, main:back."


def test_one_app_under_two_names_is_one_app(write: Write, tmp_path: Path) -> None:
    write("main.py", f"{FLASK.format('front')}back = front\n")

    assert "Found main by main.py" in served_by("", tmp_path)


def test_several_packages_with_an_app_are_listed(write: Write, tmp_path: Path) -> None:
    for package in ("shop", "stock"):
        write(f"src/{package}/__init__.py", "")
        write(f"src/{package}/main.py", APP)

    assert message("", tmp_path) == (
        f"{tmp_path}/src has 2 apps. Name one of them: src/shop/main.py:app, src/stock/main.py:app."
    )


def test_what_is_listed_can_be_named(write: Write, tmp_path: Path) -> None:
    write("src/shop/__init__.py", "")
    write("src/shop/main.py", f"import shop\n{APP}")

    served_by("src/shop/main.py:app", tmp_path)


def test_a_factory_that_needs_arguments_is_less_than_an_app_elsewhere(write: Write, tmp_path: Path) -> None:
    write("app/__init__.py", FACTORY)
    write("flasky.py", "from app import create_app\n\napp = create_app('flasky')\n")

    assert " Apps there: flasky:app." in message("", tmp_path)


def test_a_factory_that_needs_arguments_is_all_there_is(write: Write, tmp_path: Path) -> None:
    write("main.py", "def main(): ...\n")
    write("app/__init__.py", FACTORY)

    assert "The factory app:create_app needs arguments: config." in message("", tmp_path)


@pytest.mark.parametrize(
    ("variables", "text", "source"),
    [
        pytest.param({"QUART_APP": "shop:site"}, "", "QUART_APP", id="Quart"),
        pytest.param({"LITESTAR_APP": "shop:site"}, "FLASK_APP=main.py", "LITESTAR_APP", id="variable before file"),
        pytest.param({}, "A=1\nLITESTAR_APP=shop:site\n", "LITESTAR_APP in .env", id="Litestar in a file"),
        pytest.param({}, 'export QUART_APP = "shop:site" # here\n', "QUART_APP in .env", id="Quart in a file"),
    ],
)
def test_a_framework_s_variable_names_the_app(
    variables: dict[str, str], text: str, source: str, write: Write, tmp_path: Path
) -> None:
    write(".env", text)
    write("shop.py", FLASK.format("site"))
    write("main.py", APP)

    assert f"Found shop:site by {source}." in served_by("", tmp_path, **variables)


@pytest.mark.parametrize(
    ("files", "choice"),
    [
        pytest.param(["site.py"], "site:app", id="a module of another name"),
        pytest.param(["shop/__init__.py", "shop/main.py"], "shop.main:app", id="a package of another name"),
        pytest.param(
            ["shop/__init__.py", "shop/web/__init__.py", "shop/web/asgi.py"], "shop.web.asgi:app", id="deeper"
        ),
        pytest.param(["backend/main.py"], "backend/main.py:app", id="a folder"),
        pytest.param(
            ["backend/app/main.py", "backend/app/__init__.py"], "--app-dir backend", id="a project in a folder"
        ),
    ],
)
def test_what_is_elsewhere_is_suggested(files: list[str], choice: str, write: Write, tmp_path: Path) -> None:
    for file in files:
        write(file, "" if file.endswith("__init__.py") else APP)

    assert f" Apps there: {choice}. Name the app" in message("", tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("def broken(:\n", id="syntax"),
        pytest.param("app = '\0'\n", id="null byte"),
    ],
)
def test_a_module_that_cannot_be_read_is_imported_to_show_why(source: str, write: Write, tmp_path: Path) -> None:
    write("main.py", source)
    write("server.py", APP)

    assert failure("", tmp_path)["raised"] in ("SyntaxError", "ValueError")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("if __name__ == '__main__':\n    app = create()\n", id="only in a script"),
        pytest.param("app = None\n", id="a constant"),
        pytest.param("from typer import Typer\napp = Typer()\n", id="a command line"),
        pytest.param("import celery.app\napp = celery.app.Celery()\n", id="a queue"),
        pytest.param("def api(): ...\n", id="a function"),
        pytest.param("def create_app(name): ...\n", id="a factory that needs an argument"),
        pytest.param("from shop import api\n", id="a module"),
    ],
)
def test_a_module_without_an_app_is_not_imported(source: str, write: Write, tmp_path: Path) -> None:
    write("main.py", f"{source}\nraise SystemExit('imported')\n")
    write("server.py", APP)

    assert "Found server by server.py" in served_by("", tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("try:\n    from flask import Flask\nfinally:\n    app = Flask('main')\n", id="in a try"),
        pytest.param("import flask\nwith open(__file__):\n    web = flask.Flask('main')\n", id="in a with"),
        pytest.param("import flask as f\nif f:\n    web = f.Flask('main')\n", id="in an if"),
        pytest.param("import flask\nweb: flask.Flask = flask.Flask('main')\n", id="annotated"),
        pytest.param("from flask import Flask\nweb = other = Flask('main')\n", id="two names"),
        pytest.param("def app(environ, start_response): ...\n", id="a function"),
        pytest.param("async def application(scope, receive, send): ...\n", id="a coroutine function"),
        pytest.param(
            "def create_app(debug=False):\n    from flask import Flask\n    return Flask('main')\n", id="factory"
        ),
        pytest.param("from other import app\n", id="imported"),
        pytest.param("from other import *\n", id="imported by a star"),
    ],
)
def test_an_app_is_seen_in_the_source(source: str, write: Write, tmp_path: Path) -> None:
    write("main.py", source)
    write("other.py", APP)

    assert "Found main by main.py" in served_by("", tmp_path)


def test_a_project_file_that_cannot_be_read_is_an_error(write: Write, tmp_path: Path) -> None:
    write("pyproject.toml", "[tool.fastapi\n")
    write("main.py", APP)

    assert f"{tmp_path}/pyproject.toml cannot be read: Expected ']'" in message("", tmp_path)


@pytest.mark.parametrize(
    ("file", "text", "source"),
    [
        pytest.param(
            "pyproject.toml",
            '[tool.fastapi]\nentrypoint = "shop/main.py:app"\n',
            "entrypoint in pyproject.toml",
            id="FastAPI",
        ),
        pytest.param(
            ".flaskenv", "export FLASK_APP='shop/main.py:app'  # here\n", "FLASK_APP in .flaskenv", id="Flask"
        ),
    ],
)
def test_a_wrong_name_comes_with_its_place(file: str, text: str, source: str, write: Write, tmp_path: Path) -> None:
    write(file, text)

    assert message("", tmp_path).startswith(f"{source} is 'shop/main.py:app'. There is no file shop/main.py in")


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert message("", tmp_path, AWS_LWA_APP_DIR="backend") == (
        f"There is no folder {tmp_path}/backend. Set --app-dir or AWS_LWA_APP_DIR to the folder of the app."
    )


def test_computed_settings_of_django_have_to_be_named(write: Write, tmp_path: Path) -> None:
    write("manage.py", "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = os.environ['STAGE'] + '.settings'\n")

    assert "manage.py computes DJANGO_SETTINGS_MODULE. Set that variable" in message("", tmp_path)


def test_a_manage_py_of_something_else_is_ignored(write: Write, tmp_path: Path) -> None:
    write("manage.py", "from flask_script import Manager\n")
    write("main.py", APP)

    assert "Found main by main.py" in served_by("", tmp_path)


# Names.


def test_a_file_that_is_not_there_is_named(write: Write, tmp_path: Path) -> None:
    write("main.py", APP)

    assert message("app/main.py:app", tmp_path).startswith(f"There is no file app/main.py in {tmp_path}.")


def test_a_module_is_suggested_with_its_package(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "")
    write("shop/main.py", APP)

    assert "There are no modules there. Apps there: shop.main:app." in message("main:app", tmp_path)


def test_the_package_that_is_the_folder_itself_is_found_from_above(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "")
    write("shop/main.py", APP)

    assert "name the app with --app-dir .." in message("shop.main:app", tmp_path / "shop")
    served_by("shop.main:app", tmp_path / "shop", AWS_LWA_APP_DIR="..")


@pytest.mark.parametrize("name", ["main:create_app", "main"])
def test_a_factory_that_needs_arguments_is_named_with_them(name: str, write: Write, tmp_path: Path) -> None:
    write("main.py", FACTORY)

    assert "needs arguments: config. Name it with literals, as in 'main:create_app(\"…\")'" in message(name, tmp_path)
    served_by('main:create_app("shop")', tmp_path)


@pytest.mark.parametrize("name", ["main:create_app(shop)", "main:create_app(**{})", "main:create_app('shop'"])
def test_only_literals_can_be_arguments(name: str, write: Write, tmp_path: Path) -> None:
    write("main.py", FACTORY)

    assert 'A factory takes literals, such as main:create_app("dev", debug=False).' in message(name, tmp_path)


# Names that stand for something else.


def test_a_file_that_has_the_name_of_a_standard_module(write: Write, tmp_path: Path) -> None:
    write("types.py", APP)

    assert f"{tmp_path}/types.py is hidden by a module of Python's standard library: rename it." in message(
        "types:app", tmp_path
    )


def test_a_file_that_has_the_name_of_a_folder_beside_it(write: Write, tmp_path: Path) -> None:
    write("app.py", APP)
    write("app/__init__.py", "")

    assert f"{tmp_path}/app.py is hidden by the folder app/ beside it: rename one of them." in message(
        "app:app", tmp_path
    )


def test_a_file_that_has_the_name_of_a_package_it_imports(write: Write, tmp_path: Path) -> None:
    write("flask.py", APP)

    assert (
        note("flask:app", tmp_path)
        == f"{tmp_path}/flask.py hides the module flask that others import: rename the file."
    )


# Imports that fail.


def test_a_module_in_src_is_named_with_the_folder(write: Write, tmp_path: Path) -> None:
    write("src/shop/__init__.py", "")
    write("src/shop/main.py", f"import shop\n{APP}")

    assert note("src.shop.main:app", tmp_path) == (
        f"shop is in {tmp_path}/src, which is not in the path: name the app as shop.main:app with --app-dir src."
    )
    served_by("shop.main:app", tmp_path, AWS_LWA_APP_DIR="src")


def test_a_relative_import_needs_the_package(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "NAME = 'shop'\n")
    write("shop/main.py", f"from . import NAME\n{APP}")

    assert note("main:app", tmp_path / "shop") == (
        f"main was imported without its package shop. Name it as shop.main:app with --app-dir {tmp_path} "
        f"(AWS_LWA_APP_DIR), or as the file {tmp_path}/shop/main.py."
    )
    served_by("shop.main:app", tmp_path / "shop", AWS_LWA_APP_DIR=str(tmp_path))
    served_by(f"{tmp_path}/shop/main.py", tmp_path / "shop")


def test_a_package_that_is_the_folder_itself(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "NAME = 'shop'\n")
    write("shop/main.py", f"from shop import NAME\n{APP}")

    assert note("main:app", tmp_path / "shop") == (
        f"shop is in {tmp_path}: name the app as shop.main:app with --app-dir .. (AWS_LWA_APP_DIR=..)."
    )


@pytest.mark.parametrize(
    ("file", "text", "advice"),
    [
        pytest.param(
            "requirements.txt",
            "# web\nFlask>=3\nNo_Such.Module[extra]==1.0  # here\n",
            "requirements.txt requires No_Such.Module: install it where the app runs, by `{pip} -r requirements.txt`.",
            id="requirements",
        ),
        pytest.param(
            "pyproject.toml",
            '[project]\nname = "shop"\ndependencies = ["no-such-module>=1"]\n',
            "pyproject.toml requires no-such-module: install it where the app runs, by `{pip} no-such-module`.",
            id="project",
        ),
        pytest.param(
            "notes.txt", "", "Install the package that has it where the app runs, by `{pip} …`.", id="neither"
        ),
    ],
)
def test_a_package_that_is_missing(file: str, text: str, advice: str, write: Write, tmp_path: Path) -> None:
    write("main.py", "import no_such_module\n")
    write(file, text)

    advice = advice.format(pip=f"{sys.executable} -m pip install")
    assert note("main:app", tmp_path) == f"no_such_module is not installed for {sys.executable}. {advice}"


def test_a_package_that_is_missing_on_lambda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no pip, and nothing can be installed."""
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    error = ModuleNotFoundError("No module named 'yaml'", name="yaml")

    assert for_failed_import(error, "main:app", tmp_path) == (
        "yaml is not in the function's package. Add PyYAML to the project's requirements, and package it again."
    )


def test_a_package_whose_distribution_is_well_known(tmp_path: Path) -> None:
    error = ModuleNotFoundError("No module named 'bs4'", name="bs4")

    assert for_failed_import(error, "main:app", tmp_path).endswith(
        "by `" + sys.executable + " -m pip install beautifulsoup4`."
    )


class Unready:
    """A proxy, as of a framework that is not set up yet."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("Working outside of the context")


def test_an_error_about_an_object_of_the_app_s_own_leaves_that_alone(tmp_path: Path) -> None:
    error = AttributeError("no such attribute", name="x", obj=Unready())

    assert for_failed_import(error, "main:app", tmp_path) == ""


def test_a_folder_that_is_named_like_requirements_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").mkdir()
    error = ModuleNotFoundError("No module named 'yaml'", name="yaml_missing")

    assert "yaml_missing is not installed" in for_failed_import(error, "main:app", tmp_path)


def test_a_package_in_the_environment_of_the_project(write: Write, tmp_path: Path) -> None:
    write("main.py", "import no_such_module\n")
    write(".venv/lib/python3.11/site-packages/no_such_module/__init__.py", "")
    write(".venv/bin/python", "")

    python = tmp_path / ".venv/bin/python"
    assert note("main:app", tmp_path) == (
        f"no_such_module is installed for {python}, but this runs with {sys.executable}. Install lambda-web-adapter "
        f"there as well, and start it by `{python} -m lambda_web_adapter main:app`."
    )


def test_a_missing_module_of_a_package_that_is_there_has_no_advice(write: Write, tmp_path: Path) -> None:
    write("main.py", "import flask.no_such_module\n")

    assert note("main:app", tmp_path) == "ModuleNotFoundError: No module named 'flask.no_such_module'"


# Tracebacks.


def test_a_traceback_has_the_app_s_frames_and_the_last_ones_of_libraries(write: Write, tmp_path: Path) -> None:
    write("main.py", "import shop.models\n")
    write("shop/__init__.py", "")
    write("shop/models.py", "import json\n\n\njson.loads('{')\n")

    report = failure("main:app", tmp_path)

    files = [line.split('"')[1] for line in "".join(report["stack"]).splitlines() if line.startswith('  File "')]
    assert files[:2] == [f"{tmp_path}/main.py", f"{tmp_path}/shop/models.py"]
    assert [os.path.basename(os.path.dirname(file)) for file in files[2:]] == ["json"] * len(files[2:])
    assert 0 < len(files[2:]) <= 3
    assert report["logged"]


def test_frames_of_libraries_between_those_of_the_app_are_few(write: Write, tmp_path: Path) -> None:
    write("main.py", "import re\n\n\ndef fail(match):\n    raise LookupError\n\n\nre.sub('a', fail, 'a')\n")

    stack = "".join(failure("main:app", tmp_path)["stack"])

    assert stack.count("/re/__init__.py") == 1
    assert "in fail" in stack


@pytest.mark.parametrize(
    ("depth", "note"),
    [(9, "8 frames of libraries are left out.\n"), (2, "1 frame of a library is left out.\n")],
    ids=["several", "one"],
)
def test_packages_installed_beside_the_app_count_as_libraries(
    write: Write, tmp_path: Path, depth: int, note: str
) -> None:
    """As `pip install -t .` puts them into a zip."""
    write("main.py", "import deep\n")
    write(
        "deep/__init__.py",
        f"def fall(depth):\n    if depth:\n        fall(depth - 1)\n    raise LookupError\n\n\nfall({depth})\n",
    )
    write("deep-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: deep\nVersion: 1.0\n")
    write("deep-1.0.dist-info/RECORD", "deep/__init__.py,,\ndeep-1.0.dist-info/METADATA,,\n")

    report = failure("main:app", tmp_path)

    assert "".join(report["stack"]).count("deep/__init__.py") == 3
    assert report["stack"][-1] == note


def test_the_traceback_of_a_cause_is_shortened_too(write: Write, tmp_path: Path) -> None:
    write("main.py", "try:\n    import shop\nexcept ValueError as error:\n    raise LookupError from error\n")
    write("shop.py", "raise ValueError\n")

    stack = "".join(failure("main:app", tmp_path)["stack"])

    assert "importlib" not in stack
    assert "lambda_web_adapter" not in stack
    assert stack.count("main.py") == 2


def test_a_syntax_error_has_nothing_but_its_place(write: Write, tmp_path: Path) -> None:
    write("main.py", "import shop\n")
    write("shop.py", "x = (1,\ny = 2\n")

    stack = "".join(failure("main:app", tmp_path)["stack"])

    assert stack.count("File ") == 2
    assert f'  File "{tmp_path}/shop.py", line 1\n    x = (1,\n        ^\nSyntaxError: ' in stack


def test_a_traceback_of_the_local_run_has_lines(write: Write, tmp_path: Path) -> None:
    """On Lambda it is one event, whose lines end with carriage returns; a terminal would write them over each other."""
    write("main.py", "import no_such_module\n")

    command = [sys.executable, "-m", "lambda_web_adapter", "--port", "0", "main:app"]
    with Running(command, cwd=tmp_path, env=plain_environment()) as run:
        run.wait_for(
            r"The app cannot be imported\nTraceback .*\n  File .*\n    import no_such_module\nModuleNotFoundError"
        )
        run.wait_for("The app raised ModuleNotFoundError. The log has its traceback.")


# Any text.

PIECES = ["main", "app", ".py", ".", "..", "/", ":", "(", ")", "()", "'x'", "=", ",", "*", " ", "é", "\0", "1"]


@given(name=st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join) | st.text(min_size=1, max_size=30))
def test_any_text_is_a_name_or_an_error(name: str) -> None:
    with suppress(AppNotFound):
        assert parse_name(name, APPS).module
