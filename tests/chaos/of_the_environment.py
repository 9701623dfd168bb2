"""Lambda stops an environment, or kills it: while it starts or is idle, during an invocation, afterwards."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from chaos.disturbances import IS_OVER, RIGHTLY, Disturbance
from chaos.environment import KILLED, STOPPED

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.events import Event
    from chaos.lane import Lane
    from chaos.outcomes import Outcome

STARTING_SECONDS = 0.5  # what a start takes, more or less
INVOCATION_SECONDS = 0.008  # and an invocation
STOP, KILL = signal.SIGTERM, signal.SIGKILL
CODES = {STOP: STOPPED, KILL: KILLED}


def at_any_moment(lane: Lane, seconds: float) -> None:
    """Waits for nothing in particular: what comes next is to come at any moment."""
    time.sleep(lane.chance.uniform(0, seconds))


def while_it_starts(number: signal.Signals) -> Callable[[Lane, Event], Outcome]:
    def act(lane: Lane, event: Event) -> Outcome:
        lane.environment.wait_until_idle()
        lane.environment.signal(STOP)
        lane.renew(STOPPED)
        at_any_moment(lane, STARTING_SECONDS)
        lane.environment.signal(number)
        lane.renew(CODES[number], -number)  # before it can handle a signal, it is ended as any program is
        return lane.invoke(event)

    return act


def while_it_is_idle(number: signal.Signals) -> Callable[[Lane, Event], Outcome]:
    def act(lane: Lane, event: Event) -> Outcome:
        lane.environment.wait_until_idle()
        lane.environment.signal(number)
        lane.renew(CODES[number])
        return lane.invoke(event)

    return act


def meanwhile(number: signal.Signals) -> Callable[[Lane, Event], Outcome]:
    def act(lane: Lane, event: Event) -> Outcome:
        with lane.standing_still(event.marker):
            lane.give(event)
            lane.environment.wait_until_delivered(event.marker)
            lane.environment.signal(number)
            outcome = lane.outcome(event)
        lane.renew(CODES[number])
        return outcome

    return act


def at_any_moment_of_an_invocation(number: signal.Signals) -> Callable[[Lane, Event], Outcome]:
    def act(lane: Lane, event: Event) -> Outcome:
        lane.environment.wait_until_idle()
        lane.give(event)
        at_any_moment(lane, INVOCATION_SECONDS)
        lane.environment.signal(number)
        lane.environment.end()  # only now is it certain what was posted
        outcome = lane.outcome(event)
        lane.renew(CODES[number])
        return outcome

    return act


def afterwards(number: signal.Signals) -> Callable[[Lane, Event], Outcome]:
    def act(lane: Lane, event: Event) -> Outcome:
        outcome = lane.invoke(event)
        lane.environment.signal(number)
        lane.renew(CODES[number])
        return outcome

    return act


DISTURBANCES = (
    Disturbance("stopped while it starts", 3, while_it_starts(STOP), ends=True),
    Disturbance("stopped while idle", 3, while_it_is_idle(STOP), ends=True),
    Disturbance("stopped during an invocation", 3, meanwhile(STOP), IS_OVER, ends=True),
    Disturbance("stopped at any moment", 4, at_any_moment_of_an_invocation(STOP), RIGHTLY | IS_OVER, ends=True),
    Disturbance("stopped after a reply", 3, afterwards(STOP), ends=True),
    Disturbance("killed while it starts", 3, while_it_starts(KILL), ends=True),
    Disturbance("killed while idle", 3, while_it_is_idle(KILL), ends=True),
    Disturbance("killed during an invocation", 3, meanwhile(KILL), IS_OVER, ends=True),
    Disturbance("killed at any moment", 4, at_any_moment_of_an_invocation(KILL), RIGHTLY | IS_OVER, ends=True),
    Disturbance("killed after a reply", 3, afterwards(KILL), ends=True),
)
