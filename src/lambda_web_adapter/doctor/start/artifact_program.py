"""Run a module of the doctor in a Python that has only what an artifact has.

Executed as a file, so that the folder of the doctor's own packages is not in the path. Arguments: the orders of
`artifact_python` as literals, the name of the module, then the module's arguments.
"""

from __future__ import annotations

import ast
import runpy
import sys
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class ModuleSource:
    """Finds modules by their full names in folders that are not in the path; what is in them follows by itself."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        """Take the folder of each module."""
        self._folders = folders

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where a module is; None for all others."""
        folder = self._folders.get(name)
        return PathFinder.find_spec(name, [folder], target) if folder else None


def main(orders: str, module: str) -> None:
    """Prepare the path, and run the module."""
    folders, first, last = ast.literal_eval(orders)
    sys.path[:0] = folders
    finders: Any = sys.meta_path
    finders.insert(0, ModuleSource(first))
    finders.append(ModuleSource(last))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    order, name = sys.argv[1:3]
    del sys.argv[1:3]
    main(order, name)
