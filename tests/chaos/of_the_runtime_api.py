"""The Runtime API resets connections, answers by halves, with what is not HTTP, or with another status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaos.disturbances import IS_OVER, RAISED, Disturbance, refused
from chaos.environment import RUNTIME_API_FAILED
from chaos.events import QUEUE
from chaos.runtime_api import Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.events import Event
    from chaos.lane import Lane
    from chaos.outcomes import Outcome

RESET = Fault(sent=0)
UNHEARD = Fault(sent=0, heard=False)
GARBAGE = Fault(garbage=True)
CLOSED = Fault(sent=1)
NAMELESS = Fault(nameless=True)
BROKEN = Fault(status=500)
REFUSALS = (400, 403, 410, 413)
# The bootstrap makes a call as often as this at most: once on a connection that was kept, and five times on new ones.
# It asks for an event in vain as often as this before it ends.
ATTEMPTS, STRIKES = 1 + 5, 5


def half(lane: Lane) -> Fault:
    """A part of an answer: anything from its first byte to all but its last."""
    return Fault(sent=lane.chance.uniform(0.01, 0.99))


def on_next(make: Callable[[Lane], list[Fault]]) -> Callable[[Lane, Event], Outcome]:
    """Has /next go wrong as often as `make` says: the event was not read, and is handed out again."""

    def act(lane: Lane, event: Event) -> Outcome:
        return lane.invoke(event, faults=Faults(next=make(lane)))

    return act


def on_post(make: Callable[[Lane], list[Fault]]) -> Callable[[Lane, Event], Outcome]:
    """Has /response, or /error, go wrong as often as `make` says."""

    def act(lane: Lane, event: Event) -> Outcome:
        return lane.invoke(event, faults=Faults(post=make(lane)))

    return act


def few(lane: Lane, fault: Fault) -> list[Fault]:
    return [fault] * lane.chance.randint(1, 2)


def ended_by_next(faults: list[Fault]) -> Callable[[Lane, Event], Outcome]:
    """Has the bootstrap end before it has read the event, which another environment gets then."""

    def act(lane: Lane, event: Event) -> Outcome:
        lane.give(event, faults=Faults(next=faults))
        lane.renew(RUNTIME_API_FAILED)
        return lane.invoke(event)

    return act


def ended_by_post(faults: list[Fault]) -> Callable[[Lane, Event], Outcome]:
    """Has the bootstrap end with its answer."""

    def act(lane: Lane, event: Event) -> Outcome:
        outcome = lane.invoke(event, faults=Faults(post=faults))
        lane.renew(RUNTIME_API_FAILED)
        return outcome

    return act


DISTURBANCES = (
    Disturbance("next: reset", 10, on_next(lambda lane: few(lane, RESET))),
    Disturbance("next: half an answer", 15, on_next(lambda lane: [half(lane)])),
    Disturbance("next: no HTTP", 10, on_next(lambda lane: few(lane, GARBAGE))),
    Disturbance("next: refused", 10, on_next(lambda lane: few(lane, Fault(status=lane.chance.choice(REFUSALS))))),
    Disturbance("next: without an id", 10, on_next(lambda lane: few(lane, NAMELESS))),
    Disturbance("next: closed after the answer", 15, on_next(lambda _: [CLOSED])),
    Disturbance("response: reset", 12, on_post(lambda lane: few(lane, UNHEARD)), whole=True),
    Disturbance("response: taken, then reset", 12, on_post(lambda _: [RESET]), whole=True),
    Disturbance("response: half an answer", 12, on_post(lambda lane: [half(lane)]), whole=True),
    Disturbance("response: no HTTP", 6, on_post(lambda lane: few(lane, GARBAGE)), whole=True),
    Disturbance("response: closed afterwards", 12, on_post(lambda _: [CLOSED]), whole=True),
    Disturbance(
        "response: refused",
        16,
        on_post(lambda lane: [Fault(status=lane.chance.choice(REFUSALS))]),
        refused(*REFUSALS),
        whole=True,
    ),
    Disturbance("error: reset", 8, on_post(lambda lane: few(lane, UNHEARD)), RAISED, hook="raises", sources=(QUEUE,)),
    Disturbance(
        "error: half an answer", 8, on_post(lambda lane: [half(lane)]), RAISED, hook="raises", sources=(QUEUE,)
    ),
    Disturbance(
        "error: refused",
        8,
        on_post(lambda lane: [Fault(status=lane.chance.choice(REFUSALS))]),
        refused(*REFUSALS),
        hook="raises",
        sources=(QUEUE,),
    ),
    Disturbance("next: 500", 3, ended_by_next([BROKEN]), ends=True),
    Disturbance("next: refused again and again", 2, ended_by_next([Fault(status=403)] * STRIKES), ends=True),
    Disturbance("next: cannot be reached", 2, ended_by_next([RESET] * ATTEMPTS), ends=True),
    Disturbance("response: 500", 3, ended_by_post([BROKEN]), refused(500), ends=True, whole=True),
    Disturbance("error: 500", 2, ended_by_post([BROKEN]), refused(500), hook="raises", sources=(QUEUE,), ends=True),
    Disturbance("response: cannot be reached", 2, ended_by_post([UNHEARD] * ATTEMPTS), IS_OVER, ends=True, whole=True),
)
