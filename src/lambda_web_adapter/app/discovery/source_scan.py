"""See from a module's source, without running it, which of its names may be apps and what it imports."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from lambda_web_adapter.app.discovery.frameworks import (
    CERTAIN_NAMES,
    FACTORY_NAMES,
    NAMES,
    OBJECT_NAMES,
    is_other_package,
    is_web_class,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Scan:
    """What the source of a module shows.

    Attributes:
        apps: names that are apps, or factories without arguments.
        doubtful: names that may be: of unknown classes, or imported by a star.
        factories: factories that need arguments, or are async.
        packages: the top-level packages that it imports absolutely.
        level: the most dots that one of its relative imports begins with; 0 without such imports.
        is_broken: whether it has a syntax error, which its import shows.
    """

    def __init__(self, *, is_broken: bool = False) -> None:
        """Start with nothing."""
        self.apps: list[str] = []
        self.doubtful: list[str] = []
        self.factories: list[str] = []
        self.packages: set[str] = set()
        self.level = 0
        self.is_broken = is_broken

    @property
    def app(self) -> str:
        """Return the name that comes first in the order of lookup; empty if nothing is an app for sure."""
        usual = [name for name in NAMES if name in self.apps]
        return (usual or self.apps or [""])[0]


def scan(path: Path) -> Scan:
    """Return what the source of a file shows; nothing if the file cannot be read."""
    try:
        source = path.read_bytes()
    except OSError:
        return Scan()
    return scan_source(source)


def scan_source(source: bytes) -> Scan:
    """Return what a source shows."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # the latter for null bytes
        return Scan(is_broken=True)
    result = Scan()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            result.packages.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            result.level = max(result.level, node.level)
            if not node.level and node.module:
                result.packages.add(node.module.partition(".")[0])
    _Names(result).add_all(_statements(tree.body))
    return result


def environ_default(path: Path, variable: str) -> str | None:
    """Return the value that a module sets an environment variable to, by `setdefault` or by assignment.

    Returns:
        The value; empty if it is computed; None if the module does not set the variable.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return None
    for node in ast.walk(tree):
        value: ast.expr | None = None
        match node:
            case ast.Call(func=ast.Attribute(attr="setdefault"), args=[ast.Constant(value=name), value]):
                pass
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=name))], value=value):
                pass
            case _:
                continue
        if name == variable:
            return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
    return None


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run at an import, also those within `if`, `try` and `with`."""
    for node in body:
        match node:
            case ast.If() if _is_for_others(node.test):
                yield from _statements(node.orelse)
            case ast.If():
                yield from _statements([*node.body, *node.orelse])
            case ast.Try():
                handled = [statement for handler in node.handlers for statement in handler.body]
                yield from _statements([*node.body, *handled, *node.orelse, *node.finalbody])
            case ast.With():
                yield from _statements(node.body)
            case _:
                yield node


def _is_for_others(test: ast.expr) -> bool:
    """Return whether a condition is false at an import: for type checkers, or for a script."""
    text = ast.unparse(test)
    return text in ("TYPE_CHECKING", "typing.TYPE_CHECKING") or "__name__" in text


class _Names:
    """Collects the names of apps, statement by statement."""

    def __init__(self, result: Scan) -> None:
        self._scan = result
        self._origins: dict[str, tuple[str, ...]] = {}  # of imported names: module path and, if any, the name in it

    def add_all(self, statements: Iterable[ast.stmt]) -> None:
        for node in statements:
            match node:
                case ast.Import():
                    self._add_modules(node)
                case ast.ImportFrom():
                    self._add_imported(node)
                case ast.Assign(targets=targets, value=value):
                    self._add_assigned(targets, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._add_assigned([target], value)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self._add_function(node)

    def _add(self, name: str, *, is_certain: bool) -> None:
        for names in (self._scan.apps, self._scan.doubtful):
            if name in names:
                names.remove(name)
        (self._scan.apps if is_certain else self._scan.doubtful).append(name)

    def _add_modules(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            self._origins[alias.asname or name] = tuple(name.split("."))

    def _add_imported(self, node: ast.ImportFrom) -> None:
        module = tuple((node.module or "").split("."))
        for alias in node.names:
            name = alias.asname or alias.name
            self._origins[name] = ("", *module, alias.name) if node.level else (*module, alias.name)
            if name == "*":
                self._add(name, is_certain=False)
            elif name in CERTAIN_NAMES and not is_other_package(module[0]):
                self._add(name, is_certain=True)

    def _add_assigned(self, targets: list[ast.expr], value: ast.expr) -> None:
        origin = self._origin(value.func) if isinstance(value, ast.Call) else ()
        if origin and is_other_package(origin[0]):
            return
        is_web = bool(origin) and is_web_class(origin[0], origin[-1])
        for name in (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)):
            if is_web or (name in CERTAIN_NAMES and not isinstance(value, ast.Constant)):
                self._add(name, is_certain=True)
            elif name in OBJECT_NAMES and isinstance(value, ast.Call):
                self._add(name, is_certain=False)

    def _add_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name in FACTORY_NAMES:
            positional = [*node.args.posonlyargs, *node.args.args]
            needs = len(positional) > len(node.args.defaults) or None in node.args.kw_defaults
            if needs or isinstance(node, ast.AsyncFunctionDef):
                self._scan.factories.append(node.name)
            else:
                self._add(node.name, is_certain=True)
        elif node.name in CERTAIN_NAMES:
            self._add(node.name, is_certain=True)

    def _origin(self, called: ast.expr) -> tuple[str, ...]:
        """Return the dotted path of what is called, such as `("flask", "Flask")`; empty if that cannot be seen."""
        match called:
            case ast.Name(id=name):
                return self._origins.get(name, ())
            case ast.Attribute(value=value, attr=name):
                origin = self._origin(value)
                return (*origin, name) if origin else ()
        return ()
