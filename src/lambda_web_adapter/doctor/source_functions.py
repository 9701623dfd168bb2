"""What the functions of a source are for: commands and scripts do not run in a function on Lambda."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Definition = ast.FunctionDef | ast.AsyncFunctionDef

_COMMAND_DECORATORS = ("command", "group")
_STARTUP_NAMES = ("lifespan", "startup", "on_startup")


def is_command(node: Definition) -> bool:
    """Return whether a function is a command of a command line, such as Click's or Flask's."""
    functions = (each.func if isinstance(each, ast.Call) else each for each in node.decorator_list)
    return any(ast.unparse(each).rpartition(".")[2] in _COMMAND_DECORATORS for each in functions)


def is_startup(node: Definition) -> bool:
    """Return whether a function runs when the app starts."""
    decorators = " ".join(ast.unparse(each) for each in node.decorator_list)
    is_event = ("on_event" in decorators and "startup" in decorators) or "before_serving" in decorators
    is_lifespan = "asynccontextmanager" in decorators and "lifespan" in node.name
    return is_event or is_lifespan or node.name in _STARTUP_NAMES


def runs_forever(node: Definition) -> bool:
    """Return whether a function has a loop without an end."""
    for loop in ast.walk(node):
        if isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) and loop.test.value:
            ends = (ast.Break, ast.Return, ast.Raise)
            return not any(isinstance(each, ends) for each in ast.walk(loop))
    return False


def is_script_test(test: ast.expr) -> bool:
    """Return whether a condition holds when a module is run as a script."""
    match test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            texts = {ast.unparse(left), ast.unparse(right)}
            return texts == {"__name__", "'__main__'"}
        case ast.BoolOp(op=ast.And(), values=values):
            return any(map(is_script_test, values))
    return False


def script_functions(tree: ast.Module, used_names: frozenset[str]) -> set[str]:
    """Return the functions of a module that only run when it is run as a script.

    Args:
        tree: the module.
        used_names: names that other modules use.
    """
    functions: dict[str, set[str]] = {}
    script, live = set[str](), set[str]()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list:
            functions[node.name] = _used_names([node])
        elif isinstance(node, ast.If) and is_script_test(node.test):
            script |= _used_names(node.body)
            live |= _used_names(node.orelse)
        else:
            live |= _used_names([node])
    of_script = _closure(script, functions)
    others = functions.keys() - of_script
    return of_script - _closure(live | others | used_names, functions)


def _closure(names: set[str] | frozenset[str], functions: dict[str, set[str]]) -> set[str]:
    """Return the functions that names lead to."""
    reached, waiting = set[str](), list(names & functions.keys())
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += functions[name] & functions.keys()
    return reached


def _used_names(nodes: Iterable[ast.AST]) -> set[str]:
    return {each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)}
