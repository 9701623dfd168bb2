"""What an app is wrapped around: the apps within middleware, as far as they can be seen from outside.

Middleware has no common base class. It holds the app that it calls as an attribute, in a closure, as an argument of a
partial function, or by a global name.

To look must not run the app's code: proxies (a lazy object, a client of something far away) do what they stand for as
soon as an attribute of theirs is asked for, even by `isinstance`. So of them only the types are looked at.
"""

from __future__ import annotations

import functools
import inspect
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# Bounds of the search; an app has five to ten layers of middleware, each with a few attributes.
_MOST_LAYERS = 20
_MOST_OBJECTS = 100
_OF_PROXIES = ("__getattr__", "__getattribute__", "__class__")


_CLASS = vars(object)["__class__"]


def layers(app: Any) -> Iterator[list[Any]]:
    """Yield the app, then what it is wrapped around, then what that is wrapped around, layer by layer."""
    seen = {id(app)}
    layer = [app]
    for _ in range(_MOST_LAYERS):
        yield layer
        held = [value for outer in layer for value in _held(outer)]
        layer = []
        for value in held:
            if id(value) not in seen and len(seen) < _MOST_OBJECTS:
                seen.add(id(value))
                layer.append(value)
        if not layer:
            return


def required_arguments(function: Any) -> int | None:
    """Return how many arguments a call needs; None if the function takes any number, or does not say."""
    call = type(function).__call__ if is_proxy(function) else function
    bound = int(call is not function)  # `self`
    if bound and type(call) is not types.FunctionType:
        return None
    try:
        parameters = inspect.signature(call).parameters.values()
    except Exception:  # noqa: BLE001  # a proxy may raise anything when it is looked at: Flask's, outside of a request
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = sum(parameter.kind in positional and parameter.default is parameter.empty for parameter in parameters)
    return required - bound


def takes_anything(function: Any) -> bool:
    """Return whether a function, or an object's call, says that it takes any number of arguments itself."""
    plain = issubclass(type(function), (types.FunctionType, types.MethodType, functools.partial))
    call = function if plain else type(function).__call__  # `isroutine` would take an object with `__get__` for one
    if isinstance(call, types.WrapperDescriptorType):  # of builtins, which say this of whatever they take
        return False
    try:
        parameters = inspect.signature(call, follow_wrapped=False).parameters.values()
    except (TypeError, ValueError, RuntimeError):
        return False
    return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)


def is_coroutine_callable(app: Any) -> bool:
    """Return whether a call makes a coroutine, as far as can be seen."""
    return inspect.iscoroutinefunction(type(app).__call__) or (not is_proxy(app) and inspect.iscoroutinefunction(app))


def is_proxy(value: Any) -> bool:
    """Return whether to ask for an attribute of an object runs code of its type."""
    return any(_may_run(vars(kind)[name]) for kind in type(value).__mro__ for name in _OF_PROXIES if name in vars(kind))


def unwrapped(app: Any) -> Any:
    """Return what a transparent proxy stands for, such as a tracer's around a function; else the app itself."""
    if not any("__class__" in vars(kind) for kind in type(app).__mro__ if kind is not object):
        return app
    try:
        return app.__wrapped__
    except Exception:  # noqa: BLE001  # Flask's, outside of a request; and whatever others raise
        return app


def _may_run(attribute: Any) -> bool:
    """Return whether a special method is none of the interpreter's own, which are made in C."""
    return type(attribute) is not types.WrapperDescriptorType and attribute is not _CLASS


def _held(app: Any) -> Iterator[Any]:
    """Yield what an object holds that may be an app."""
    for value in _values(app):
        if issubclass(type(value), dict):
            yield from filter(_may_be_app, value.values())
        elif issubclass(type(value), (list, tuple)):
            yield from filter(_may_be_app, value)
        elif _may_be_app(value):
            yield value


def _values(app: Any) -> Iterable[Any]:
    try:
        if issubclass(type(app), functools.partial):
            return [app.func, *app.args, *app.keywords.values()]
        if issubclass(type(app), types.MethodType):
            return [app.__self__, *_values(app.__self__)]
        if issubclass(type(app), types.FunctionType):
            names = inspect.getclosurevars(app)
            return [*vars(app).values(), *names.nonlocals.values(), *names.globals.values()]
        slots = [name for kind in type(app).__mro__ for name in _slots(kind)]
        return [*(_own(app, "__dict__") or {}).values(), *(_own(app, name) for name in slots)]
    except Exception:  # noqa: BLE001  # a proxy may raise anything when it is looked at; then nothing is seen in it
        return []


def _own(app: Any, name: str) -> Any:
    """Return an attribute of an object itself, past what its type does when one is asked for."""
    try:
        return object.__getattribute__(app, name)
    except AttributeError:
        return None


def _slots(kind: type) -> Iterable[str]:
    slots = kind.__dict__.get("__slots__", ())
    return [slots] if isinstance(slots, str) else [name for name in slots if not name.startswith("__")]


def _may_be_app(value: Any) -> bool:
    """Return whether an object may be an app, of either kind: what is called with two arguments, three, or any."""
    if not callable(value) or issubclass(type(value), (type, types.BuiltinFunctionType)):
        return False
    return required_arguments(value) in (2, 3, None)
