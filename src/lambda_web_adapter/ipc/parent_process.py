"""What the bootstrap and the processes it starts agree on besides messages: signals, variables, exit codes."""

from __future__ import annotations

import os
import signal
import sys

# On this signal, each thread of the built-in server writes its own stack.
STACK_DUMP_SIGNAL = signal.SIGUSR2
# The variable with the file descriptor for the stack dump, if the adapter makes one log event of it.
STACK_DUMP_FD_VARIABLE = "_LWA_STACKS_TO"
# Set in the environments of a local run, where adapter and app have a whole laptop; empty as on Lambda.
LOCAL_RUN_VARIABLE = "_LWA_LOCAL_RUN"
# The variable with the file descriptor of a datagram socket for exchanges with the app, if a local run records them.
EXCHANGES_FD_VARIABLE = "_LWA_EXCHANGES_TO"
# Exit code if the built-in server, and not the app, has failed: EX_SOFTWARE (sysexits.h), which no interpreter uses.
SERVER_FAILED = 70
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def drop_exchanges() -> None:
    """Close the descriptor for exchanges, and remove its variable, in a process that reports none."""
    if descriptor := os.environ.pop(EXCHANGES_FD_VARIABLE, ""):
        os.close(int(descriptor))


def end_with_parent(parent: int) -> None:
    """Make the kernel kill this process when the process that started it ends, also after an exec.

    Only Linux can do that. On macOS, the local run ends its processes itself.

    Args:
        parent: the process that started this one; if it has ended already, this one ends at once.
    """
    if sys.platform != "linux":
        return
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process, on Linux (prctl(2)).

    `ctypes` would do, but takes 2 ms of a cold start to import: 1.3 ms more than `_ctypes`, on which it is built. That
    module is CPython's own: `tests/adapter/test_left_processes.py` fails if a version changes it.
    """
    import _ctypes

    program = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # as `ctypes.CDLL(None)` does
    _ctypes.call_function(_ctypes.dlsym(program, "prctl"), (option, value, 0, 0, 0))
