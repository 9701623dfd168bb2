"""The calls in a module's source, with the full names of what is called, without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCall:
    """A call in a source.

    Attributes:
        name: the full name of what is called, such as `multiprocessing.Queue`; for a method of what a call or a name
            of the module has, the name of the method after a dot: `.write_text`.
        node: the call.
        owner: what a method is called on, or None.
        at_import: whether it runs when the module is imported.
    """

    name: str
    node: ast.Call
    owner: ast.expr | None
    at_import: bool

    @property
    def line(self) -> int:
        """Return the line."""
        return self.node.lineno

    def argument(self, position: int, name: str) -> ast.expr | None:
        """Return an argument by its position or its name; None if there is none."""
        named = next((keyword.value for keyword in self.node.keywords if keyword.arg == name), None)
        if named is not None or position < 0 or position >= len(self.node.args):
            return named
        return self.node.args[position]

    def constant(self, position: int, name: str) -> object:
        """Return the value of an argument that is a constant; None if it is none."""
        value = self.argument(position, name)
        return value.value if isinstance(value, ast.Constant) else None


class Source:
    """A parsed module.

    Attributes:
        path: where it is in the artifact.
        tree: its syntax tree.
        constants: what its names are assigned to at the top of the module.
        calls: its calls, but for those that only run as a script.
    """

    def __init__(self, path: str, data: bytes) -> None:
        """Parse a module.

        Raises:
            SyntaxError: this Python cannot parse it.
            ValueError: it has null bytes.
        """
        self.path = path
        self.tree = ast.parse(data)
        self._origins = _origins(self.tree)
        self.constants: dict[str, ast.expr] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                self.constants.update({each.id: node.value for each in node.targets if isinstance(each, ast.Name)})
        self.calls = list(self._calls(self.tree.body, at_import=True))

    def name_of(self, node: ast.expr) -> str:
        """Return the full name of an expression; empty if it is no name of something imported or built in."""
        match node:
            case ast.Name(id=name):
                return self._origins.get(name, "" if name in self.constants else name)
            case ast.Attribute(value=value, attr=name):
                owner = self.name_of(value)
                return f"{owner}.{name}" if owner and self._is_imported(value) else ""
        return ""

    def _is_imported(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self._origins

    def _calls(self, nodes: Iterable[ast.AST], *, at_import: bool) -> Iterator[SourceCall]:
        for node in nodes:
            if isinstance(node, ast.If) and _is_never_run(node.test):
                yield from self._calls(node.orelse, at_import=at_import)
                continue
            if isinstance(node, ast.Call):
                yield self._call(node, at_import=at_import)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                body = node.body if isinstance(node.body, list) else [node.body]
                outside = [each for each in ast.iter_child_nodes(node) if each not in body]
                yield from self._calls(outside, at_import=at_import)
                yield from self._calls(body, at_import=False)
            else:
                yield from self._calls(ast.iter_child_nodes(node), at_import=at_import)

    def _call(self, node: ast.Call, *, at_import: bool) -> SourceCall:
        name = self.name_of(node.func)
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if not name and isinstance(node.func, ast.Attribute):
            name = f".{node.func.attr}"
        return SourceCall(name=name, node=node, owner=owner, at_import=at_import)


def _origins(tree: ast.Module) -> dict[str, str]:
    """Return the full names of what is imported anywhere in a module."""
    origins = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                origins[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = f"{'.' * node.level}{node.module or ''}"
                origins[alias.asname or alias.name] = f"{module}.{alias.name}"
    return origins


def _is_never_run(test: ast.expr) -> bool:
    """Return whether a condition is false at an import: for type checkers, or for a script."""
    text = ast.unparse(test)
    return text in ("TYPE_CHECKING", "typing.TYPE_CHECKING") or "__name__" in text
