"""The recipes of the pages about tests: each block of code is a file, named behind its fence, of a recipe's folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from support.processes import PROJECT

PAGES = [PROJECT / "docs" / "testing-recipes.md", PROJECT / "docs" / "testing-tools.md"]
# What each recipe needs besides the packages of the whole suite decides where it is run.
LIGHT = [
    *("overrides", "sessions", "event_loop", "background", "freeze", "cold_start", "timeouts", "async_timeouts"),
    *("concurrency", "claims", "limits", "queue", "streams", "hypothesis", "snapshots"),
]
HEAVY = ["django", "schemathesis", "moto"]
IN_BROWSER = ["selenium"]
# Recipes that test an example.
_EXAMPLES = {"schemathesis": "fastapi_app", "selenium": "flask_app"}
_BLOCK = re.compile(r"^```(?P<language>python|toml) ?(?P<name>\S*)\n(?P<text>(?:(?!```).*\n)*)```$", re.MULTILINE)


def read_blocks() -> list[tuple[str, str]]:
    """Return the names and texts of all blocks of Python and TOML."""
    return [(match["name"], match["text"]) for page in PAGES for match in _BLOCK.finditer(page.read_text())]


def write_recipe(recipe: str, folder: Path) -> None:
    """Write the files that all recipes share, and then those of a recipe, which may replace them."""
    if recipe in _EXAMPLES:
        shutil.copytree(PROJECT / "examples" / _EXAMPLES[recipe], folder, dirs_exist_ok=True)
    for name, text in sorted(read_blocks(), key=lambda block: "/" in block[0]):
        owner, _, file = name.rpartition("/")
        if owner in ("", recipe):
            (folder / file).write_text(text)


def run_recipe(folder: Path, *options: str) -> int:
    """Run the tests in a folder by pytest; return how many have passed, after all have."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "--strict-markers", *options]
    environ = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    finished = subprocess.run(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    counts = re.search(r"^=+ (\d+) passed(, \d+ deselected)? in [^,]+ =+$", finished.stdout, re.MULTILINE)
    assert finished.returncode == 0, finished.stdout
    assert counts, finished.stdout
    return int(counts[1])
