"""Debuggers in a local run: `breakpoint()` with a terminal and without, and timeouts that wait for a debugger.

The environment's output goes through the local run, and several environments share one terminal. So pdb opens the
terminal itself, and one session at a time has it.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import pdb
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lambda_web_adapter.app.control_channel import AdapterChannel

_STDIN = 0
# The engine of debugpy, and so of VS Code, and of PyCharm.
_ENGINE = "pydevd"
_CHOICE = "PYTHONBREAKPOINT"
_NONE = "0"  # the value of that variable for which `breakpoint()` does nothing
_SKIPPED = (
    "breakpoint() at %s:%d was skipped: the local run has no terminal. Start it in one, or debug with an editor "
    "(docs/debugging.md)."
)
logger = logging.getLogger(__name__)


def install(control: AdapterChannel) -> None:
    """Let `breakpoint()` use the terminal of the local run, unless the user has chosen another debugger."""
    report_loaded(control)
    if _ENGINE in sys.modules:
        return
    if choice := os.environ.get(_CHOICE):
        if choice != _NONE:
            control.debugger()
        return

    def hook(*_: Any, **options: Any) -> None:
        frame = sys._getframe(1)
        if not os.isatty(_STDIN):
            logger.warning(_SKIPPED, os.path.relpath(frame.f_code.co_filename), frame.f_lineno)
            return
        control.debugger()
        TerminalPdb(os.ttyname(_STDIN), options.get("header")).set_trace(frame)

    sys.breakpointhook = hook


def report_loaded(control: AdapterChannel) -> None:
    """Report a debugger that may stop this process from outside, at the breakpoints of an editor."""
    if _ENGINE in sys.modules:
        control.debugger()


class TerminalPdb(pdb.Pdb):
    """pdb in a terminal that other processes use as well."""

    def __init__(self, path: str, header: str | None = None) -> None:
        """Use the terminal at a path, and write the header there first, if there is one."""
        # It must not become the controlling terminal: Ctrl-C is for the local run, which then stops all environments.
        self._terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
        super().__init__(stdin=os.fdopen(os.dup(self._terminal)), stdout=os.fdopen(self._terminal, "w"))
        if header:
            self.message(header)

    def interaction(self, *args: Any, **options: Any) -> None:
        """Talk with the user, as the only session in the terminal."""
        with self._exclusive():
            super().interaction(*args, **options)

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        fcntl.flock(self._terminal, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._terminal, fcntl.LOCK_UN)
