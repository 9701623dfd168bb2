"""The handler of a package, and what a start needs to find the app itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambda_web_adapter.packaging.compiled_modules import compile_modules
from lambda_web_adapter.packaging.contents import APP, Contents, Item
from lambda_web_adapter.packaging.handler import FOUND_AT_START, find_handler, sources_of_search
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.target import build_target

TARGET = build_target(f"{sys.version_info.major}.{sys.version_info.minor}", "x86_64")


def contents_of(*paths: str) -> Contents:
    return Contents({path: Item(owner=APP, content=b"x = 1\n") for path in paths})


@pytest.mark.parametrize(
    ("handler", "paths", "sources"),
    [
        pytest.param("main:app", ["main.py"], [], id="named"),
        pytest.param(FOUND_AT_START, ["manage.py", "site1/settings.py"], ["manage.py"], id="django"),
        pytest.param(FOUND_AT_START, ["src/manage.py"], ["src/manage.py"], id="django-in-src"),
    ],
)
def test_the_sources_that_name_a_django_app_stay(handler: str, paths: list[str], sources: list[str]) -> None:
    assert sources_of_search(handler, contents_of(*paths)) == sources


def test_an_app_that_is_searched_in_sources_needs_them() -> None:
    with pytest.raises(PackagingError, match="Name it: --app main:app"):
        sources_of_search(FOUND_AT_START, contents_of("main.py"))


def test_a_source_that_stays_has_bytecode_beside_it() -> None:
    contents = contents_of("manage.py", "main.py")

    compile_modules(contents, sys.executable, TARGET, keeps_sources=False, kept=["manage.py"])

    assert set(contents.items) == {"manage.py", f"__pycache__/manage.{TARGET.cache_tag}.pyc", "main.pyc"}


def test_an_app_in_another_folder_is_one_to_package(tmp_path: Path) -> None:
    """`package` has a folder as its argument, where other commands have `--app-dir`."""
    (tmp_path / "apps" / "api").mkdir(parents=True)
    (tmp_path / "apps" / "api" / "main.py").write_text("from flask import Flask\napp = Flask(__name__)\n")

    with pytest.raises(PackagingError, match=f"Apps there: lambda-web-adapter package {tmp_path}/apps. ") as error:
        find_handler(tmp_path, "")

    assert "--app-dir" not in str(error.value)
