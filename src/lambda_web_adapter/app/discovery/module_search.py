"""Find the app in a module that is imported: under a usual name, or as the only object that is one."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MethodType, ModuleType
from typing import TYPE_CHECKING

from lambda_web_adapter.app.discovery.frameworks import (
    CERTAIN_NAMES,
    NAMES,
    is_other_app,
    is_web_app,
)
from lambda_web_adapter.app.discovery.names import HINT
from lambda_web_adapter.app.middleware import is_class, is_coroutine_callable, is_function, required_arguments
from lambda_web_adapter.errors import AppNotFound

if TYPE_CHECKING:
    from typing import Any

_MAX_SUGGESTIONS = 5


def find_name(module: ModuleType) -> str:
    """Return the name that the app has in a module.

    Raises:
        AppNotFound: it has none, or several; the message names those that may be meant.
    """
    for name in NAMES:
        if hasattr(module, name) and _may_be_app(name, getattr(module, name)):
            return name
    apps = {id(value): name for name, value in _public_values(module) if _is_web_app(value)}
    if len(apps) == 1:
        return apps.popitem()[1]
    if apps:
        choices = ", ".join(f"{module.__name__}:{name}" for name in apps.values())
        raise AppNotFound(f"Module {module.__name__!r} has {len(apps)} apps. Name one of them: {choices}.")
    raise AppNotFound(
        f"Module {module.__name__!r} has none of {', '.join(NAMES)}.{suggest(module)}{_other_file(module)} {HINT}"
    )


def submodule(module: ModuleType, name: str) -> ModuleType:
    """Return a module in a package, for a name that the package does not have.

    Raises:
        AppNotFound: there is no such module either.
    """
    if name.isidentifier() and hasattr(module, "__path__") and find_spec(f"{module.__name__}.{name}"):
        return import_module(f"{module.__name__}.{name}")
    hints = f"{suggest(module)}{_other_file(module)}"
    raise AppNotFound(f"Module {module.__name__!r} has no attribute {name!r}.{hints} {HINT}")


def suggest(module: ModuleType) -> str:
    """Return a hint at what looks like an app in a module; empty if nothing looks like one."""
    names = [name for name, value in _public_values(module) if _looks_like_app(value)]
    return f" It has {', '.join(names[:_MAX_SUGGESTIONS])}, which may be what you mean." if names else ""


def _public_values(module: ModuleType) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in vars(module).items() if not name.startswith("_")]


def _may_be_app(name: str, value: Any) -> bool:
    """Return whether the value of a usual name can be meant; a package has its submodules under their names, too."""
    if issubclass(type(value), ModuleType) or not callable(value) or is_other_app(value):
        return False
    if name in CERTAIN_NAMES:
        return True
    if is_function(value):  # without arguments it is a view or a command rather than a factory
        return required_arguments(value) in (2, 3)
    return _is_web_app(value) or _looks_like_app(value)


def _is_web_app(value: Any) -> bool:
    return not is_class(value) and not is_function(value) and is_web_app(value)


def _looks_like_app(value: Any) -> bool:
    if is_class(value) or is_function(value) or type(value) is MethodType or not callable(value):
        return False
    return is_coroutine_callable(value) or required_arguments(value) in (2, 3)


def _other_file(module: ModuleType) -> str:
    """Return a hint at a file that is not the module although its name suggests it; empty if there is none."""
    name = module.__name__
    path = getattr(module, "__file__", None)
    for folder in map(Path, sys.path):
        file = folder / f"{name}.py"
        if not file.is_file() or (path and file.samefile(path)):
            continue
        if path and Path(path) == folder / name / "__init__.py":
            return f" {file} is hidden by the folder {name}/ beside it: rename one of them."
        if name in sys.stdlib_module_names:
            return f" {file} is hidden by a module of Python's standard library: rename it."
    return ""
