"""What every environment of a local run executes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_web_adapter.local.environments.guard import Guard
    from lambda_web_adapter.local.log import Log


class Program:
    """What every environment executes, and who takes care of it.

    Attributes:
        arguments: the program and its arguments, after the interpreter.
        environ: the caller's environment variables.
        guard: kills the processes if the local run is killed.
        log: the log.
        reports_exchanges: whether the adapter reports its exchanges with the app, for the records.
        python: the interpreter; this one, until it is set to another.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        guard: Guard,
        log: Log,
        *,
        reports_exchanges: bool = False,
    ) -> None:
        """Describe the program."""
        self.arguments = list(arguments)
        self.environ = environ
        self.guard = guard
        self.log = log
        self.reports_exchanges = reports_exchanges
        self.python = sys.executable
