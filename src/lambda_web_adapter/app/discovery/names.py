"""What a name of an app can be: a module or a file, and in it an app or a factory with arguments."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from lambda_web_adapter.app.discovery.source_scan import scan
from lambda_web_adapter.errors import AppNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    # The arguments with which a factory is called, by position and by name.
    Arguments = tuple[Sequence[Any], Mapping[str, Any]]

HINT = "Name the app on the command line or in AWS_LWA_APP, for example main:app for `app` in main.py."
_FACTORY = 'A factory takes literals, such as main:create_app("dev", debug=False).'


class Target(NamedTuple):
    """Where the app is.

    Attributes:
        module: the module to import.
        attribute: the name in it, which may have dots; empty to search the module for its app.
        call: the arguments with which to call it, by position and by name; None if only a factory is called.
        folders: the folders to put first in `sys.path`, one before the other.
    """

    module: str
    attribute: str = ""
    call: Arguments | None = None
    folders: tuple[str, ...] = ()


def parse_name(name: str, folder: Path, *, may_be_handler: bool = True) -> Target:
    """Return the target that a name describes.

    Args:
        name: such as `main`, `app/main.py:app`, or `main:create_app("dev")`.
        folder: the folder to which a file's path is relative.
        may_be_handler: whether the dot in `main.app` may stand for a colon, as in Lambda's handlers.

    Raises:
        AppNotFound: it describes none, or a file that does not exist.
    """
    place, separator, expression = _split(name, may_be_handler=may_be_handler)
    if separator and not expression:
        raise AppNotFound(f"{name!r} does not name an app. {HINT}")
    attribute, call = _parse_expression(name, expression) if separator else ("", None)
    if path := _file(place, folder):
        file = target_of_file(path, folder)
        return Target(file.module, attribute, call, file.folders)
    if not all(part.isidentifier() for part in place.split(".")):
        raise AppNotFound(f"{name!r} does not name an app. {HINT}")
    return Target(place, attribute, call)


def _split(name: str, *, may_be_handler: bool) -> tuple[str, str, str]:
    """Return module or file, a separator if there is one, and what follows it."""
    head, parenthesis, arguments = name.partition("(")
    if ":" in head or (name.endswith(".py") and not parenthesis):
        place, separator, attribute = head.partition(":")
    elif may_be_handler and "/" not in head and "." in head:
        place, separator, attribute = head.rpartition(".")
    else:
        place, separator, attribute = head, "", ""
    return place, separator or parenthesis, f"{attribute}{parenthesis}{arguments}"


def _parse_expression(name: str, expression: str) -> tuple[str, Arguments | None]:
    """Return the attribute, and the arguments if it is called, as Flask's command line reads them."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
        if not isinstance(tree, ast.Call):
            return _dotted(tree), None
        if any(keyword.arg is None for keyword in tree.keywords):
            raise ValueError("** is no literal")
        keywords = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in tree.keywords}
        return _dotted(tree.func), ([ast.literal_eval(value) for value in tree.args], keywords)
    except (SyntaxError, ValueError):
        raise AppNotFound(f"{name!r} does not name an app. {HINT} {_FACTORY}") from None


def _dotted(node: ast.expr) -> str:
    text = ast.unparse(node)
    if not re.fullmatch(r"\w+(\.\w+)*", text) or text[0].isdigit():
        raise ValueError(f"{text} is no name")
    return text


def _file(place: str, folder: Path) -> Path | None:
    """Return the file that a path stands for; None if the place is a module's name.

    Raises:
        AppNotFound: there is no such file.
    """
    path = folder / place
    is_path = "/" in place or "\\" in place
    for candidate in (path, path.with_name(f"{path.name}.py") if path.name else path, path / "__init__.py"):
        if (is_path or place.endswith(".py")) and candidate.is_file():
            return candidate
    if is_path or (place.endswith(".py") and not (folder / place.removesuffix(".py")).is_dir()):
        raise AppNotFound(f"There is no file {place} in {folder}. {HINT}")
    return None


def target_of_file(path: Path, root: Path) -> Target:
    """Return the module that a file is, and the folder that `sys.path` needs for it.

    As in FastAPI's command line, that is the first folder above without `__init__.py`, so that relative imports work.
    A folder without that file is a package, too, if the module imports relatively or from the folder by its name.

    Args:
        path: the file.
        root: the folder whose modules are top-level modules; its `__init__.py`, if there is one, does not count unless
            the module imports relatively.
    """
    source = scan(path)
    is_init = path.name == "__init__.py"
    parts = [] if is_init else [path.stem]
    folder = path.parent.resolve()
    root = root.resolve()
    level = source.level
    while is_init or _is_package(folder, root, level, source.packages):
        parts.insert(0, folder.name)
        folder = folder.parent
        level -= 1
        is_init = False
    return Target(".".join(parts), folders=tuple(dict.fromkeys((str(root), str(folder)))))


def _is_package(folder: Path, root: Path, level: int, imported: set[str]) -> bool:
    if level > 0:
        return True
    if folder == root or folder == folder.parent:
        return False
    return (folder / "__init__.py").is_file() or (root in folder.parents and folder.name in imported)
