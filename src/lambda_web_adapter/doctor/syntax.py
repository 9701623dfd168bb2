"""Parses sources as the function's Python does."""

from __future__ import annotations

import ast
import sys
import warnings


def parse(data: bytes, python: tuple[int, int]) -> ast.Module:
    """Return the syntax tree of a source.

    Args:
        data: the source.
        python: the version of the function's Python.

    Raises:
        SyntaxError: this Python or that one cannot parse it.
        ValueError: it has null bytes.
        RecursionError: it is nested too deeply.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that Python does not know
        try:
            return ast.parse(data, feature_version=min(python, sys.version_info[:2]))
        except MemoryError:  # of the parser's own stack
            raise RecursionError("The source is nested too deeply.") from None


def is_wrong(data: bytes, python: tuple[int, int]) -> bool:
    """Return whether a source has a syntax error for sure: a newer Python may know more than this one."""
    try:
        parse(data, python)
    except SyntaxError:
        return python <= sys.version_info[:2]
    except (ValueError, RecursionError):
        return False
    return False
