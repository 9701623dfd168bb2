"""CloudFormation's intrinsic functions, as far as a template says what they return, without an account."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

# Functions whose short form in YAML has no "Fn::" (AWS CloudFormation User Guide, "Intrinsic function reference").
_WITHOUT_PREFIX = ("Ref", "Condition")
_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")
_NO_VALUE = "AWS::NoValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A value that only a deployment knows.

    Attributes:
        text: what the template has in its place.
    """

    text: str

    def __str__(self) -> str:
        return self.text


def long_form(tag: str, value: Any) -> dict[str, Any]:
    """Return a function as JSON has it, from its short form in YAML: `!Sub` is `{"Fn::Sub": …}`."""
    return {tag if tag in _WITHOUT_PREFIX else f"Fn::{tag}": value}


class Intrinsics:
    """Resolves the functions in a template, with the defaults of its parameters."""

    def __init__(self, document: dict[Any, Any]) -> None:
        """Take a template's parameters and mappings."""
        self._parameters = _parameters(document.get("Parameters"))
        self._mappings = document.get("Mappings")

    def resolve(self, value: Any) -> Any:
        """Return a value with all functions in it replaced by what they return, or by `Unresolved`."""
        if isinstance(value, list):
            return [each for each in map(self.resolve, value) if each is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(argument)
            if isinstance(name, str) and name.startswith("Fn::"):
                return self._call(name.removeprefix("Fn::"), argument)
        resolved = {key: self.resolve(each) for key, each in value.items()}
        return {key: each for key, each in resolved.items() if each is not None}

    def _ref(self, name: Any) -> Any:
        return None if name == _NO_VALUE else self._parameters.get(str(name), Unresolved(text=str(name)))

    def _call(self, name: str, argument: Any) -> Any:
        if name == "Sub":
            return self._substitute(argument)
        unresolved = Unresolved(text=_text(name, argument))
        arguments = self.resolve(argument)
        if name == "If" and isinstance(argument, list) and len(argument) == 3:
            either, other = (self.resolve(each) for each in argument[1:])
            return either if either == other else unresolved
        if not isinstance(arguments, list) or any(isinstance(each, Unresolved) for each in arguments):
            return unresolved
        if name == "FindInMap":
            return self._find_in_map(arguments, unresolved)
        if name == "Join" and len(arguments) == 2 and isinstance(arguments[1], list):
            parts, is_known = arguments[1], not any(isinstance(each, Unresolved) for each in arguments[1])
            text = str(arguments[0]).join(map(_placeholder, parts))
            return text if is_known else Unresolved(text=text)
        return unresolved

    def _substitute(self, argument: Any) -> Any:
        text, values = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        if not isinstance(text, str):
            return Unresolved(text=_text("Sub", argument))
        own = self.resolve(values) if isinstance(values, dict) else {}
        known = {**self._parameters, **(own if isinstance(own, dict) else {})}
        missing = False

        def replace(match: re.Match[str]) -> str:
            nonlocal missing
            value = known.get(match[1].strip())
            if isinstance(value, str | int | float):
                return str(value)
            missing = True
            return match[0]

        text = _PLACEHOLDER.sub(replace, text)
        return Unresolved(text=text) if missing else text.replace("${!", "${")

    def _find_in_map(self, keys: list[Any], unresolved: Unresolved) -> Any:
        found = self._mappings
        for key in keys:
            found = found.get(key) if isinstance(found, dict) and isinstance(key, str | int) else None
        return unresolved if found is None else found


def _parameters(parameters: Any) -> dict[str, Any]:
    """Return the defaults of parameters by name; without those that name a value of Systems Manager."""
    values: dict[str, Any] = {}
    for name, parameter in (parameters if isinstance(parameters, dict) else {}).items():
        default = parameter.get("Default") if isinstance(parameter, dict) else None
        kind = str(parameter.get("Type")) if default is not None else ""
        if default is None or kind.startswith("AWS::SSM::Parameter::Value"):
            continue
        is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
        values[str(name)] = [each.strip() for each in str(default).split(",")] if is_list else default
    return values


def _placeholder(value: Any) -> str:
    return f"${{{value}}}" if isinstance(value, Unresolved) else str(value)


def _text(name: str, argument: Any) -> str:
    if name == "GetAtt" and isinstance(argument, list):
        argument = ".".join(map(str, argument))
    return argument if isinstance(argument, str) else f"Fn::{name} {json.dumps(argument, default=str)}"
