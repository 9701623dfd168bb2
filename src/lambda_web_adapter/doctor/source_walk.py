"""Follows the statements of a source in their order, without running them, with what each name is worth then."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.doctor.source_calls import Context, Source
from lambda_web_adapter.doctor.source_evaluation import KNOWN_NAMES
from lambda_web_adapter.doctor.source_expressions import ExpressionWalk, Postponed
from lambda_web_adapter.doctor.source_functions import is_command, is_startup, script_functions
from lambda_web_adapter.doctor.source_names import assigned_names, caught_errors, imported_names
from lambda_web_adapter.doctor.source_paths import Surroundings
from lambda_web_adapter.doctor.source_values import Function, Instance, Items, Name, Scope, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lambda_web_adapter.doctor.source_values import Value

_NO_END = ("sys.exit", "os._exit", "exit", "quit")


def read_source(path: str, tree: ast.Module, surroundings: Surroundings | None = None) -> Source:
    """Return what a module calls and assigns."""
    surroundings = surroundings or Surroundings()
    walk = _Walk(tree, surroundings)
    walk.run()
    return Source(
        path=path,
        surroundings=surroundings,
        names=walk.names,
        calls=sorted(walk.calls, key=lambda call: call.line),
        assignments=walk.assignments,
    )


class _Walk(ExpressionWalk):
    """Follows the statements of a module, and collects calls and assignments."""

    def __init__(self, tree: ast.Module, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.names: dict[str, Value] = {}
        self._tree = tree
        self._module = self._scope
        self._left_out = script_functions(tree, surroundings.used_names)
        nodes = list(ast.walk(tree))
        self._changed = {
            each.attr for each in nodes if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
        }
        self._globals = [name for each in nodes if isinstance(each, ast.Global) for name in each.names]

    def run(self) -> None:
        """Follow the module, then its functions, with the names as they are at its end."""
        self._block(self._tree.body)
        self.names = dict(self._module.names)
        self._module.names.update(dict.fromkeys(self._globals))
        while self._postponed:
            self._function(self._postponed.pop())

    def _function(self, postponed: Postponed) -> None:
        node = postponed.node
        body = node.body if isinstance(node.body, list) else [ast.Expr(node.body)]
        arguments = node.args
        parameters = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        parameters += [each.arg for each in (arguments.vararg, arguments.kwarg) if each]
        names: dict[str, Value] = dict.fromkeys((*parameters, *assigned_names(body)))
        if postponed.owner and parameters:
            names[parameters[0]] = postponed.owner
        self._enter(Scope(names, postponed.scope), lambda: self._block(body), postponed.context)

    def _block(self, body: Iterable[ast.AST]) -> bool:
        """Follow statements; return whether those after them are never reached."""
        for node in body:
            follow = _FOLLOW.get(type(node), _Walk._follow_other)
            if follow(self, node):
                return True
        return False

    def _branch(self, body: Iterable[ast.AST], context: Context) -> tuple[dict[str, Value], bool]:
        """Follow a block that may run or not; return the names after it, and whether it ends there."""
        before, outer = dict(self._scope.names), self._context
        self._context = context
        ends = self._block(body)
        self._context = outer
        after, self._scope.names = self._scope.names, before
        return after, ends

    def _merge(self, branches: Sequence[tuple[dict[str, Value], bool]]) -> bool:
        """Continue after branches, of which one has run; return whether all of them end there."""
        if open_branches := [names for names, ends in branches if not ends]:
            self._scope.merge(*open_branches)
        if len(open_branches) < len(branches):
            self._context = replace(self._context, is_certain=False)
        return not open_branches

    def _follow_other(self, node: ast.AST) -> bool:
        self._expression(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = self._evaluator.evaluate(node.value.func)
            return isinstance(function, Name) and function.name in _NO_END
        return isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break)

    def _follow_if(self, node: ast.If) -> bool:
        self._expression(node.test)
        is_true = truth(self._evaluator.evaluate(node.test))
        if is_true is not None:
            return self._block(node.body if is_true else node.orelse)
        context = replace(self._context, is_certain=False)
        # Who asks whether a folder is writable writes only then.
        if any(isinstance(each, ast.Attribute) and each.attr in ("access", "W_OK") for each in ast.walk(node.test)):
            context = replace(context, caught=context.caught | {"OSError"})
        return self._merge([self._branch(node.body, context), self._branch(node.orelse, context)])

    def _follow_for(self, node: ast.For | ast.AsyncFor) -> bool:
        self._expression(node.iter)
        values = self._evaluator.evaluate(node.iter)
        if isinstance(values, Items) and values.values:
            # The first turn is sure, the others do the same.
            self._bind(node.target, values.values[0])
            self._branch(node.body, self._context)
        else:
            self._loop(node)
        self._forget(node)
        self._block(node.orelse)
        return False

    def _follow_while(self, node: ast.While) -> bool:
        self._expression(node.test)
        is_true = truth(self._evaluator.evaluate(node.test))
        if is_true is False:
            return self._block(node.orelse)
        self._loop(node, replace(self._context, is_certain=self._context.is_certain and is_true is True))
        self._forget(node)
        self._block(node.orelse)
        return is_true is True and not any(isinstance(each, ast.Break) for each in ast.walk(node))

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, context: Context | None = None) -> None:
        self._forget(node)
        self._branch(node.body, context or replace(self._context, is_certain=False))

    def _forget(self, *nodes: ast.AST) -> None:
        self._scope.names.update(dict.fromkeys(assigned_names(nodes)))

    def _follow_try(self, node: ast.Try) -> bool:
        caught = frozenset(error for handler in node.handlers for error in caught_errors(handler))
        context = replace(self._context, caught=self._context.caught | caught)
        names, ends = self._branch(node.body, context)
        self._forget(*node.body)
        unsure = replace(self._context, is_certain=False)
        branches = [self._branch(handler.body, unsure) for handler in node.handlers]
        self._scope.names = names
        if not ends:
            ends = self._block(node.orelse)
        ends = self._merge([(self._scope.names, ends), *branches])
        return self._block(node.finalbody) or ends

    def _follow_with(self, node: ast.With | ast.AsyncWith) -> bool:
        outer = self._context
        for item in node.items:
            self._expression(item.context_expr)
            value = self._evaluator.evaluate(item.context_expr)
            self._bind(item.optional_vars, value if isinstance(value, Name) else None)
            call = item.context_expr
            if value == Name("contextlib.suppress()") and isinstance(call, ast.Call):
                errors = {ast.unparse(each).rpartition(".")[2] for each in call.args}
                self._context = replace(self._context, caught=self._context.caught | errors)
        ends = self._block(node.body)
        self._context = replace(outer, is_certain=self._context.is_certain)
        return ends and outer.caught == self._context.caught

    def _follow_match(self, node: ast.Match) -> bool:
        self._expression(node.subject)
        self._forget(node)
        context = replace(self._context, is_certain=False)
        branches = [self._branch(case.body, context) for case in node.cases]
        return self._merge([*branches, (dict(self._scope.names), False)])

    def _follow_function_def(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        for each in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            self._expression(each)
        self._scope.names[node.name] = Function(node)
        is_left_out = self._scope is self._module and node.name in self._left_out
        if not is_left_out and not is_command(node):
            self._postpone(node, Context(at_import=False, is_startup=is_startup(node)))
        return False

    def _follow_class_def(self, node: ast.ClassDef) -> bool:
        for each in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self._expression(each)
        scope, count = Scope(parent=self._scope), len(self._postponed)
        self._enter(scope, lambda: self._block(node.body), self._context)
        # Fields with annotations get other values from whoever makes the object: dataclasses, pydantic.
        fields = {
            each.target.id
            for each in node.body
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        }
        values = {name: value for name, value in scope.names.items() if name not in fields | self._changed}
        self._scope.names[node.name] = Instance(values)
        for postponed in self._postponed[count:]:
            if postponed.scope is scope:
                postponed.scope = self._scope
                decorators = getattr(postponed.node, "decorator_list", ())
                is_static = any(ast.unparse(each) == "staticmethod" for each in decorators)
                postponed.owner = None if is_static or isinstance(postponed.node, ast.Lambda) else Instance(values)
        return False

    def _follow_import(self, node: ast.Import | ast.ImportFrom) -> bool:
        self._scope.names.update({name: _imported(full) for name, full in imported_names(node).items()})
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and node.module:
            # Only one of several could be asked whether it has a name.
            self._evaluator.star = "" if self._evaluator.has_star else node.module
            self._evaluator.has_star = True
        return False

    def _follow_assign(self, node: ast.Assign) -> bool:
        self._expression(node.value)
        value = self._evaluator.evaluate(node.value)
        for target in node.targets:
            self._expression(target)
            self._bind(target, value)
        return False

    def _follow_ann_assign(self, node: ast.AnnAssign) -> bool:
        if node.value:
            self._expression(node.value)
            self._bind(node.target, self._evaluator.evaluate(node.value))
        return False

    def _follow_aug_assign(self, node: ast.AugAssign) -> bool:
        self._expression(node.value)
        left = (
            ast.copy_location(ast.Name(node.target.id, ast.Load()), node) if isinstance(node.target, ast.Name) else None
        )
        value = self._evaluator.evaluate(ast.BinOp(left, node.op, node.value)) if left else None
        self._bind(node.target, value)
        return False

    def _follow_delete(self, node: ast.Delete) -> bool:
        self._forget(node)
        for target in node.targets:
            self._bind(target, None)
        return False


_FOLLOW: dict[type[ast.AST], Callable[[_Walk, Any], bool]] = {
    ast.If: _Walk._follow_if,
    ast.For: _Walk._follow_for,
    ast.While: _Walk._follow_while,
    ast.Try: _Walk._follow_try,
    ast.With: _Walk._follow_with,
    ast.Match: _Walk._follow_match,
    ast.FunctionDef: _Walk._follow_function_def,
    ast.ClassDef: _Walk._follow_class_def,
    ast.Import: _Walk._follow_import,
    ast.Assign: _Walk._follow_assign,
    ast.AnnAssign: _Walk._follow_ann_assign,
    ast.AugAssign: _Walk._follow_aug_assign,
    ast.Delete: _Walk._follow_delete,
    ast.AsyncFor: _Walk._follow_for,
    ast.TryStar: _Walk._follow_try,
    ast.AsyncWith: _Walk._follow_with,
    ast.AsyncFunctionDef: _Walk._follow_function_def,
    ast.ImportFrom: _Walk._follow_import,
}


def _imported(full_name: str) -> Value:
    return KNOWN_NAMES.get(full_name, Name(full_name))
