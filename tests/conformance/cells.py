"""What a cell of the matrix can be: a case that is run, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Facts = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Becomes:
    """An event becomes the request beside it, and the app reads that request.

    Attributes:
        aspect: the fixture's name.
        folder: where the fixture is, if not in the column's own folder.
        shows: what of the request the row is about, so that a fixture which shows nothing of it is found out.
    """

    aspect: str
    folder: str = ""
    shows: Facts


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A response becomes the reply beside it.

    Attributes:
        aspect: the fixture's name.
        shows: what a caller gets of it that the row is about.
    """

    aspect: str
    shows: Facts


@dataclass(frozen=True, kw_only=True)
class Refuses:
    """An event is an error, and the app is not asked.

    Attributes:
        change: makes the event of the row from the column's simplest one.
        status: what the caller gets; 0 where the invocation fails instead.
        error_type: the error's name.
        environment: further variables.
    """

    change: Callable[[Any], None]
    status: int
    error_type: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Spares:
    """An event is answered without the app being asked, and nothing is wrong with it.

    Attributes:
        event: the event.
        result: the answer.
    """

    event: Any
    result: Any


@dataclass(frozen=True, kw_only=True)
class Fails:
    """The app does not answer as it should.

    Attributes:
        scenario: what it does instead; see `test_failures.py`.
        status: what the caller gets; 0 where the invocation fails instead.
        error_type: the error's name, where the adapter has one for it.
    """

    scenario: str
    status: int
    error_type: str = ""


@dataclass(frozen=True, kw_only=True)
class NotApplicable:
    """There is nothing to test, and this is why."""

    reason: str


Cell = Becomes | Answers | Refuses | Spares | Fails | NotApplicable


@dataclass(frozen=True)
class Row:
    """One behaviour, by column."""

    title: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Section:
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


def becomes(aspect: str, headers: Facts | None = None, *, folder: str = "", **facts: Any) -> Becomes:
    """Makes a cell of a request.

    Args:
        aspect: the fixture's name.
        headers: the values of headers that the app reads, by name in lower case.
        folder: where the fixture is, if not in the column's own folder.
        facts: what else the app reads; see `wire.Read.fact`.
    """
    return Becomes(aspect=aspect, folder=folder, shows={**(headers or {}), **facts})


def answers(aspect: str, headers: Facts | None = None, **facts: Any) -> Answers:
    """Makes a cell of a reply.

    Args:
        aspect: the fixture's name.
        headers: the values of headers that the caller gets, by name in lower case.
        facts: what else the caller gets; see `callers.Got.fact`.
    """
    return Answers(aspect=aspect, shows={**(headers or {}), **facts})


def not_applicable(reason: str) -> NotApplicable:
    """Makes a cell in which there is nothing to test."""
    return NotApplicable(reason=reason)


def each(columns: tuple[str, ...], cell: Cell) -> dict[str, Cell]:
    """Puts the same cell into several columns, which are named: a column that nobody names has no cell."""
    return dict.fromkeys(columns, cell)
