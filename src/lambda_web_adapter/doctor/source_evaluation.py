"""Evaluates expressions of a source, as far as that is possible without running anything."""

from __future__ import annotations

import ast
import builtins
import operator
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.doctor import source_paths as paths
from lambda_web_adapter.doctor.source_values import (
    Constant,
    Dictionary,
    Instance,
    Items,
    Name,
    Present,
    Text,
    plain,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambda_web_adapter.doctor.source_paths import Surroundings
    from lambda_web_adapter.doctor.source_values import Scope, Value

# Variables that Lambda sets in every function ("Defined runtime environment variables").
_LAMBDA_VARIABLES = {"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}
_LAMBDA_VARIABLES |= {"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME"}
_LAMBDA_VARIABLES |= {"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_REGION", "AWS_DEFAULT_REGION", "LAMBDA_TASK_ROOT"}
_LAMBDA_VARIABLES |= {"LAMBDA_RUNTIME_DIR"}
_VARIABLE_READERS = ("os.environ.get", "os.getenv")
KNOWN_NAMES: dict[str, Value] = {
    "sys.platform": Text("linux"),
    "os.name": Text("posix"),
    "os.sep": Text("/"),
    "os.devnull": Text("/dev/null"),
    "typing.TYPE_CHECKING": Constant(value=False),
    "os.curdir": Text("."),
}
_RESULTS: dict[str, Value] = {
    "platform.system": Text("Linux"),
    "tempfile.gettempdir": Text("/tmp"),  # noqa: S108  # as Lambda has it
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Evaluator:
    """Evaluates expressions with the names of a scope.

    Attributes:
        scope: the names.
        surroundings: what the module meets.
        star: the module of which all names are imported; empty if there is none, or several.
        has_star: whether there is one.
    """

    def __init__(self, scope: Scope, surroundings: Surroundings) -> None:
        """Start with the names of a module."""
        self.scope = scope
        self.surroundings = surroundings
        self.star = ""
        self.has_star = False

    def evaluate(self, node: ast.expr | None) -> Value:
        """Return what an expression is worth; None if it cannot be seen."""
        evaluate = _EVALUATE.get(type(node))
        return evaluate(self, node) if evaluate else None

    def evaluate_all(self, nodes: Sequence[ast.expr]) -> list[Value]:
        """Return what positional arguments are worth, up to one that stands for several."""
        values = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                break
            values.append(self.evaluate(node))
        return values

    def attribute(self, owner: Value, name: str) -> Value:
        """Return what an attribute of something is worth."""
        match owner:
            case Name(name=module):
                return KNOWN_NAMES.get(f"{module}.{name}", Name(f"{module}.{name}"))
            case Instance(values=values):
                return values.get(name)
            case Text(is_path=True) if name == "parent":
                return paths.parent(owner)
        return None

    def _constant(self, node: ast.Constant) -> Value:
        return Text(node.value) if isinstance(node.value, str) else Constant(node.value)

    def _name(self, node: ast.Name) -> Value:
        if self.scope.has(node.id):
            return self.scope.value(node.id)
        if node.id in ("__file__", "__name__"):
            return Text(self.surroundings.file if node.id == "__file__" else "module")
        if hasattr(builtins, node.id):
            return Name(node.id)
        return Name(f"{self.star}.{node.id}") if self.star else None

    def _attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.evaluate(node.value), node.attr)

    def _subscript(self, node: ast.Subscript) -> Value:
        key = plain(self.evaluate(node.slice))
        match node.value, key:
            case ast.Attribute(value=owner, attr="parents"), int():
                return paths.parents(self.evaluate(owner), key)
        match self.evaluate(node.value), key:
            case Name(name="os.environ"), str():
                return self._variable(key)
            case Dictionary(values=values), str():
                return values.get(key)
            case Items(values=items), int() if -len(items) <= key < len(items):
                return items[key]
        return None

    def _joined_str(self, node: ast.JoinedStr) -> Value:
        return paths.concatenate([self.evaluate(part) for part in node.values])

    def _formatted_value(self, node: ast.FormattedValue) -> Value:
        return self.evaluate(node.value) if node.format_spec is None and node.conversion in (-1, ord("s")) else None

    def _bin_op(self, node: ast.BinOp) -> Value:
        left = self.evaluate(node.left)
        match node.op:
            case ast.Div():
                right = self.evaluate(node.right)
                is_path = any(isinstance(each, Text) and each.is_path for each in (left, right))
                return paths.join([left, right], is_path=True) if is_path else None
            case ast.Add() if isinstance(left, Text) and not left.is_path:
                return paths.concatenate([left, self.evaluate(node.right)])
            case ast.Mod():
                return paths.formatted(left)
        return None

    def _if_exp(self, node: ast.IfExp) -> Value:
        test = truth(self.evaluate(node.test))
        if test is None:
            first, second = self.evaluate(node.body), self.evaluate(node.orelse)
            return first if first == second else None
        return self.evaluate(node.body if test else node.orelse)

    def _bool_op(self, node: ast.BoolOp) -> Value:
        stops_at = isinstance(node.op, ast.Or)
        values = [self.evaluate(each) for each in node.values]
        truths = [truth(value) for value in values]
        for value, is_true in zip(values, truths, strict=True):
            if is_true is None:
                # Whatever it is, the whole is what a later part makes of it for sure.
                return Constant(value=stops_at) if stops_at in truths else None
            if is_true is stops_at:
                return value
        return values[-1]

    def _unary_op(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            is_true = truth(self.evaluate(node.operand))
            return None if is_true is None else Constant(not is_true)
        value = plain(self.evaluate(node.operand))
        return Constant(-value) if isinstance(node.op, ast.USub) and isinstance(value, int | float) else None

    def _compare(self, node: ast.Compare) -> Value:
        if len(node.ops) != 1:
            return None
        left, right, operation = self.evaluate(node.left), self.evaluate(node.comparators[0]), node.ops[0]
        if isinstance(operation, ast.In | ast.NotIn):
            return self._contains(left, right, is_in=isinstance(operation, ast.In))
        if isinstance(left, Present) and right == Constant(None) and isinstance(operation, ast.Is | ast.IsNot):
            return Constant(isinstance(operation, ast.IsNot))
        is_known = all(
            isinstance(each, Constant) or (isinstance(each, Text) and each.is_whole) for each in (left, right)
        )
        compare = _COMPARISONS.get(type(operation))
        return Constant(compare(plain(left), plain(right))) if is_known and compare else None

    def _named_expr(self, node: ast.NamedExpr) -> Value:
        return self.evaluate(node.value)

    def _await(self, node: ast.Await) -> Value:
        return self.evaluate(node.value)

    def _tuple(self, node: ast.Tuple | ast.List) -> Value:
        return Items(tuple(self.evaluate(each) for each in node.elts))

    def _dict(self, node: ast.Dict) -> Value:
        pairs = [
            (plain(self.evaluate(key)), self.evaluate(value)) for key, value in zip(node.keys, node.values, strict=True)
        ]
        return Dictionary({key: value for key, value in pairs if isinstance(key, str)})

    def _call(self, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Attribute):
            # What is before the dot is evaluated once: chains of calls are long.
            owner = self.evaluate(node.func.value)
            if isinstance(owner, Text):
                return paths.call_method(owner, node.func.attr, self.evaluate_all(node.args), self.surroundings)
            function = self.attribute(owner, node.func.attr)
        else:
            function = self.evaluate(node.func)
        return self._result(function.name, node) if isinstance(function, Name) else None

    def _result(self, name: str, node: ast.Call) -> Value:
        arguments = self.evaluate_all(node.args)
        if name in _VARIABLE_READERS:
            key = plain(arguments[0]) if arguments else None
            return self._variable(key) if isinstance(key, str) else None
        if name == "bool" and arguments:
            is_true = truth(arguments[0])
            return None if is_true is None else Constant(is_true)
        if name == "dict" and not node.args:
            return Dictionary({each.arg: self.evaluate(each.value) for each in node.keywords if each.arg})
        if len(arguments) < len(node.args):
            arguments.append(None)
        return _RESULTS.get(name) or paths.call_function(name, arguments, self.surroundings)

    def _variable(self, name: str) -> Value:
        """Return the value of a variable of the function."""
        value = self.surroundings.variables.get(name)
        if value is not None:
            return Text(value)
        return Present() if name in _LAMBDA_VARIABLES else None

    def _contains(self, left: Value, right: Value, *, is_in: bool) -> Value:
        key = plain(left)
        if right == Name("os.environ") and isinstance(key, str):
            return Constant(is_in) if self._variable(key) is not None else None
        if (
            isinstance(right, Items)
            and isinstance(key, str)
            and all(isinstance(plain(each), str) for each in right.values)
        ):
            return Constant((key in map(plain, right.values)) is is_in)
        return None


_EVALUATE: dict[type[ast.expr] | type[None], Callable[[Evaluator, Any], Value]] = {
    ast.Constant: Evaluator._constant,
    ast.Name: Evaluator._name,
    ast.Attribute: Evaluator._attribute,
    ast.Subscript: Evaluator._subscript,
    ast.JoinedStr: Evaluator._joined_str,
    ast.FormattedValue: Evaluator._formatted_value,
    ast.BinOp: Evaluator._bin_op,
    ast.IfExp: Evaluator._if_exp,
    ast.BoolOp: Evaluator._bool_op,
    ast.UnaryOp: Evaluator._unary_op,
    ast.Compare: Evaluator._compare,
    ast.NamedExpr: Evaluator._named_expr,
    ast.Await: Evaluator._await,
    ast.Tuple: Evaluator._tuple,
    ast.Dict: Evaluator._dict,
    ast.Call: Evaluator._call,
    ast.List: Evaluator._tuple,
}
