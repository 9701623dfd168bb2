"""What surrounds the app while it works: Lambda's environment variables, and a log handler."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING

from lambda_web_adapter.app_api.current_invocation import CURRENT
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE
from lambda_web_adapter.local.environments.variables import environment_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lambda_web_adapter.local.environments.function_options import FunctionOptions

# What the environment of a process has, but this one, which is the test's as well, is spared.
_OF_PROCESSES = ("TZ", LOCAL_RUN_VARIABLE, "AWS_LAMBDA_RUNTIME_API")


def variables_for(environ: Mapping[str, str], options: FunctionOptions) -> dict[str, str]:
    """Return the variables that an app in this process has in addition to those that there are.

    Args:
        environ: those of the test's author.
        options: the function's configuration.
    """
    variables = environment_variables({**os.environ, **environ}, options, "")
    for name in _OF_PROCESSES:
        if name not in environ:
            variables.pop(name, None)
    return {name: value for name, value in variables.items() if os.environ.get(name) != value}


class Surroundings(logging.Handler):
    """Sets variables, and takes log records, while the app works on something."""

    def __init__(self, variables: Mapping[str, str], take: Callable[[str, logging.LogRecord], None]) -> None:
        """Prepare.

        Args:
            variables: the variables to set.
            take: gets each log record, and the id of the invocation in which it was made, or "".
        """
        super().__init__()
        self._variables = variables
        self._take = take
        self._previous: dict[str, str | None] = {}
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
        self._previous = {name: os.environ.get(name) for name in self._variables}
        os.environ.update(self._variables)
        logging.getLogger().addHandler(self)

    def _remove(self) -> None:
        logging.getLogger().removeHandler(self)
        for name, value in self._previous.items():
            if os.environ.get(name) != self._variables[name]:
                continue  # somebody has changed it meanwhile
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on."""
        invocation = CURRENT.get()
        self._take(invocation.aws_request_id if invocation else "", record)
