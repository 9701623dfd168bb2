"""A body in parts, which the app sends and the test expects: of each invocation another one, to the last byte."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def parts(marker: str, number: int, size: int) -> Iterator[bytes]:
    """Yields parts that each say which one they are.

    Args:
        marker: the invocation.
        number: how many.
        size: what comes behind that, in bytes that no coding makes smaller.
    """
    for index in range(number):
        name = f" {marker} {index} "
        yield name.encode() + random.Random(name).randbytes(size)  # noqa: S311  # nothing is kept secret
