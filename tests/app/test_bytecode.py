"""A start that compiles modules says so, since on Lambda each start does it again."""

from __future__ import annotations

import compileall
import py_compile
import re
from typing import TYPE_CHECKING

import pytest
from app.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

MAIN = """
import one

def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"served"]
"""
INFO = {"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tea", "AWS_LAMBDA_LOG_LEVEL": "INFO", "PYTHONDONTWRITEBYTECODE": "1"}


def log(folder: Path, **variables: str) -> str:
    with serving("main:app", {**INFO, **variables}, folder=folder) as served:
        assert served.stop() == 0
        return served.output()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(MAIN)
    (tmp_path / "one.py").write_text("import two")
    (tmp_path / "two.py").write_text("")
    return tmp_path


def test_how_many_and_how_long(folder: Path) -> None:
    assert re.search(
        r"\tModules compiled by the app's import, for lack of valid bytecode: 3, in \d+ ms\. ", log(folder)
    )


def test_it_is_said_at_level_info_only(folder: Path) -> None:
    assert log(folder, AWS_LAMBDA_LOG_LEVEL="WARN") == ""


@pytest.mark.parametrize("mode", py_compile.PycInvalidationMode)
def test_nothing_is_said_where_all_is_compiled(folder: Path, mode: py_compile.PycInvalidationMode) -> None:
    compileall.compile_dir(folder, quiet=1, invalidation_mode=mode)

    assert log(folder) == ""


def test_bytecode_of_another_time_is_not_valid(folder: Path) -> None:
    compileall.compile_dir(folder, quiet=1)
    (folder / "one.py").write_text("import two  # and more")

    assert "for lack of valid bytecode: 1, " in log(folder)


def test_nothing_is_said_where_bytecode_is_kept(folder: Path) -> None:
    assert log(folder, PYTHONDONTWRITEBYTECODE="") == ""


def test_what_the_app_patches_stays_patched(folder: Path) -> None:
    (folder / "two.py").write_text(
        "from importlib.machinery import SourceFileLoader\n"
        "def patched(*args): raise AssertionError\n"
        "SourceFileLoader.source_to_code = patched\n"
    )
    (folder / "main.py").write_text(MAIN.replace('[b"served"]', "[SourceFileLoader.source_to_code.__name__.encode()]"))
    with (folder / "main.py").open("a") as file:
        file.write("from importlib.machinery import SourceFileLoader\n")

    with serving("main:app", folder=folder) as served, served.connect() as client:
        assert client.ask("GET", "/").body == b"patched"
