"""What `invoke` does: it reads and checks an event, sends it, and prints what comes of it."""

from __future__ import annotations

import json
import math
import os
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click
import httpx

from lambda_web_adapter.local.commands.sample_options import find_sample
from lambda_web_adapter.local.invoke_api.invoke_client import InvalidClientContext, Result, build_headers, send_event
from lambda_web_adapter.local.records.run_file import read_runs, runs_folder
from lambda_web_adapter.local.sample_events import SAMPLES, SHORT_NAMES
from lambda_web_adapter.local.sample_events.event_checks import InvalidJson, parse_event, problems

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from ssl import SSLContext

    from lambda_web_adapter.local.commands.sample_options import SampleOptions

# Exit codes.
FAILED = 1
USAGE = 2
UNREACHABLE = 3

# Seconds: a function may take fifteen minutes (Lambda quotas, "Function timeout").
_TIMEOUT = httpx.Timeout(10, read=910)
_MAX_PROBLEMS = 10  # lines about one event


class _InvalidEvent(click.ClickException):
    """An event that is not sent."""

    exit_code = USAGE


class _Unreachable(click.ClickException):
    """There is no event or no response."""

    exit_code = UNREACHABLE


def event_builder(path: str | None, sample: str | None, options: SampleOptions) -> Callable[[], bytes]:
    """Return a function that returns the event's JSON; a sample event is another each time.

    Args:
        path: the event's file, or - for standard input; None for a sample event.
        sample: the sample event's name; None for a file.
        options: fields to set, and what else a sample event can be given.

    Raises:
        click.UsageError: there is no event or there are two, or the options do not fit it.
        click.ClickException: the file cannot be read, or is not JSON.
    """
    if (path is None) == (sample is None):
        raise click.UsageError("Name a file with an event, - for standard input, or a sample event: --sample sqs.")
    if sample is not None:
        sample_event = find_sample(sample)
        return lambda: json.dumps(options.build(sample_event)).encode()
    if options.count is not None or options.request:
        raise click.UsageError("Only a sample event is made from a number of records or parts of a request.")
    data = _read(path or "-")
    try:
        event = parse_event(data)
    except InvalidJson as error:
        raise _InvalidEvent(f"{'Standard input' if path == '-' else path} is not JSON: {error}") from None
    if options.assignments:
        options.set_fields(event)
        data = json.dumps(event).encode()
    return lambda: data


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        hint = f" Did you mean --sample {path}?" if path in SAMPLES or path in SHORT_NAMES else ""
        raise _Unreachable(f"{path} cannot be read: {error.strerror}.{hint}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How often an event is sent and where to, and what happens with the replies: the options of the same names."""

    url: str
    strict: bool
    times: int
    is_async: bool
    tail: bool
    client_context: str
    output: str | None

    def send(self, build_event: Callable[[], bytes]) -> int:
        """Send the events and print what comes of each; return the exit code.

        Raises:
            click.ClickException: an option or the event is not valid, or there is no response.
        """
        headers = self._build_headers()
        event = build_event()
        _check(event, self.strict)
        results: list[Result] = []
        try:
            with (
                _open_output(self.output) as output,
                httpx.Client(base_url=self.url, trust_env=False, timeout=_TIMEOUT, verify=_trust(self.url)) as client,
            ):
                for number in range(self.times):
                    results.append(send_event(client, build_event() if number else event, headers))
                    self._print(results[-1], output)
        except httpx.ConnectError as error:
            raise _Unreachable(f"Cannot connect to {self.url} ({error}). {_advice()}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _Unreachable(f"There is no response from {self.url}: {str(error) or repr(error)}") from None
        finally:
            if self.times > 1 and results:
                click.echo(_summary(results), err=True)
        return FAILED if any(result.error for result in results) else 0

    def _build_headers(self) -> dict[str, str]:
        if self.is_async and self.tail:
            raise click.UsageError("--async does not wait for the log that --tail prints: leave one of them out.")
        context = self.client_context
        try:
            if context and not context.lstrip().startswith("{"):
                context = Path(context).read_text(encoding="utf-8")
            return build_headers(is_async=self.is_async, tail=self.tail, client_context=context)
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"--client-context: {self.client_context} cannot be read: {error}") from None
        except InvalidClientContext as error:
            raise click.UsageError(f"--client-context: {error}") from None

    def _print(self, result: Result, output: IO[bytes]) -> None:
        """Write the payload to the output, and all else to stderr."""
        if result.log_tail:
            click.echo(result.log_tail.rstrip(b"\n"), err=True)
        if result.payload:
            is_for_eyes = self.output is None and self.times == 1 and output.isatty()
            output.write(_indented(result.payload) if is_for_eyes else result.payload)
            if self.output is None or self.times > 1:
                output.write(b"\n")
            output.flush()
        if result.error:
            _echo_in_colour(f"Failed: {result.error}", "red")
        elif result.is_queued and self.times == 1:
            click.echo("Queued.", err=True)


def _advice() -> str:
    """Return what to do if nothing listens at the URL: name that of a run that there is, or start one."""
    try:
        runs = read_runs(runs_folder(os.environ))
    except OSError:  # there is no such folder
        runs = []
    ports = [str(port) for run in runs for port in run.ports]
    if not ports:
        return "Start lambda-web-adapter there, or name its URL with --url."
    others = f"There is a local run on port {' and '.join(ports)}"
    return f"{others}: name its URL, such as --url http://127.0.0.1:{ports[0]}."


def _trust(url: str) -> SSLContext | bool:
    """Return what an https server's certificate is verified with: that of `--tls` is trusted."""
    if not url.startswith("https:"):
        return True
    from lambda_web_adapter.local.tls import cache_folder, client_context

    return client_context(cache_folder(os.environ))


def _check(event: bytes, strict: bool) -> None:
    """Warn of wrong fields, since the adapter takes the event anyway.

    Raises:
        _InvalidEvent: there are some, and `strict` is set.
    """
    lines = problems(json.loads(event))
    if not lines:
        return
    shown = [*lines[:_MAX_PROBLEMS], *([f"and {len(lines) - _MAX_PROBLEMS} more"] if lines[_MAX_PROBLEMS:] else [])]
    if strict:
        raise _InvalidEvent("The event is not as AWS sends it:\n" + "\n".join(f"  {line}" for line in shown))
    for line in shown:
        _echo_in_colour(f"Warning: {line}", "yellow")
    click.echo("It is sent anyway, since the adapter takes any event; --strict would not send it.", err=True)


def _echo_in_colour(line: str, colour: str) -> None:
    """Write a line to stderr, coloured in a terminal unless NO_COLOR is set (https://no-color.org)."""
    click.secho(line, err=True, fg=colour, color=False if os.environ.get("NO_COLOR") else None)


def _open_output(path: str | None) -> AbstractContextManager[IO[bytes]]:
    """Open the file, so that one that cannot be written is an error before the function is invoked."""
    if path is None:
        return nullcontext(sys.stdout.buffer)
    try:
        return Path(path).open("wb")
    except OSError as error:
        raise click.UsageError(f"--output: {path} cannot be written: {error.strerror}.") from None


def _indented(payload: bytes) -> bytes:
    """Return JSON for people; what is none, such as a stream, stays as it is."""
    try:
        document = json.loads(payload)
    except ValueError:
        return payload
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _summary(results: Sequence[Result]) -> str:
    failed = sum(bool(result.error) for result in results)
    times = sorted(result.seconds * 1000 for result in results)
    p50, p95 = (times[math.ceil(len(times) * share) - 1] for share in (0.5, 0.95))
    return (
        f"{len(results)} invocations: {len(results) - failed} ok, {failed} failed, p50 {p50:.1f} ms, p95 {p95:.1f} ms"
    )
