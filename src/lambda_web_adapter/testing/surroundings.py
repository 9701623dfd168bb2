"""What surrounds the app while it works: Lambda's environment variables, and a log handler."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics import log as adapter_log
from lambda_web_adapter.app_api.current_invocation import CURRENT
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE
from lambda_web_adapter.local.environments.variables import environment_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lambda_web_adapter.local.environments.function_options import FunctionOptions

# What the environment of a process has, but this one, which is the test's as well, is spared.
_OF_PROCESSES = ("TZ", LOCAL_RUN_VARIABLE, "AWS_LAMBDA_RUNTIME_API")


class _Layers:
    """The variables of all surroundings in place, each on top of those before it, whatever the order of their ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._layers: dict[int, Mapping[str, str]] = {}
        self._previous: dict[str, str | None] = {}  # without any layer

    def add(self, variables: Mapping[str, str]) -> None:
        """Put variables on top."""
        with self._lock:
            for name in variables:
                if self._find(name) is None:
                    self._previous[name] = os.environ.get(name)
            self._layers[id(variables)] = variables
            os.environ.update(variables)

    def remove(self, variables: Mapping[str, str]) -> None:
        """Restore what is below variables, but for those that somebody has changed meanwhile."""
        with self._lock:
            unchanged = [name for name in variables if os.environ.get(name) == self._find(name)]
            del self._layers[id(variables)]
            for name in unchanged:
                below = self._find(name)
                value = self._previous[name] if below is None else below
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def below(self) -> dict[str, str]:
        """Return the variables of this process as they are without any layer."""
        with self._lock:
            names = {name for layer in self._layers.values() for name in layer}
            previous = {name: value for name in names if (value := self._previous[name]) is not None}
            return {name: value for name, value in os.environ.items() if name not in names} | previous

    def _find(self, name: str) -> str | None:
        """Return the value in the topmost layer that has the name; None if no layer has it."""
        return next((layer[name] for layer in reversed(self._layers.values()) if name in layer), None)


_LAYERS = _Layers()


def own_environ() -> dict[str, str]:
    """Return the variables of this process, without those that apps of other transports have now."""
    return _LAYERS.below()


def variables_for(environ: Mapping[str, str], options: FunctionOptions) -> dict[str, str]:
    """Return the variables that an app in this process has in addition to those that there are.

    Args:
        environ: those of the test's author.
        options: the function's configuration.
    """
    own = own_environ()
    variables = environment_variables({**own, **environ}, options, "")
    for name in _OF_PROCESSES:
        if name not in environ:
            variables.pop(name, None)
    return {name: value for name, value in variables.items() if own.get(name) != value}


class Surroundings(logging.Handler):
    """The variables and the log handler that are there while the app works on something."""

    def __init__(
        self,
        variables: Mapping[str, str],
        take: Callable[[str, logging.LogRecord], None],
        take_line: Callable[[str, str], None],
    ) -> None:
        """Prepare.

        Args:
            variables: the variables to set.
            take: gets each log record, and the id of the invocation in which it was made, or "".
            take_line: gets each line of the adapter, after the invocation's id, or "".
        """
        super().__init__()
        self._variables = variables
        self._take = take
        self._take_line = take_line
        self._users = 0
        self._users_lock = threading.Lock()

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Have them in place while the block runs, and while any other block of this kind does."""
        with self._users_lock:
            self._users += 1
            if self._users == 1:
                self._install()
        try:
            yield
        finally:
            with self._users_lock:
                self._users -= 1
                if not self._users:
                    self._remove()

    def _install(self) -> None:
        _LAYERS.add(self._variables)
        logging.getLogger().addHandler(self)
        adapter_log.listeners.append(self._take_line)

    def _remove(self) -> None:
        adapter_log.listeners.remove(self._take_line)
        logging.getLogger().removeHandler(self)
        _LAYERS.remove(self._variables)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on."""
        invocation = CURRENT.get()
        self._take(invocation.aws_request_id if invocation else "", record)
