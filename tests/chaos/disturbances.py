"""What is done to an environment around one event, and what may become of the event then.

A disturbance is a function of a lane and an event: it hands the event out, sees to it that something goes wrong before,
meanwhile or afterwards, and returns the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chaos.events import SOURCES
from chaos.outcomes import BROKEN, ENDED, FAILED, REFUSED, RIGHT, TOLD, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.events import Event, Parts
    from chaos.lane import Lane


def told(why: str) -> frozenset[Outcome]:
    """An error of the adapter, as a caller of either kind hears of it."""
    return frozenset({Outcome(TOLD, why), Outcome(FAILED, why)})


def broken(why: str) -> frozenset[Outcome]:
    """A stream that ends with an error, or is cut off."""
    return frozenset({Outcome(BROKEN, why)})


def refused(*statuses: int) -> frozenset[Outcome]:
    """An answer that the Runtime API does not take."""
    return frozenset(Outcome(REFUSED, str(status)) for status in statuses)


RIGHTLY = frozenset({Outcome(RIGHT)})
IS_OVER = frozenset({Outcome(ENDED)})
RAISED = frozenset({Outcome(TOLD, "the app raised"), Outcome(FAILED, "Function.AppRejectedEvent")})
EXITED = told("Runtime.AppExited")
TIMED_OUT = told("Function.AppTimeout")


@dataclass(frozen=True)
class Disturbance:
    """A kind of trouble.

    Attributes:
        name: what is done, for the tally.
        share: to how many events of a thousand.
        act: does it, and returns the event's outcome.
        outcomes: those that are right.
        hook: what goes wrong in the app; `plain` for nothing.
        sources: those that it makes sense with, if not all.
        parts: the body in parts that is asked for, if it has to be one.
        whole: whether it makes sense only where all replies are posted whole.
        ends: whether the environment ends by it.
        needs_app: whether the app has to run and be ready before.
        leaves_app: whether the app runs and is ready afterwards.
    """

    name: str
    share: int
    act: Callable[[Lane, Event], Outcome]
    outcomes: frozenset[Outcome] = RIGHTLY
    hook: str = "plain"
    sources: tuple[str, ...] = SOURCES
    parts: Parts | None = None
    whole: bool = False
    ends: bool = False
    needs_app: bool = False
    leaves_app: bool = True


def nothing(lane: Lane, event: Event) -> Outcome:
    """Just the event."""
    return lane.invoke(event)
