"""JSON as RFC 8259 has it, for what apps and agents write."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read(text: str) -> Any:
    """Reads JSON; the standard library takes what orjson does not: half of a surrogate pair, integers of any size.

    Raises:
        ValueError: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON (RFC 8259 §6)")
