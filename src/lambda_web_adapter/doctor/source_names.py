"""Which names the statements of a source bind, and which errors they catch."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What has names of its own.
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_SCOPES = (*_DEFINITIONS, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_EXITS = ("exit", "_exit", "quit")


def assigned_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that statements bind in their own scope."""
    nodes = list(_own_nodes(nodes))
    outer = {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    return {name for node in nodes for name in _names_of(node)} - outer


def imported_names(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Return the names that an import binds, with their full names."""
    if isinstance(node, ast.ImportFrom):
        module = f"{'.' * node.level}{node.module or ''}"
        return {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names if alias.name != "*"}
    return {
        alias.asname or alias.name.partition(".")[0]: alias.name if alias.asname else alias.name.partition(".")[0]
        for alias in node.names
    }


def caught_errors(handler: ast.ExceptHandler) -> set[str]:
    """Return the errors that a handler catches for good, by name; none if it raises one itself."""
    for node in ast.walk(handler):
        if isinstance(node, ast.Raise):
            return set()
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _EXITS:
            return set()
    match handler.type:
        case None:
            return {"BaseException"}
        case ast.Tuple(elts=types):
            pass
        case single:
            types = [single]
    names = {ast.unparse(each).rpartition(".")[2] for each in types}
    return names | {"OSError"} if names & {"IOError", "EnvironmentError"} else names


def _own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    waiting = list(nodes)  # sources are nested more deeply than Python calls functions
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))


def _names_of(node: ast.AST) -> Iterable[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return (name,)
        case ast.Import() | ast.ImportFrom():
            return imported_names(node)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.MatchMapping(rest=str(name)):
            return (name,)
    return ()
