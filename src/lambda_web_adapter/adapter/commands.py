"""Commands of the app, such as Django's `migrate`, run by an event: `{"command": ["migrate"]}`.

They are off unless AWS_LWA_COMMANDS names the program. Only a direct invocation has such an event: a request, a queue
or another service puts what it brings into an event of its own form.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.adapter.process.process_tree import own_child
from lambda_web_adapter.errors import CommandFailed, InvalidEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

# How much of the output is in the reply, in bytes; the log has all of it.
_MAX_OUTPUT = 64 * 1024
_READ_BYTES = 64 * 1024
_CHECK_SECONDS = 0.1  # between two checks whether it has ended
_KEY = b'"command"'
# An event with more is no command: a command line has up to 128 KB for an argument (execve(2)).
_MAX_EVENT = 256 * 1024


def parse_command(event: bytes) -> list[str] | None:
    """Return the arguments in an event that is a command; None for any other event.

    Raises:
        InvalidEvent: it has no other key than `command`, but its value is no list of strings.
    """
    if len(event) > _MAX_EVENT or _KEY not in event:
        return None
    try:
        document = orjson.loads(event)
    except ValueError:
        return None
    if not isinstance(document, dict) or list(document) != ["command"]:
        return None
    arguments = document["command"]
    if not isinstance(arguments, list) or not arguments or not all(isinstance(each, str) for each in arguments):
        raise InvalidEvent(
            f'The event has {arguments!r} as its command, but it takes a list of strings: {{"command": ["migrate"]}}.'
        )
    if any("\0" in each for each in arguments):
        raise InvalidEvent("The event's command has a null character, which no argument of a program can have.")
    return arguments


def run_command(command: Sequence[str], deadline: float) -> bytes:
    """Run a command in the app's folder, with the function's variables; return the reply.

    What it writes goes to the log as it comes, stdout and stderr in their order.

    Args:
        command: the program and its arguments.
        deadline: when it is killed, with all that it has started; on the monotonic clock, in seconds.

    Returns:
        JSON with `output`: the last 64 KB of what it has written.

    Raises:
        CommandFailed: it cannot be started, it has failed, or it was killed.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # the function's owner has chosen the program
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        raise CommandFailed(f"{command[0]} cannot be started: {error.strerror}. AWS_LWA_COMMANDS names it.") from None
    with process, own_child(process.pid):
        output = _relay(process, deadline)
        timed_out = process.poll() is None and time.monotonic() >= deadline
        if timed_out:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    text = output.decode("utf-8", "replace")
    line = " ".join(command)
    if timed_out:
        raise CommandFailed(f"`{line}` was killed shortly before the function's timeout.", f" It wrote:\n{text}")
    if code:
        end = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise CommandFailed(f"`{line}` ended with {end}.", f" It wrote:\n{text}")
    return orjson.dumps({"output": text})


def _relay(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Write what a process writes to the log until it ends, or until the deadline; return the last of it."""
    output = bytearray()
    pipe = process.stdout
    if pipe is None:
        return b""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while (remaining := deadline - time.monotonic()) > 0:
        if not poll.poll(min(remaining, _CHECK_SECONDS) * 1000):
            if process.poll() is not None:  # what it has started may hold the pipe
                break
            continue
        part = os.read(pipe.fileno(), _READ_BYTES)
        if not part:
            break
        sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        output += part
        del output[:-_MAX_OUTPUT]
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(deadline - time.monotonic(), 0.0))
    return bytes(output)
