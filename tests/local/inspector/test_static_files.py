"""The files of the inspector's page: they are complete, come from nowhere else, and never make HTML of data."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lambda_web_adapter.local.inspector.api import STATIC
from lambda_web_adapter.local.inspector.comparison import VOLATILE

MODULES = sorted(STATIC.glob("js/*.js"))
STYLES = sorted(STATIC.glob("css/*.css"))
# What makes markup or code of a text; the page shows what comes from events by `textContent` alone.
UNSAFE = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function\(|DOMParser|srcdoc|setHTMLUnsafe"
    r"|createContextualFragment)\b"
)


def test_the_page_names_each_style_and_its_first_module() -> None:
    html = (STATIC / "index.html").read_text()

    links = re.findall(r'(?:href|src)="([^"]+)"', html)

    assert sorted(links) == sorted(["icon.svg", "js/main.js", *(f"css/{path.name}" for path in STYLES)])
    assert not re.search(r"<style|<script>|style=|\son\w+=", html)  # the Content-Security-Policy would refuse them


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module(path: Path) -> None:
    text = path.read_text()
    imported = re.findall(r'\bfrom "([^"]+)"', text)

    assert [name for name in imported if not (path.parent / name).is_file()] == []
    assert UNSAFE.findall(text) == []
    assert len(text.splitlines()) <= 300
    if node := shutil.which("node"):
        subprocess.run([node, "--check", str(path)], check=True)


def test_each_module_is_imported() -> None:
    imported = {name for path in MODULES for name in re.findall(r'\bfrom "\./([^"]+)"', path.read_text())}

    assert {path.name for path in MODULES} - imported == {"main.js"}


def test_the_page_compares_the_same_headers_as_the_command() -> None:
    (names,) = re.findall(r"VOLATILE = new Set\(\[(.*?)\]\)", (STATIC / "js/compare.js").read_text(), re.DOTALL)

    assert set(re.findall(r'"([^"]+)"', names)) == VOLATILE


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_come_from_nowhere_else(path: Path) -> None:
    assert not re.search(r"@import|url\(", path.read_text())
