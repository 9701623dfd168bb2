"""What ties the bootstrap's process and those it starts: none is left over, and each knows the other's signal."""

from __future__ import annotations

import os
import signal
import sys

# Has our own server write to the log what it is doing.
STACK_DUMP_SIGNAL = signal.SIGUSR2
# The variable that names the file descriptor to write them to, where the adapter makes one event of them.
STACK_DUMP_FD_VARIABLE = "_LWA_STACKS_TO"
# Exit code of the built-in server when it has failed, not the app: EX_SOFTWARE (sysexits.h), no interpreter uses it.
SERVER_FAILED = 70
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int) -> None:
    """Has the kernel kill this process, also after an exec, when the process that started it ends.

    Only Linux can do that. Elsewhere, which is a laptop, the local run ends its processes itself.

    Args:
        parent: the process that started this one; if it has ended already, so does this one.
    """
    if sys.platform != "linux":
        return
    import ctypes  # 2 ms, which a server spends after it has said that it is ready

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
