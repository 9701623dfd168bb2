"""The log of a local run: the app's output, a line for each request, or the lines that Lambda writes."""

from __future__ import annotations

import math
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from typing import TextIO

    from lambda_web_adapter.ipc.exchange_frame import Exchange
    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.gateways import Request, Response
    from lambda_web_adapter.local.records.recorder import Recorder

STYLES = ("short", "lambda", "plain")
_COLOURS = {"1": "blue", "2": "green", "3": "cyan", "4": "yellow", "5": "red"}  # by a status code's first digit


@dataclass(slots=True, kw_only=True)
class RequestLine:
    """What the log says about a request.

    Attributes:
        title: method, path and query.
        source: the gateway's name; empty for the Invoke API.
        status: the response's status, or `-` if none was sent.
        seconds: how long it took.
        request: the client's request, if its body has come.
        response: the response; of a streamed one, the beginning.
        response_bytes: the size of a streamed response's body.
        invocation: its invocation, if there was one.
        replay_of: the number of the record that it repeats; 0 if it repeats none.
        number: the number of its record, once it is logged; 0 if nothing is recorded.
        progress: what is to be said of a streamed response, after a comma.
        problem: what went wrong, if anything.
    """

    title: str
    source: str = ""
    status: int | str = "-"
    seconds: float = 0.0
    request: Request | None = None
    response: Response | None = None
    response_bytes: int = 0
    invocation: Invocation | None = None
    replay_of: int = 0
    number: int = 0
    progress: str = ""
    problem: str = ""


class Log:
    """Writes to stderr, in colour if that is a terminal, and passes on to a recorder what happens to invocations."""

    def __init__(self, style: str = "short", stream: TextIO | None = None, recorder: Recorder | None = None) -> None:
        """Prepare for one of `STYLES`."""
        self._recorder = recorder
        self._style = style
        self._stream = stream
        self._has_colour = (stream or sys.stderr).isatty() and not os.environ.get("NO_COLOR")  # no-color.org
        self._is_at_line_start = True

    def output(self, text: bytes) -> None:
        """Write the app's output."""
        self._write(text.decode("utf-8", "replace"))

    def line(self, text: str, **style: bool | str) -> None:
        """Write a line about the local run."""
        start = "" if self._is_at_line_start else "\n"
        text = click.style(text, **style) if self._has_colour and style else text  # type: ignore[arg-type]
        self._write(f"{start}{text}\n")

    def environment(self, number: int, text: str) -> None:
        """Write a line about an environment."""
        self.line(f"Environment {number}: {text}", fg="yellow")

    def environment_changed(self, number: int, state: str, reason: str = "") -> None:
        """Record what an environment does from now on (an `Activity`)."""
        if self._recorder:
            self._recorder.change_environment(number, state, reason)

    def memory_measured(self, number: int, memory: int) -> None:
        """Record how much memory an environment has, in bytes."""
        if self._recorder:
            self._recorder.measure_environment(number, memory)

    def exchange_reported(self, exchange: Exchange) -> None:
        """Record an exchange between adapter and app."""
        if self._recorder:
            self._recorder.add_exchange(exchange)

    def note(self, invocation: Invocation, text: str) -> None:
        """Write a line of Lambda's about an invocation, such as its timeout."""
        line = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}Z {invocation.request_id} {text}"
        invocation.add_log_line(line)
        self.line(line, fg="red")

    def started(self, invocation: Invocation) -> None:
        """Write Lambda's line at the start of an invocation."""
        self._write_as_lambda(invocation, f"START RequestId: {invocation.request_id} Version: $LATEST")
        if self._recorder:
            self._recorder.start(invocation)

    def ended(self, invocation: Invocation, options: FunctionOptions) -> None:
        """Write Lambda's lines at the end of an invocation."""
        self._write_as_lambda(invocation, f"END RequestId: {invocation.request_id}")
        self._write_as_lambda(invocation, _report(invocation, options))
        if self._recorder:
            self._recorder.end(invocation)

    def request(self, line: RequestLine) -> None:
        """Write the line of a request; among Lambda's lines only if there is a problem."""
        if self._recorder:
            self._recorder.respond(line)
        if self._style == "lambda" and not line.problem:
            return
        place = "" if self._style == "plain" or line.invocation is None else _place(line.invocation)
        status = str(line.status)
        if self._has_colour:
            status = click.style(status, fg=_COLOURS.get(status[0], "red"))
            place = click.style(place, dim=True)
        problem = f": {line.problem}" if line.problem else ""
        self.line(f"{line.title} {status} {line.seconds * 1000:.0f} ms{line.progress}{place}{problem}")

    def _write_as_lambda(self, invocation: Invocation, line: str) -> None:
        invocation.add_log_line(line)
        if self._style == "lambda":
            self.line(line)

    def _write(self, text: str) -> None:
        stream = self._stream or sys.stderr
        with suppress(OSError):  # the terminal is closed, or whoever has read the pipe: the app goes on without them
            stream.write(text)
            stream.flush()
        self._is_at_line_start = text.endswith("\n")


def _place(invocation: Invocation) -> str:
    """Return which environment had an invocation, and how long the init took if it was cold and has succeeded."""
    if not invocation.environment:
        return ""
    cold = f", cold start {invocation.init_seconds * 1000:.0f} ms" if invocation.init_seconds else ""
    return f", environment {invocation.environment}{cold}"


def _report(invocation: Invocation, options: FunctionOptions) -> str:
    """Return the REPORT line; the init is billed since August 2025 (Lambda pricing)."""
    duration = (invocation.ended_at - invocation.started_at) * 1000
    init = invocation.init_seconds * 1000
    parts = [
        f"REPORT RequestId: {invocation.request_id}",
        f"Duration: {duration:.2f} ms",
        f"Billed Duration: {math.ceil(duration + init)} ms",
        f"Memory Size: {options.memory} MB",
        f"Max Memory Used: {invocation.max_memory // 1024 // 1024} MB",
    ]
    if invocation.is_cold and init:
        parts.append(f"Init Duration: {init:.2f} ms")
    return "\t".join(parts) + "\t"
