"""What an app is wrapped around: the apps within middleware, as far as they can be seen from outside.

Middleware has no common base class. It holds the app that it calls as an attribute, in a closure, as an argument of a
partial function, or by a global name. Beside apps it holds anything else: settings that nobody has configured yet,
connections that are made when they are used first, proxies for what is far away. So no code of theirs runs here:
attributes are read where Python keeps them, and not by `getattr`, `isinstance` or `inspect.signature`, which ask the
object for its `__class__`, `__wrapped__` or `__signature__`.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# Bounds of the search, which is part of each cold start; an app has five to ten layers of middleware, each with a few
# attributes.
_MAX_LAYERS = 20
_MAX_VALUES = 300  # that are looked at
_MAX_OF_ONE = 50  # of one dict, list or tuple
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class that was made while the program ran, as a `class` statement does
_COMPILED_FUNCTION = "cython_function_or_method"  # Cython has no common type for its functions, but a common name
# What a class has of its own, read past its metaclass.
_mro_of = type.__dict__["__mro__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__
_name_of = type.__dict__["__name__"].__get__
_flags_of = type.__dict__["__flags__"].__get__


def layers(app: Any) -> Iterator[list[Any]]:
    """Yield the app, then what it is wrapped around, then what that is wrapped around, layer by layer."""
    seen = {id(app)}
    layer = [app]
    left = _MAX_VALUES
    for _ in range(_MAX_LAYERS):
        yield layer
        held = list(itertools.islice(itertools.chain.from_iterable(map(_held, layer)), left))
        left -= len(held)
        layer = []
        for value in held:
            if id(value) not in seen and _may_be_app(value):
                seen.add(id(value))
                layer.append(value)
        if not layer:
            return


def names_of(app: Any) -> Iterator[tuple[str, str]]:
    """Yield package and name of a function, or of an object's class and of those that it is derived from."""
    if type(app) is types.FunctionType:
        names = [(app.__module__, app.__name__)]
    else:
        names = [(_namespace_of(kind).get("__module__"), _name_of(kind)) for kind in _mro_of(type(app))]
    for module, name in names:
        if type(module) is str:  # what `exec` runs may have none
            yield module.partition(".")[0], name


def required_arguments(value: Any) -> int | None:
    """Return how many arguments a call needs; None if it takes any number, or where no Python function is called."""
    names = required_names(value)
    return None if names is None else len(names)


def required_names(value: Any) -> tuple[str, ...] | None:
    """Return the names of the arguments that a call needs; None as for their number."""
    call = _call_of(value, unwrap=True)
    if call is None or call[0].__code__.co_flags & inspect.CO_VARARGS:
        return None
    function, bound, named = call
    code = function.__code__
    required = code.co_varnames[bound : code.co_argcount - len(function.__defaults__ or ())]
    # Those behind one that is bound by its name can be passed by name only.
    return tuple(itertools.takewhile(lambda name: name not in named, required))


def takes_anything(value: Any) -> bool:
    """Return whether a function, or an object's call, says that it takes any number of arguments itself."""
    call = _call_of(value)
    return call is not None and bool(call[0].__code__.co_flags & inspect.CO_VARARGS)


def is_coroutine_callable(value: Any) -> bool:
    """Return whether a call makes a coroutine, as far as can be seen."""
    call = _call_of(value)
    return call is not None and inspect.iscoroutinefunction(call[0])


def is_class(value: Any) -> bool:
    """Return whether an object is a class, whatever it says of its own class."""
    return issubclass(type(value), type)


def is_function(value: Any) -> bool:
    """Return whether an object is a function of Python code, or of Cython's."""
    kind = type(value)
    return kind is types.FunctionType or _name_of(kind) == _COMPILED_FUNCTION


def is_opaque(value: Any) -> bool:
    """Return whether it cannot be seen what is called, as in C code: it has to be asked."""
    return _call_of(value) is None


def calls_of(value: Any) -> list[Any]:
    """Return the `__call__` of an object's class, and those of the classes that it is derived from."""
    return [names["__call__"] for kind in _mro_of(type(value)) if "__call__" in (names := _namespace_of(kind))]


def _call_of(value: Any, *, unwrap: bool = False) -> tuple[Any, int, set[str]] | None:
    """Find the Python function that a call ends in.

    Args:
        value: what is called.
        unwrap: whether to go on to what a decorated function says that it wraps.

    Returns:
        The function, how many of its arguments are bound by position, and the names of those that are bound by name;
        None if there is no such function.
    """
    bound, named = 0, set[str]()
    for _ in range(_MAX_LAYERS):
        kind = type(value)
        if is_function(value):
            attributes = _attributes(value) if unwrap else {}
            if "__wrapped__" not in attributes:
                return value, bound, named
            value = attributes["__wrapped__"]
        elif issubclass(kind, functools.partial):
            function, arguments, keywords = _parts_of_partial(value)
            value, bound, named = function, bound + len(arguments), named | keywords.keys()
        elif kind in (types.MethodType, staticmethod, classmethod):
            value, bound = value.__func__, bound + (kind is not staticmethod)
        else:
            call = _of_class(kind, "__call__")
            if not is_function(call) and type(call) not in (staticmethod, classmethod):
                return None
            value, bound = call, bound + is_function(call)
    return None


def _held(app: Any) -> Iterator[Any]:
    """Yield what an object holds, and what the dicts and lists that it holds have in them."""
    for value in _values(app):
        kind = type(value)
        if issubclass(kind, dict):
            yield from list(itertools.islice(dict.values(value), _MAX_OF_ONE))  # it may change meanwhile
        elif issubclass(kind, list):
            yield from itertools.islice(list.__iter__(value), _MAX_OF_ONE)
        elif issubclass(kind, tuple):
            yield from itertools.islice(tuple.__iter__(value), _MAX_OF_ONE)
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
        return [*_attributes(app).values(), *_values_of_names(app)]
    return [*_attributes(app).values(), *_values_of_slots(app)]


def _values_of_names(function: types.FunctionType) -> Iterator[Any]:
    """Yield what a function's names stand for, those of the functions around it and global ones."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # it has no value yet
            continue
    for name in function.__code__.co_names:
        if (value := dict.get(function.__globals__, name)) is not None:
            yield value


def _values_of_slots(app: Any) -> Iterator[Any]:
    for kind in _mro_of(type(app)):
        for slot in list(_namespace_of(kind).values()):
            if type(slot) is types.MemberDescriptorType:
                try:
                    yield slot.__get__(app)
                except AttributeError:  # it has no value yet
                    continue


def _attributes(value: Any) -> dict[str, Any]:
    """Return an object's `__dict__`; nothing if its class has something else in that place, as proxies do."""
    if is_function(value):
        return value.__dict__  # type: ignore[no-any-return]  # it is a dict
    place = _of_class(type(value), "__dict__")
    if type(place) is not types.GetSetDescriptorType:
        return {}
    if not _flags_of(place.__objclass__) & _HEAP_TYPE:  # C code of an extension
        return {}
    return place.__get__(value)  # type: ignore[no-any-return]  # it is a dict


def _of_class(kind: type, name: str) -> Any:
    """Return what objects of a class have by a name from their class, as it stands there."""
    return next((names[name] for each in _mro_of(kind) if name in (names := _namespace_of(each))), None)


def _parts_of_partial(value: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Return function, arguments and keywords of a partial function, past what a class of its own says."""
    parts = _namespace_of(functools.partial)
    return tuple(parts[name].__get__(value) for name in ("func", "args", "keywords"))


def _may_be_app(value: Any) -> bool:
    """Return whether an object may be an app, of either kind: what is called with two arguments, three, or any."""
    if not callable(value) or is_class(value) or type(value) is types.BuiltinFunctionType:
        return False
    return required_arguments(value) in (2, 3, None)
