"""The variables of Serverless (`${self:…}`, `${opt:…, default}`), as far as a file says what they stand for."""

from __future__ import annotations

import re
from typing import Any

from lambda_web_adapter.doctor.intrinsics import Unresolved

_VARIABLE = re.compile(r"\$\{([^${}]+)\}")
_MOST_ROUNDS = 10  # of variables within variables; one that names itself never ends
_MISSING = object()
_WORDS = {"true": True, "false": False, "null": None}


class ServerlessVariables:
    """Replaces the variables in a file, with the defaults of what the command line and the environment give."""

    def __init__(self, document: dict[Any, Any]) -> None:
        """Take the file, in which `${self:…}` looks."""
        self._document = document

    def resolve(self, value: Any) -> Any:
        """Return a value with all variables in it replaced by what they stand for, or by `Unresolved`."""
        return self._resolve(value, _MOST_ROUNDS)

    def _resolve(self, value: Any, rounds: int) -> Any:
        if isinstance(value, list):
            return [self._resolve(each, rounds) for each in value]
        if isinstance(value, dict):
            return {key: self._resolve(each, rounds) for key, each in value.items()}
        if not isinstance(value, str) or "${" not in value:
            return value
        whole = _VARIABLE.fullmatch(value)
        if whole and rounds:
            found = self._value_of(whole[1])
            return Unresolved(text=value) if found is _MISSING else self._resolve(found, rounds - 1)
        text = _VARIABLE.sub(self._replacement, value)
        return self._resolve(text, rounds - 1) if rounds and text != value else Unresolved(text=value)

    def _replacement(self, match: re.Match[str]) -> str:
        found = self._value_of(match[1])
        return str(found) if isinstance(found, str | int | float) else match[0]

    def _value_of(self, variable: str) -> Any:
        """Return what a variable stands for: the first of its sources that is known here."""
        for source in map(str.strip, variable.split(",")):
            kind, colon, address = source.partition(":")
            if not colon or source[:1] in "'\"":
                return _WORDS.get(source, source.strip("'\""))
            if kind == "self" and (found := self._find(address)) is not _MISSING:
                return found
            if source == "sls:stage":
                return self._find("provider.stage", "dev")
        return _MISSING

    def _find(self, address: str, default: Any = _MISSING) -> Any:
        found: Any = self._document
        for name in address.split("."):
            if not isinstance(found, dict) or name not in found:
                return default
            found = found[name]
        return found
