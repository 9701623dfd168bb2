"""Commands of this machine, each with a bound on its time and nothing left running behind it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

OUTPUT_SHOWN = 6000


class CommandFailedError(Exception):
    """A command ended with an error or took too long; the text carries the end of its output."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def command(argv: Sequence[str | Path], *, timeout: float = 60, env: Mapping[str, str] | None = None) -> str:
    """Run a command and return its standard output, without the line break at the end."""
    with subprocess.Popen(
        [str(part) for part in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException as error:
            # The group, because a build's own children would otherwise hold the pipes open and run on.
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            err += f"\nstopped after {timeout:.0f} s"
    if process.returncode:
        raise CommandFailedError(f"{argv[0]} {argv[1]} … → {process.returncode}\n{(out + err)[-OUTPUT_SHOWN:]}")
    return out.rstrip("\n")


class Stopwatch:
    """Says what is being done, and afterwards how long it took."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        say(f"      {self.what}: {time.monotonic() - self.start:.1f} s")
