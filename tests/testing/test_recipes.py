"""The recipes for tests are run, those that need no more than the packages of this suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.recipes import HEAVY, IN_BROWSER, LIGHT, read_blocks, run_recipe, write_recipe

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_every_block_is_a_file_of_a_recipe_that_is_run() -> None:
    names = [name for name, _ in read_blocks()]

    assert {name.rpartition("/")[0] for name in names} == {"", *LIGHT, *HEAVY, *IN_BROWSER}
    assert [name for name in names if "/" not in name] == ["pyproject.toml", "conftest.py"]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("recipe", sorted({*LIGHT} - {"snapshots"}))
def test_a_recipe_passes(recipe: str, tmp_path: Path) -> None:
    write_recipe(recipe, tmp_path)

    assert run_recipe(tmp_path)


def test_snapshots_are_taken_and_compared(tmp_path: Path) -> None:
    write_recipe("snapshots", tmp_path)

    assert run_recipe(tmp_path, "--snapshot-update") == run_recipe(tmp_path)
