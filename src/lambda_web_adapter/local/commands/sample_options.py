"""Options that make up a sample event, for all commands that take one."""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from lambda_web_adapter.local.sample_events import ANY_REQUEST, SAMPLES, SHORT_NAMES, Occasion, SampleRequest
from lambda_web_adapter.local.sample_events.event_fields import Assignment, InvalidField, parse_assignment

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from lambda_web_adapter.local.sample_events import SampleEvent

# What a path and a query may hold besides letters and digits (RFC 3986 §3.3, §3.4); % begins an escape.
_IN_PATH = "/%:@!$&'()*+,;=-._~"
_IN_QUERY = f"{_IN_PATH}?"
_MAX_COUNT = 10_000  # records; a batch of SQS or Kinesis has at most that many


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOptions:
    """What the command line says about a sample event.

    Attributes:
        request: parts of the request, by the names of `ANY_REQUEST`.
        count: the number of records; None if it is not on the command line.
        assignments: fields to set.
    """

    request: dict[str, Any] = field(default_factory=dict)
    count: int | None = None
    assignments: list[Assignment] = field(default_factory=list)

    def build(self, sample: SampleEvent) -> Any:
        """Return a new event, with new ids and the current time.

        Raises:
            click.UsageError: the sample event has no such part.
        """
        if self.count is not None and not sample.repeats:
            raise click.UsageError(f"{sample.name} has one record only: leave --count out.")
        if wrong := self.request.keys() - sample.parts:
            takes = f"takes {_options(sample.parts)}" if sample.parts else "is not about an HTTP request"
            raise click.UsageError(f"{sample.name} {takes}: leave {_options(wrong)} out.")
        event = sample.build(
            Occasion(
                time_ms=time.time_ns() // 1_000_000,
                random=random.SystemRandom(),
                count=self.count or 1,
                request=_build_request(self.request),
            )
        )
        self.set_fields(event)
        return event

    def set_fields(self, event: Any) -> None:
        """Set the fields in an event.

        Raises:
            click.UsageError: one does not fit the event.
        """
        for assignment in self.assignments:
            try:
                assignment.apply(event)
            except InvalidField as error:
                raise click.UsageError(f"--set {'.'.join(assignment.path)}: {error}") from None


def sample_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command's function with the options of sample events, which it gets as `options`."""

    @wraps(function)
    def with_options(count: int | None, assignments: tuple[str, ...], texts: tuple[str, ...], **parameters: Any) -> Any:
        request = {name: parameters.pop(name) for name in ANY_REQUEST}
        text = request.pop("body")
        body = {} if text is None else {"body": _read_body(text)}  # once: standard input has it only once
        options = SampleOptions(
            request={name: value for name, value in request.items() if value not in (None, ())} | body,
            count=count,
            assignments=[*_parse(assignments, is_text=False), *_parse(texts, is_text=True)],
        )
        return function(options=options, **parameters)

    wrapped: Callable[..., Any] = with_options
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


_OPTIONS = (
    click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="PATH=VALUE",
        help="Set a field, such as Records.0.body=hello; the value is JSON if it is valid JSON, else text.",
    ),
    click.option(
        "--set-text", "texts", multiple=True, metavar="PATH=TEXT", help="The same, but the value is always text."
    ),
    click.option("--count", type=click.IntRange(1, _MAX_COUNT), metavar="N", help="Number of records (default: 1)."),
    click.option("-X", "--method", metavar="NAME", help="Method of an HTTP request (default: GET; POST with a body)."),
    click.option("--path", metavar="PATH", help="Its path, with or without a query (default: /)."),
    click.option("--query", multiple=True, metavar="NAME=VALUE", help="A parameter of its query."),
    click.option("-H", "--header", multiple=True, metavar="NAME:VALUE", help="A header."),
    click.option("-d", "--body", metavar="TEXT", help="Its body; @FILE takes a file, @- standard input."),
)


def find_sample(name: str) -> SampleEvent:
    """Return a sample event by its name.

    Raises:
        click.UsageError: there is none; the message names those that are alike.
    """
    if sample := SAMPLES.get(SHORT_NAMES.get(name, name)):
        return sample
    names = [*SAMPLES, *SHORT_NAMES]
    alike = [each for each in names if name and name in each] or get_close_matches(name, names, 3)
    hint = f" Did you mean {' or '.join(alike)}?" if alike else ""
    raise click.UsageError(f"There is no sample event {name!r}.{hint} lambda-web-adapter event --list shows all.")


def complete_sample(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of sample events for a shell."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(name, help=SAMPLES[SHORT_NAMES.get(name, name)].title)
        for name in sorted([*SAMPLES, *SHORT_NAMES])
        if name.startswith(incomplete)
    ]


def _parse(assignments: tuple[str, ...], *, is_text: bool) -> list[Assignment]:
    try:
        return [parse_assignment(each, is_text=is_text) for each in assignments]
    except InvalidField as error:
        raise click.UsageError(f"--set{'-text' * is_text}: {error}") from None


def _options(parts: frozenset[str] | set[str]) -> str:
    return ", ".join(f"--{part}" for part in sorted(parts))


def _build_request(parts: dict[str, Any]) -> SampleRequest:
    path, _, query = parts.get("path", "/").partition("?")
    body = parts.get("body", b"")
    queries = [part for part in (query, *parts.get("query", ())) if part]
    return SampleRequest(
        method=parts.get("method", "POST" if body else "GET").upper(),
        path=quote(path if path.startswith("/") else f"/{path}", safe=_IN_PATH),
        query="&".join(quote(part, safe=_IN_QUERY) for part in queries),
        headers=[_parse_header(line) for line in parts.get("header", ())],
        body=body,
    )


def _parse_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise click.UsageError(f"--header {line!r} is not a name and a value, such as 'Accept: text/html'.")
    return name.strip(), value.strip()


def _read_body(text: str) -> bytes:
    if not text.startswith("@"):
        return text.encode()
    if text == "@-":
        return sys.stdin.buffer.read()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise click.UsageError(f"--body: {text[1:]} cannot be read: {error.strerror}.") from None
