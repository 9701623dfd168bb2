"""Leave modules out of a start: the app's own modules get placeholders instead, as if they imported them later.

Other packages that import such a module get it: then it is loaded anyway, and to leave it for later saves nothing.
"""

from __future__ import annotations

import builtins
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any, NoReturn

    from lambda_web_adapter.doctor.start.own_files import OwnFiles


class UsedWhileLeftOut(ImportError):
    """Something of a module that was left out is needed after all."""


class Placeholder(ModuleType):
    """Stands for a module that was left out, and for all that is imported from it; any use raises an error."""

    def __init__(self, name: str, report: Callable[[str], None]) -> None:
        """Begin with its name, and what gets the name when it is used."""
        super().__init__(name)
        self.__dict__["_report"] = report

    def __getattr__(self, name: str) -> Placeholder:
        """Return what is imported from the module by `from module import name`."""
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Placeholder(f"{self.__name__}.{name}", self.__dict__["_report"])

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        self.__dict__["_report"](self.__name__)
        raise UsedWhileLeftOut(f"{self.__name__} was left out.", name=self.__name__)

    __call__ = __mro_entries__ = __getitem__ = __or__ = __ror__ = __instancecheck__ = __subclasscheck__ = _refuse
    __iter__ = __enter__ = __setattr__ = __contains__ = __bool__ = __len__ = _refuse


class _Package(ModuleType):
    """A package of which some modules were left out."""

    def __init__(self, package: ModuleType, left_out: dict[str, Placeholder]) -> None:
        super().__init__(package.__name__)
        self.__dict__.update({"_package": package, **left_out})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_package"], name)


def leave_out(names: Collection[str], own: OwnFiles, report: Callable[[str], None]) -> None:
    """Have all imports at the top of the app's own modules give placeholders for these modules.

    Args:
        names: the modules, with all that is in them if they are packages.
        own: which modules are the app's.
        report: gets the name of what is used all the same.
    """
    prefixes = tuple(f"{name}." for name in names)
    original = builtins.__import__

    def is_left_out(name: str) -> bool:
        return name in names or name.startswith(prefixes)

    def import_module(
        name: str, variables: Any = None, local_variables: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        is_at_top = variables is not None and variables is local_variables
        if not is_at_top or not own.contains(variables.get("__file__")):
            return original(name, variables, local_variables, fromlist, level)
        full_name = _absolute(name, variables, level)
        if is_left_out(full_name):
            top = full_name if fromlist or level else full_name.partition(".")[0]
            return Placeholder(top, report)
        items = {item for item in fromlist or () if is_left_out(f"{full_name}.{item}")}
        if not items:
            return original(name, variables, local_variables, fromlist, level)
        rest = tuple(item for item in fromlist if item not in items)
        original(name, variables, local_variables, rest or ("__name__",), level)
        package = sys.modules[full_name]
        return _Package(package, {item: Placeholder(f"{full_name}.{item}", report) for item in items})

    vars(builtins)["__import__"] = import_module


def _absolute(name: str, variables: dict[str, Any], level: int) -> str:
    """Return the full name of a module that is imported with so many leading dots."""
    if not level:
        return name
    package = str(variables.get("__package__") or "").rsplit(".", level - 1)[0]
    return f"{package}.{name}".rstrip(".")
