"""The recipe for tests with a browser is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.recipes import IN_BROWSER, run_recipe, write_recipe

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(180)  # three local runs and browsers
@pytest.mark.parametrize("recipe", IN_BROWSER)
def test_a_recipe_passes(recipe: str, tmp_path: Path) -> None:
    write_recipe(recipe, tmp_path)

    assert run_recipe(tmp_path)
