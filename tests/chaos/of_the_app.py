"""The app's process is killed or stands still, ends by itself, or answers with what cannot be a reply."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from chaos.disturbances import EXITED, RAISED, RIGHTLY, TIMED_OUT, Disturbance, nothing, told

if TYPE_CHECKING:
    from chaos.events import Event
    from chaos.lane import Lane
    from chaos.outcomes import Outcome

HANG_SECONDS = 0.6
HURRY_SECONDS = 0.25  # less than an app needs to start again, mostly


def killed_while_idle(lane: Lane, event: Event) -> Outcome:
    lane.environment.wait_until_idle()
    lane.environment.kill_app()
    return lane.invoke(event)


def killed_as_the_event_comes(lane: Lane, event: Event) -> Outcome:
    """Nobody waits: the bootstrap may or may not know when it reads the event, and the app may still be starting."""
    lane.environment.wait_until_idle()
    lane.environment.signal_app(signal.SIGKILL)
    return lane.invoke(event)


def killed_meanwhile(lane: Lane, event: Event) -> Outcome:
    with lane.standing_still(event.marker):
        lane.give(event)
        lane.environment.wait_until_delivered(event.marker)
        lane.environment.kill_app()
        return lane.outcome(event)


def killed_afterwards(lane: Lane, event: Event) -> Outcome:
    outcome = lane.invoke(event)
    lane.environment.kill_app()
    return outcome


def killed_at_work_after_its_response(lane: Lane, event: Event) -> Outcome:
    after = f"{event.marker}-after"
    with lane.standing_still(after):
        outcome = lane.invoke(event)
        lane.environment.wait_until_delivered(after)
        assert not lane.environment.api.idle, "the next event is asked for while the app still works"
        lane.environment.kill_app()
    return outcome


def started_again_in_a_hurry(lane: Lane, event: Event) -> Outcome:
    lane.environment.wait_until_idle()
    lane.environment.kill_app()
    return lane.invoke(event, HURRY_SECONDS)


def stopped_while_idle(lane: Lane, event: Event) -> Outcome:
    lane.environment.wait_until_idle()
    lane.environment.stop_app()
    return lane.invoke(event, HANG_SECONDS)


def stopped_meanwhile(lane: Lane, event: Event) -> Outcome:
    lane.environment.wait_until_idle()
    with lane.standing_still(event.marker):
        lane.give(event, HANG_SECONDS)
        lane.environment.wait_until_delivered(event.marker)
        lane.environment.stop_app()
    return lane.outcome(event)


def stopped_for_a_while(lane: Lane, event: Event) -> Outcome:
    with lane.standing_still(event.marker):
        lane.give(event)
        lane.environment.wait_until_delivered(event.marker)
        lane.environment.stop_app()
    lane.environment.signal_app(signal.SIGCONT)
    return lane.outcome(event)


def hangs_meanwhile(lane: Lane, event: Event) -> Outcome:
    """The process lives, so that it can show its stacks."""
    lane.environment.wait_until_idle()
    with lane.standing_still(event.marker):
        return lane.invoke(event, HANG_SECONDS)


def works_on_past_the_deadline(lane: Lane, event: Event) -> Outcome:
    """The environment goes on without it, and is not confused by what it says of its end later."""
    after = f"{event.marker}-after"
    lane.environment.wait_until_idle()
    with lane.standing_still(after):
        outcome = lane.invoke(event, HANG_SECONDS)
        lane.environment.wait_until_delivered(after)
        lane.environment.wait_until_idle()
    return outcome


DISTURBANCES = (
    Disturbance("app killed while idle", 8, killed_while_idle),
    Disturbance(
        "app killed as an event comes",
        7,
        killed_as_the_event_comes,
        RIGHTLY | EXITED | told("Function.AppUnreachable") | told("Runtime.AppStartFailed"),
        leaves_app=False,
    ),
    Disturbance("app killed during a request", 9, killed_meanwhile, EXITED, leaves_app=False),
    Disturbance("app killed right after its reply", 6, killed_afterwards, leaves_app=False),
    Disturbance(
        "app killed at work after its reply",
        5,
        killed_at_work_after_its_response,
        hook="lingers",
        needs_app=True,
        leaves_app=False,
    ),
    Disturbance(
        "app killed after an oversized reply",
        4,
        killed_afterwards,
        told("Function.ResponseSizeTooLarge"),
        hook="bloats",
        whole=True,
        leaves_app=False,
    ),
    Disturbance(
        "app killed, little time to start",
        4,
        started_again_in_a_hurry,
        RIGHTLY | told("Runtime.AppNotReady") | TIMED_OUT,
        leaves_app=False,
    ),
    Disturbance("app stopped while idle", 5, stopped_while_idle, TIMED_OUT, needs_app=True, leaves_app=False),
    Disturbance("app stopped during a request", 5, stopped_meanwhile, TIMED_OUT, needs_app=True, leaves_app=False),
    Disturbance("app stopped for a while", 8, stopped_for_a_while),
    Disturbance("app hangs", 5, hangs_meanwhile, TIMED_OUT, needs_app=True, leaves_app=False),
    Disturbance("app works on past the deadline", 4, works_on_past_the_deadline, hook="lingers", needs_app=True),
    Disturbance("app exits in its response", 5, nothing, EXITED, hook="exits", whole=True, leaves_app=False),
    Disturbance(
        "app breaks its response off", 15, nothing, told("Function.InvalidResponse"), hook="breaks", whole=True
    ),
    Disturbance("app raises", 15, nothing, RAISED, hook="raises"),
    Disturbance("large reply", 15, nothing, hook="pads"),
    Disturbance("oversized reply", 12, nothing, told("Function.ResponseSizeTooLarge"), hook="bloats", whole=True),
)
