"""Trouble in the middle of a streamed reply: from the Runtime API, of the app, and with the environment.

Each of these events asks for a body in parts, of which the first has come when something goes wrong.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chaos.disturbances import IS_OVER, RIGHTLY, Disturbance, broken, nothing, refused, told
from chaos.environment import RUNTIME_API_FAILED
from chaos.events import FEW, QUEUE, STREAMED, Parts
from chaos.of_the_app import HANG_SECONDS
from chaos.of_the_environment import CODES, KILL, STOP, at_any_moment
from chaos.of_the_runtime_api import CLOSED, GARBAGE, REFUSALS, half, on_post
from chaos.of_the_runtime_api import RESET as RESET_AFTERWARDS
from chaos.outcomes import CUT_OFF
from chaos.runtime_api import LAMBDA_S
from lambda_web_adapter.testing.runtime_api import RESET, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chaos.environment import Environment
    from chaos.events import Event
    from chaos.lane import Lane
    from chaos.outcomes import Outcome
    from lambda_web_adapter.testing.runtime_api import Reading, ReplyStream

    Act = Callable[[Lane, Event], Outcome]

PIECE = 65536
LARGE = Parts(32, PIECE)
# More than the kernel takes on the way while nobody reads.
ENDLESS = Parts(80, PIECE)
STREAM_SECONDS = 0.04  # what a large one takes
NARROW = replace(LAMBDA_S, buffer=PIECE)
SLOW = replace(NARROW, burst=PIECE, per_second=10 * 1024 * 1024)
STINGY = replace(LAMBDA_S, limit=PIECE)


@contextmanager
def in_the_middle(lane: Lane, event: Event, seconds: float = 20) -> Iterator[ReplyStream]:
    """Hands an event out, and has the app stand still behind the first part until the end of the block."""
    api = lane.environment.api
    with lane.standing_still(event.middle):
        lane.give(event, seconds)
        stream = api.wait_for_stream(event.marker)
        stream.wait_for_payload(1)
        lane.environment.wait_until_told(event.marker, event.middle)
        yield stream


# The Runtime API


def cut(lane: Lane, event: Event, answer: Answer) -> Outcome:
    with in_the_middle(lane, event) as stream:
        stream.end_with(answer)
        return lane.outcome(event)


def refused_in_the_middle(lane: Lane, event: Event) -> Outcome:
    return cut(lane, event, Answer(lane.chance.choice(REFUSALS)))


def refused_while_it_comes(lane: Lane, event: Event) -> Outcome:
    """The bootstrap still sends when the answer comes."""
    after = lane.chance.randrange(1, LARGE.number * PIECE)
    lane.environment.api.script("response", Answer(lane.chance.choice(REFUSALS), after=after))
    return lane.invoke(event)


def reset_in_the_middle(lane: Lane, event: Event) -> Outcome:
    return cut(lane, event, RESET)


def broken_in_the_middle(lane: Lane, event: Event) -> Outcome:
    outcome = cut(lane, event, Answer(500))
    lane.renew(RUNTIME_API_FAILED)
    return outcome


def taken_as(how: Reading) -> Act:
    def act(lane: Lane, event: Event) -> Outcome:
        with lane.reading(how):
            return lane.invoke(event)

    return act


def stalls_for_a_while(lane: Lane, event: Event) -> Outcome:
    with lane.reading(NARROW), lane.standing_still("reading"):
        lane.give(event)
        lane.environment.wait_until_told(event.marker, event.middle)
        at_any_moment(lane, STREAM_SECONDS)
    return lane.outcome(event)


def stalls_past_the_deadline(lane: Lane, event: Event) -> Outcome:
    lane.environment.wait_until_idle()
    with lane.reading(NARROW), lane.standing_still("reading"):
        lane.give(event, HANG_SECONDS)
        lane.environment.wait_for_log(f"{event.marker}\t.* was not taken in time")
    return lane.outcome(event)


# The app


def app_killed(lane: Lane, event: Event) -> Outcome:
    with in_the_middle(lane, event):
        lane.environment.kill_app()
        return lane.outcome(event)


def app_killed_at_any_moment(lane: Lane, event: Event) -> Outcome:
    lane.give(event)
    lane.environment.wait_until_told(event.marker, event.middle)
    at_any_moment(lane, STREAM_SECONDS)
    lane.environment.kill_app()
    return lane.outcome(event)


def app_hangs(lane: Lane, event: Event) -> Outcome:
    lane.environment.wait_until_idle()
    with in_the_middle(lane, event, HANG_SECONDS):
        return lane.outcome(event)


def app_stopped(lane: Lane, event: Event) -> Outcome:
    lane.environment.wait_until_idle()
    with in_the_middle(lane, event, HANG_SECONDS):
        lane.environment.stop_app()
    return lane.outcome(event)


def app_stopped_for_a_while(lane: Lane, event: Event) -> Outcome:
    with in_the_middle(lane, event):
        lane.environment.stop_app()
    lane.environment.signal_app(signal.SIGCONT)
    return lane.outcome(event)


# The environment


def frozen(lane: Lane, event: Event) -> Outcome:
    with in_the_middle(lane, event), lane.environment.frozen():
        lane.environment.api.release(event.middle)
    return lane.outcome(event)


def frozen_while_it_comes(lane: Lane, event: Event) -> Outcome:
    lane.give(event)
    lane.environment.wait_until_told(event.marker, event.middle)
    with lane.environment.frozen():
        pass
    return lane.outcome(event)


def ended(environment: Environment, number: signal.Signals) -> None:
    """Ends an environment; only then is it certain what was posted."""
    environment.signal(number)
    environment.end()


def over(number: signal.Signals) -> Act:
    def act(lane: Lane, event: Event) -> Outcome:
        with in_the_middle(lane, event):
            ended(lane.environment, number)
            outcome = lane.outcome(event)
        lane.renew(CODES[number])
        return outcome

    return act


def over_at_any_moment(number: signal.Signals) -> Act:
    def act(lane: Lane, event: Event) -> Outcome:
        lane.give(event)
        lane.environment.wait_until_told(event.marker, event.middle)
        at_any_moment(lane, STREAM_SECONDS)
        ended(lane.environment, number)
        outcome = lane.outcome(event)
        lane.renew(CODES[number])
        return outcome

    return act


def over_while_it_stalls(number: signal.Signals) -> Act:
    def act(lane: Lane, event: Event) -> Outcome:
        with lane.reading(NARROW), lane.standing_still("reading"):
            lane.give(event)
            lane.environment.wait_until_told(event.marker, event.middle)
            at_any_moment(lane, STREAM_SECONDS)
            ended(lane.environment, number)
            outcome = lane.outcome(event)
        lane.renew(CODES[number])
        return outcome

    return act


def _of(name: str, share: int, act: Act, outcomes: frozenset[Outcome] = RIGHTLY, **more: Any) -> Disturbance:
    more = {"parts": FEW, "sources": STREAMED, **more}
    return Disturbance(f"stream: {name}", share, act, outcomes, **more)


EXITED, INVALID = broken("Runtime.AppExited"), broken("Function.InvalidResponse")
# On a machine that is busy, there may be no response yet at the deadline.
TIMED_OUT = broken("Function.AppTimeout") | told("Function.AppTimeout")
DISTURBANCES = (
    _of("refused in the middle", 25, refused_in_the_middle, refused(*REFUSALS)),
    _of("refused while it comes", 20, refused_while_it_comes, refused(*REFUSALS), parts=LARGE),
    _of("too large for Lambda", 10, taken_as(STINGY), refused(413), parts=LARGE),
    _of("reset in the middle", 25, reset_in_the_middle, broken(CUT_OFF)),
    _of("taken, then reset", 10, on_post(lambda _: [RESET_AFTERWARDS])),
    _of("taken, half an answer", 10, on_post(lambda lane: [half(lane)])),
    _of("taken, no HTTP", 8, on_post(lambda _: [GARBAGE])),
    _of("taken, closed afterwards", 8, on_post(lambda _: [CLOSED])),
    _of("read slowly", 6, taken_as(SLOW), parts=LARGE),
    _of("not read for a while", 15, stalls_for_a_while, parts=ENDLESS),
    _of(
        "not read any more",
        5,
        stalls_past_the_deadline,
        broken(CUT_OFF) | TIMED_OUT,  # the deadline may come before the kernel takes no more
        parts=ENDLESS,
        needs_app=True,
        leaves_app=False,
    ),
    _of("app killed", 15, app_killed, EXITED, leaves_app=False),
    _of("app killed at any moment", 12, app_killed_at_any_moment, RIGHTLY | EXITED, parts=LARGE, leaves_app=False),
    _of("app exits", 12, nothing, EXITED, hook="exits", leaves_app=False),
    _of("app breaks off", 25, nothing, INVALID, hook="breaks"),
    _of("app hangs", 6, app_hangs, TIMED_OUT, needs_app=True, leaves_app=False),
    _of("app stopped", 6, app_stopped, TIMED_OUT, needs_app=True, leaves_app=False),
    _of("app stopped for a while", 15, app_stopped_for_a_while),
    _of("frozen in the middle", 15, frozen),
    _of("frozen while it comes", 15, frozen_while_it_comes, parts=LARGE),
    _of("large, in parts", 25, nothing, parts=LARGE),
    _of("large, at once", 15, nothing, hook="bloats", parts=None),
    Disturbance(
        "oversized reply beside streams",
        10,
        nothing,
        told("Function.ResponseSizeTooLarge"),
        hook="bloats",
        sources=("ALB", "HTTP API v2", QUEUE),
    ),
    _of("500 in the middle", 4, broken_in_the_middle, refused(500), ends=True),
    _of("stopped in the middle", 5, over(STOP), IS_OVER, ends=True),
    _of("killed in the middle", 5, over(KILL), IS_OVER, ends=True),
    _of("stopped at any moment", 6, over_at_any_moment(STOP), RIGHTLY | IS_OVER, parts=LARGE, ends=True),
    _of("killed at any moment", 6, over_at_any_moment(KILL), RIGHTLY | IS_OVER, parts=LARGE, ends=True),
    _of("stopped while it is not read", 4, over_while_it_stalls(STOP), IS_OVER, parts=ENDLESS, ends=True),
)
