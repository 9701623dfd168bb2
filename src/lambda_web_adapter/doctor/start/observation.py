"""The orders to an observed environment, and its reports: by lines in its output, each with a marker.

The environment imports as little as it can: what it has imported, the app's import does not take time for.
"""

from __future__ import annotations

import ast
import marshal
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Longer writes to a pipe may be mixed with those of others (pipe(7), PIPE_BUF).
_MAX_LINE = 4096


class Observation:
    """What to observe in an environment.

    Attributes:
        marker: begins each line of the report.
        root: the folder in which the function is started.
        folder: the folder of the app.
        group: the file of a control group that the environment's processes are to join; empty for none.
        is_isolated: whether the file system is to be Lambda's.
        watches: whether to report which modules run, and what is written.
        left_out: the modules that the app's own modules are not to import.
        readable: the folders that have to be read besides.
    """

    def __init__(  # noqa: PLR0913  # its fields; the module `dataclasses` takes long to import
        self,
        *,
        marker: str,
        root: str,
        folder: str,
        group: str = "",
        is_isolated: bool = False,
        watches: bool = False,
        left_out: tuple[str, ...] = (),
        readable: tuple[str, ...] = (),
    ) -> None:
        """Describe it."""
        self.marker = marker
        self.root = root
        self.folder = folder
        self.group = group
        self.is_isolated = is_isolated
        self.watches = watches
        self.left_out = left_out
        self.readable = readable

    def to_argument(self) -> str:
        """Return it as an argument of a program."""
        return marshal.dumps(vars(self)).hex()

    @classmethod
    def of_argument(cls, argument: str) -> Observation:
        """Return the observation that an argument stands for."""
        return cls(**marshal.loads(bytes.fromhex(argument)))  # noqa: S302  # written by our own parent


class Reporter:
    """Writes reports to a descriptor, which stays the same when the app replaces its own."""

    def __init__(self, marker: str) -> None:
        """Begin with the marker, and what stderr is now."""
        self._marker = marker
        self._descriptor = os.dup(2)

    def report(self, kind: str, *values: object) -> None:
        """Write a report: what it is about, and its values, which are literals."""
        line = f"\n{self._marker}{(kind, *values)!a}\n".encode()
        if len(line) <= _MAX_LINE:
            os.write(self._descriptor, line)

    def report_each(self, kind: str, values: list[str]) -> None:
        """Write a report for each value, so that all of them have lines of a length that is not mixed with others."""
        for value in values:
            self.report(kind, value)


def parse_reports(output: bytes, marker: str) -> tuple[list[tuple[Any, ...]], str]:
    """Return the reports in an environment's output, and the output without them."""
    pattern = re.compile(rb"\n" + re.escape(marker.encode()) + rb"(\(.*\))\n")
    reports = [ast.literal_eval(match[1].decode("ascii")) for match in pattern.finditer(output)]
    return reports, pattern.sub(b"", output).decode("utf-8", "replace")
