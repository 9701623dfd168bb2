"""Execute another program in a forked process: the external command, or this program anew."""

from __future__ import annotations

import os
import signal
import sys

from lambda_web_adapter.ipc.parent_process import end_with_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn


def execute_command(command: list[str], variables: Mapping[str, str], adapter: int) -> NoReturn:
    """Execute an external command, with `variables` added to its environ; it is killed when the adapter ends.

    Raises:
        OSError: It cannot be executed.
    """
    end_with_parent(adapter)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores them, and the command would inherit that
    os.execvpe(command[0], command, {**os.environ, **variables})  # noqa: S606  # the user chose the program


def execute_again(variable: str, descriptors: list[int]) -> NoReturn:
    """Execute this program anew; it inherits the descriptors, and finds their numbers in the variable.

    Raises:
        OSError: It cannot be executed.
    """
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    environ = {**os.environ, variable: ",".join(map(str, descriptors))}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)  # noqa: S606  # it is this program
