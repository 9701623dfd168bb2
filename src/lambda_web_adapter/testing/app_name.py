"""The name by which another process finds an app that a test has as an object."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Modules of tests, which only import the app. A process that imported one might start itself again.
_OF_TESTS = re.compile(r"__main__|(.*\.)?(conftest|test_[^.]*|[^.]*_test)")


def find_app(app: Any) -> tuple[str, str]:
    """Return an app's name, such as `main:app`, and the folder from which its module can be imported.

    Raises:
        ValueError: it is no global of a module other than a test's.
    """
    places = list(_globals_with(app))
    if not places:
        raise ValueError(
            f"{app!r:.100} is no global of a module, other than of tests, so that another process cannot find it. Pass "
            "its name, such as main:app, or leave out as_process."
        )
    module, attribute, file = next((each for each in places if _is_assigned(each[1], each[2])), places[0])
    parts = module.split(".")
    levels = len(parts) if file.stem == "__init__" else len(parts) - 1
    return f"{module}:{attribute}", str(file.resolve().parents[levels])


def _globals_with(app: Any) -> Iterator[tuple[str, str, Path]]:
    """Yield module, attribute and file of each global that is the app."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and not _OF_TESTS.fullmatch(name):
            yield from ((name, key, Path(file)) for key, value in list(vars(module).items()) if value is app)


def _is_assigned(attribute: str, file: Path) -> bool:
    """Return whether a module's source assigns the attribute, and does not only import it."""
    try:
        source = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(rf"^{re.escape(attribute)}\b[^=\n]*=", source, re.MULTILINE) is not None
