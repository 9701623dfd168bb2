"""Strict JSON (RFC 8259), for what apps and agents send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def read(text: str) -> Any:
    """Return the parsed JSON; unlike orjson, this accepts half of a surrogate pair and integers of any size.

    Raises:
        ValueError: the text is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_reject_constant)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON (RFC 8259 §6)")
