"""Find the apps within middleware, as far as they can be seen from outside.

Middleware has no common base class. It holds the app that it calls in an attribute, in a closure, as an argument of a
partial function, or under a global name. It also holds other objects: settings that are not configured yet, connections
that open on first use, proxies of remote objects. None of their code may run here. So attributes are read from where
Python stores them, not by `getattr`, `isinstance` or `inspect.signature`, which may run the object's code for
`__class__`, `__wrapped__` or `__signature__`.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# Limits of the search, which is part of each cold start; an app has five to ten layers of middleware, each with a few
# attributes.
_MAX_LAYERS = 20
_MAX_VALUES = 300  # in all layers
_MAX_ITEMS = 50  # of one dict, list or tuple
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class that was created at runtime, for instance by a `class` statement
_COMPILED_FUNCTION = "cython_function_or_method"  # Cython's function types differ, but share this name
# A class's own attributes, read past its metaclass.
_mro_of = type.__dict__["__mro__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__
_name_of = type.__dict__["__name__"].__get__
_flags_of = type.__dict__["__flags__"].__get__


class _Plain:
    """A class that has a `__dict__` because a `class` statement created it."""


# From Python 3.15 on, all such classes share this descriptor, and its `__objclass__` is `object`.
_PLAIN_DICT = _namespace_of(_Plain)["__dict__"]


def layers(app: Any) -> Iterator[list[Any]]:
    """Yield the app, then what it wraps, then what that wraps, layer by layer."""
    seen = {id(app)}
    layer = [app]
    remaining = _MAX_VALUES
    for _ in range(_MAX_LAYERS):
        yield layer
        values = list(itertools.islice(itertools.chain.from_iterable(map(_held_values, layer)), remaining))
        remaining -= len(values)
        layer = []
        for value in values:
            if id(value) not in seen and _may_be_app(value):
                seen.add(id(value))
                layer.append(value)
        if not layer:
            return


def names_of(app: Any) -> Iterator[tuple[str, str]]:
    """Yield the package and the name of a function, or of an object's class and its base classes."""
    if type(app) is types.FunctionType:
        names = [(app.__module__, app.__name__)]
    else:
        names = [(_namespace_of(kind).get("__module__"), _name_of(kind)) for kind in _mro_of(type(app))]
    for module, name in names:
        if type(module) is str:  # code run by `exec` may have no module
            yield module.partition(".")[0], name


def required_arguments(value: Any) -> int | None:
    """Return how many arguments a call of an object requires; None if any number, or it calls no Python function."""
    names = required_names(value)
    return None if names is None else len(names)


def required_names(value: Any) -> tuple[str, ...] | None:
    """Return the names of the arguments that a call requires; None if any number, or it calls no Python function."""
    call = _call_of(value, unwrap=True)
    if call is None or call[0].__code__.co_flags & inspect.CO_VARARGS:
        return None
    function, bound, bound_names = call
    code = function.__code__
    required = code.co_varnames[bound : code.co_argcount - len(function.__defaults__ or ())]
    # Arguments after one that is bound by name can only be passed by name.
    return tuple(itertools.takewhile(lambda name: name not in bound_names, required))


def has_varargs(value: Any) -> bool:
    """Return whether a function, or an object's `__call__`, declares `*args`, whatever it wraps."""
    call = _call_of(value)
    return call is not None and bool(call[0].__code__.co_flags & inspect.CO_VARARGS)


def is_coroutine_callable(value: Any) -> bool:
    """Return whether a call returns a coroutine, as far as can be seen."""
    call = _call_of(value)
    return call is not None and inspect.iscoroutinefunction(call[0])


def is_class(value: Any) -> bool:
    """Return whether an object is a class, without reading its `__class__`, which a proxy may forge."""
    return issubclass(type(value), type)


def is_function(value: Any) -> bool:
    """Return whether an object is a Python or Cython function."""
    kind = type(value)
    return kind is types.FunctionType or _name_of(kind) == _COMPILED_FUNCTION


def is_opaque(value: Any) -> bool:
    """Return whether a call of an object runs C code, so that its arguments show only by running its own code."""
    return _call_of(value) is None


def calls_of(value: Any) -> list[Any]:
    """Return the `__call__` of an object's class, and those of its base classes."""
    return [names["__call__"] for kind in _mro_of(type(value)) if "__call__" in (names := _namespace_of(kind))]


def _call_of(value: Any, *, unwrap: bool = False) -> tuple[Any, int, set[str]] | None:
    """Return the Python function that a call runs.

    Args:
        value: the object that is called.
        unwrap: whether to follow the `__wrapped__` of a decorated function.

    Returns:
        The function, the number of its arguments that are bound by position, and the names of those that are bound by
        name; None if there is no such function.
    """
    bound, bound_names = 0, set[str]()
    for _ in range(_MAX_LAYERS):
        kind = type(value)
        if is_function(value):
            attributes = _attributes(value) if unwrap else {}
            if "__wrapped__" not in attributes:
                return value, bound, bound_names
            value = attributes["__wrapped__"]
        elif issubclass(kind, functools.partial):
            function, arguments, keywords = _parts_of_partial(value)
            value, bound, bound_names = function, bound + len(arguments), bound_names | keywords.keys()
        elif kind in (types.MethodType, staticmethod, classmethod):
            value, bound = value.__func__, bound + (kind is not staticmethod)
        else:
            call = _class_attribute(kind, "__call__")
            if not is_function(call) and type(call) not in (staticmethod, classmethod):
                return None
            value, bound = call, bound + is_function(call)
    return None


def _held_values(app: Any) -> Iterator[Any]:
    """Yield the values that an object holds; of dicts, lists and tuples among them, yield the items instead."""
    for value in _values(app):
        kind = type(value)
        if issubclass(kind, dict):
            yield from list(itertools.islice(dict.values(value), _MAX_ITEMS))  # a copy: it may change meanwhile
        elif issubclass(kind, list):
            yield from itertools.islice(list.__iter__(value), _MAX_ITEMS)
        elif issubclass(kind, tuple):
            yield from itertools.islice(tuple.__iter__(value), _MAX_ITEMS)
        else:
            yield value


def _values(app: Any) -> Iterable[Any]:
    kind = type(app)
    if issubclass(kind, functools.partial):
        function, arguments, keywords = _parts_of_partial(app)
        return [function, *arguments, *keywords.values()]
    if kind is types.MethodType:
        return [app.__self__, *_values(app.__self__)]
    if kind is types.FunctionType:
        return [*_attributes(app).values(), *_variable_values(app)]
    return [*_attributes(app).values(), *_member_values(app)]


def _variable_values(function: types.FunctionType) -> Iterator[Any]:
    """Yield the values of a function's closure and of the global names that it uses."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # it has no value yet
            continue
    for name in function.__code__.co_names:
        if (value := dict.get(function.__globals__, name)) is not None:
            yield value


def _member_values(app: Any) -> Iterator[Any]:
    """Yield the values of the attributes that an object's classes declare in `__slots__`."""
    for kind in _mro_of(type(app)):
        for member in list(_namespace_of(kind).values()):
            if type(member) is types.MemberDescriptorType:
                try:
                    yield member.__get__(app)
                except AttributeError:  # it has no value yet
                    continue


def _attributes(value: Any) -> dict[str, Any]:
    """Return an object's `__dict__`; an empty dict if its class defines its own `__dict__`, as proxies do."""
    if is_function(value):
        return value.__dict__  # type: ignore[no-any-return]  # it is a dict
    descriptor = _class_attribute(type(value), "__dict__")
    if type(descriptor) is not types.GetSetDescriptorType:
        return {}
    # The classes of extensions may run C code of their own.
    if descriptor is not _PLAIN_DICT and not _flags_of(descriptor.__objclass__) & _HEAP_TYPE:
        return {}
    return descriptor.__get__(value)  # type: ignore[no-any-return]  # it is a dict


def _class_attribute(kind: type, name: str) -> Any:
    """Return an attribute of a class or its base classes, without calling descriptors; None if there is none."""
    return next((names[name] for each in _mro_of(kind) if name in (names := _namespace_of(each))), None)


def _parts_of_partial(value: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Return function, arguments and keywords of a partial function, even if its class overrides them."""
    parts = _namespace_of(functools.partial)
    return tuple(parts[name].__get__(value) for name in ("func", "args", "keywords"))


def _may_be_app(value: Any) -> bool:
    """Return whether an object may be a WSGI or ASGI app: its call takes two or three arguments, or any number."""
    if not callable(value) or is_class(value) or type(value) is types.BuiltinFunctionType:
        return False
    return required_arguments(value) in (2, 3, None)
