"""The recipes for tests that need large packages are run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.recipes import HEAVY, run_recipe, write_recipe

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(300)  # Schemathesis sends thousands of requests
@pytest.mark.parametrize("recipe", HEAVY)
def test_a_recipe_passes(recipe: str, tmp_path: Path) -> None:
    write_recipe(recipe, tmp_path)

    assert run_recipe(tmp_path)
