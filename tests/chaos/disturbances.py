"""What is done to an environment around one event, and what may become of the event then.

A disturbance is a function of a lane and an event: it hands the event out, sees to it that something goes wrong before,
meanwhile or afterwards, and returns the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chaos.outcomes import ENDED, FAILED, REFUSED, RIGHT, TOLD, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.events import Event
    from chaos.lane import Lane


def told(why: str) -> frozenset[Outcome]:
    """An error of the adapter, as a caller of either kind hears of it."""
    return frozenset({Outcome(TOLD, why), Outcome(FAILED, why)})


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
        source: the only source that it makes sense with, if that is so.
        ends: whether the environment ends by it.
        needs_app: whether the app has to run and be ready before.
        leaves_app: whether the app runs and is ready afterwards.
    """

    name: str
    share: int
    act: Callable[[Lane, Event], Outcome]
    outcomes: frozenset[Outcome] = RIGHTLY
    hook: str = "plain"
    source: str = ""
    ends: bool = False
    needs_app: bool = False
    leaves_app: bool = True


def nothing(lane: Lane, event: Event) -> Outcome:
    """Just the event."""
    return lane.invoke(event)
