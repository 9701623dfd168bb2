"""The Python of an environment, and how it runs a module."""

from __future__ import annotations

import sys
from typing import NamedTuple


class Interpreter(NamedTuple):
    """A Python.

    Attributes:
        python: the program.
        launcher: the arguments before the name of a module that it is to run.
    """

    python: str
    launcher: tuple[str, ...]


THIS_PYTHON = Interpreter(sys.executable, ("-m",))
