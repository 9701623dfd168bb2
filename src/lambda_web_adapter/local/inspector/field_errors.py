"""What is wrong with the parameters or the body of a request, in plain words."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_MAX_VALUE = 100


def describe_invalid(error: ValidationError, model: type[BaseModel]) -> str:
    """Return a sentence for each field that is not valid.

    Args:
        error: what pydantic says.
        model: what the fields are of.
    """
    return " ".join(_describe(each, model) for each in error.errors(include_url=False))


def _describe(error: ErrorDetails, model: type[BaseModel]) -> str:
    place, message = error["loc"], error["msg"].removeprefix("Value error, ").removesuffix(".")
    name = ".".join(map(str, place))
    match error["type"]:
        case "missing":
            return f"{name} is missing."
        case "extra_forbidden":
            return _describe_unknown(place, model)
        case "json_invalid":
            return f"The body is not JSON: {message.removeprefix('Invalid JSON: ')}."
        case "value_error":
            return f"{message}."
    value = repr(error["input"])
    value = value if len(value) <= _MAX_VALUE else f"{value[:_MAX_VALUE]}…"
    expected = message.removeprefix("Input should be ")
    subject = name or "The body"
    return f"{subject} is {value}, but should be {expected}." if expected != message else f"{subject}: {message}."


def _describe_unknown(place: tuple[str | int, ...], model: type[BaseModel]) -> str:
    """Return that a field is not known, and which ones are."""
    *parents, name = place
    for parent in parents:
        model = _model_of_field(model, parent) or model
    names = [each for each in model.model_fields if each != "token"]
    if similar := get_close_matches(str(name), names, 1):
        return f"There is no {name!r} here. Did you mean {similar[0]!r}?"
    return f"There is no {name!r} here" + (f", but {', '.join(names)}." if names else ": it takes no parameters.")


def _model_of_field(model: type[BaseModel], name: str | int) -> type[BaseModel] | None:
    field = model.model_fields.get(str(name))
    kinds: tuple[Any, ...] = (field.annotation, *get_args(field.annotation)) if field else ()
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
