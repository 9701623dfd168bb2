"""Follows the expressions of a source in their order, without running them, and collects calls and assignments."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.doctor.source_calls import Assignment, Context, SourceCall
from lambda_web_adapter.doctor.source_evaluation import Evaluator
from lambda_web_adapter.doctor.source_names import assigned_names
from lambda_web_adapter.doctor.source_values import Dictionary, Items, Name, Scope, plain, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambda_web_adapter.doctor.source_paths import Surroundings
    from lambda_web_adapter.doctor.source_values import Value

    Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(slots=True)
class Postponed:
    """A function that is followed when the names around it are known."""

    node: Definition
    scope: Scope
    context: Context
    owner: Value = None


class ExpressionWalk:
    """What the walk through a module knows at a moment, and what it has collected.

    Attributes:
        calls: the calls until then.
        assignments: the assignments until then.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        """Start with a module that has no names yet."""
        self.calls: list[SourceCall] = []
        self.assignments: list[Assignment] = []
        self._scope = Scope()
        self._context = Context()
        self._postponed: list[Postponed] = []
        self._evaluator = Evaluator(self._scope, surroundings)

    def _enter(self, scope: Scope, follow: Callable[[], object], context: Context) -> None:
        before = self._scope, self._context
        self._scope = self._evaluator.scope = scope
        self._context = context
        follow()
        self._scope, self._context = before
        self._evaluator.scope = self._scope

    def _postpone(self, node: Definition, context: Context) -> None:
        self._postponed.append(Postponed(node, self._scope, context))

    def _bind(self, target: ast.expr | None, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self._scope.names[name] = value
                self.assignments.append(Assignment(name=name, value=value, line=target.lineno))
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                values = value.values if isinstance(value, Items) and len(value.values) == len(targets) else ()
                for index, each in enumerate(targets):
                    self._bind(each, values[index] if values else None)
            case ast.Starred(value=inner):
                self._bind(inner, None)
            case ast.Attribute(attr=name):
                self.assignments.append(Assignment(name=name, value=value, line=target.lineno))
            case ast.Subscript(value=owner, slice=key):
                self._change(owner)
                text = plain(self._evaluator.evaluate(key))
                if isinstance(text, str):
                    self.assignments.append(Assignment(name=text, value=value, line=target.lineno))

    def _change(self, node: ast.expr) -> None:
        """Forget what is in a dictionary or a list, since it is changed."""
        while isinstance(node, ast.Subscript | ast.Attribute):
            node = node.value
        if isinstance(node, ast.Name) and isinstance(self._scope.value(node.id), Dictionary | Items):
            self._scope.names[node.id] = None

    def _expression(self, node: ast.AST | None) -> None:
        """Add the calls in an expression, in the order in which they run."""
        follow = _FOLLOW.get(type(node))
        if follow:
            follow(self, node)
        elif node:
            self._children(node)

    def _children(self, node: ast.AST) -> None:
        self._all(ast.iter_child_nodes(node))

    def _all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self._expression(node)

    def _named(self, node: ast.NamedExpr) -> None:
        self._expression(node.value)
        self._bind(node.target, self._evaluator.evaluate(node.value))

    def _function_of(self, node: ast.Lambda) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            self._expression(default)
        self._postpone(node, Context(at_import=False))

    def _choice(self, node: ast.IfExp) -> None:
        self._expression(node.test)
        is_true = truth(self._evaluator.evaluate(node.test))
        if is_true is not False:
            self._perhaps(node.body, is_certain=is_true is True)
        if is_true is not True:
            self._perhaps(node.orelse, is_certain=is_true is False)

    def _condition(self, node: ast.BoolOp) -> None:
        self._expression(node.values[0])
        for previous, value in pairwise(node.values):
            is_true = truth(self._evaluator.evaluate(previous))
            if is_true is isinstance(node.op, ast.Or):
                break
            self._perhaps(value, is_certain=is_true is not None)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        generators = node.generators
        self._expression(generators[0].iter)
        names: dict[str, Value] = dict.fromkeys(assigned_names(generator.target for generator in generators))
        parts = [each for each in ast.iter_child_nodes(node) if each not in generators]
        parts += [each for generator in generators for each in generator.ifs]
        parts += [generator.iter for generator in generators[1:]]
        context = replace(self._context, is_certain=False)
        self._enter(Scope(names, self._scope), lambda: self._all(parts), context)

    def _perhaps(self, node: ast.AST, *, is_certain: bool) -> None:
        outer = self._context
        self._context = replace(outer, is_certain=outer.is_certain and is_certain)
        self._expression(node)
        self._context = outer

    def _call(self, node: ast.Call) -> None:
        self._children(node)
        owner: Value = None
        if isinstance(node.func, ast.Attribute):
            owner = self._evaluator.evaluate(node.func.value)
            function = self._evaluator.attribute(owner, node.func.attr)
            name = function.name if isinstance(function, Name) else f".{node.func.attr}"
            if isinstance(owner, Dictionary | Items):
                self._change(node.func.value)
        else:
            function = self._evaluator.evaluate(node.func)
            name = function.name if isinstance(function, Name) else ""
        self.calls.append(
            SourceCall(
                name=name,
                owner=owner,
                arguments=self._evaluator.evaluate_all(node.args),
                keywords={each.arg: self._evaluator.evaluate(each.value) for each in node.keywords if each.arg},
                is_open=any(isinstance(each, ast.Starred) for each in node.args)
                or any(not each.arg for each in node.keywords),
                node=node,
                context=self._context,
            )
        )


_FOLLOW: dict[type[ast.AST] | type[None], Callable[[ExpressionWalk, Any], None]] = {
    ast.Call: ExpressionWalk._call,
    ast.NamedExpr: ExpressionWalk._named,
    ast.Lambda: ExpressionWalk._function_of,
    ast.IfExp: ExpressionWalk._choice,
    ast.BoolOp: ExpressionWalk._condition,
    ast.ListComp: ExpressionWalk._comprehension,
    ast.SetComp: ExpressionWalk._comprehension,
    ast.DictComp: ExpressionWalk._comprehension,
    ast.GeneratorExp: ExpressionWalk._comprehension,
}
