"""What the pages about tests show is run: each block of Python is a file, named behind its fence."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PAGES = {name: (PROJECT / "docs" / f"{name}.md").read_text() for name in ("runtime-api-for-tests", "pytest-plugin")}
_FILE = re.compile(r"^```(?:python|toml) ?(?P<name>\S*)\n(?P<text>(?:(?!```).*\n)*)```$", re.MULTILINE)
FILES = [(page, match["name"], match["text"]) for page, text in PAGES.items() for match in _FILE.finditer(text)]
TESTS = [(page, name) for page, name, _ in FILES if name.startswith("test_")]


def write_page(page: str, folder: Path) -> None:
    """Write all files of a page."""
    (folder / "pytest.ini").write_text("[pytest]\n")  # the root of the run; a page's own pyproject.toml replaces it
    for shown_on, name, text in FILES:
        if shown_on == page:
            (folder / name).write_text(text)
            if name == "pyproject.toml":
                (folder / "pytest.ini").unlink()


def run(*command: str, folder: Path) -> str:
    finished = subprocess.run(
        [sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


def test_every_block_has_a_name() -> None:
    assert [(page, text) for page, name, text in FILES if not name] == []
    assert len(TESTS) >= 10


@pytest.mark.parametrize(("page", "name"), TESTS, ids=[name for _, name in TESTS])
def test_the_tests_of_a_page_pass(page: str, name: str, tmp_path: Path) -> None:
    write_page(page, tmp_path)

    run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", name, folder=tmp_path)


def test_it_works_without_pytest(tmp_path: Path) -> None:
    write_page("runtime-api-for-tests", tmp_path)

    assert run("without_pytest.py", folder=tmp_path) == "{'hello': 'Ada'}\n"


@pytest.mark.parametrize("arguments", ["", " --lambda-sources=all"], ids=["default", "all"])
def test_the_output_is_what_pytest_prints(arguments: str, tmp_path: Path) -> None:
    write_page("pytest-plugin", tmp_path)
    (shown,) = re.findall(rf"^\$ pytest -v{arguments}\n((?:.*PASSED\n)+)", PAGES["pytest-plugin"], re.MULTILINE)

    options = ["-p", "no:cacheprovider", "-p", "no:randomly", *arguments.split()]
    printed = run("-m", "pytest", "-v", *options, "test_main.py", folder=tmp_path)

    assert re.findall(r"^(\S+ PASSED)", printed, re.MULTILINE) == shown.splitlines()
