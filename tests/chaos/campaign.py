"""A run of many invocations, with both examples side by side: which trouble comes when, and what is seen of it.

Of each example there is one that answers whole, and one that streams. Half of the environments compress what they send.

The first part of a lane is the life of one environment, by which nothing may grow; what ends environments comes then.
"""

from __future__ import annotations

import os
import random
import time
from collections import deque
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event as Flag
from typing import TYPE_CHECKING

from chaos import events, of_streams, of_the_app, of_the_environment, of_the_runtime_api
from chaos.disturbances import Disturbance, nothing
from chaos.lane import Lane
from chaos.tally import Life, Tally, middle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.environment import Size

# Each example, and whether it streams.
KINDS = [(example, streams) for example in ("fastapi", "flask") for streams in (False, True)]
# A long run has several lanes of each kind, one after the other: no life is longer than in a run of 2,000.
_LANE = 500  # invocations
# So many at once: one alone leaves cores idle while it waits; more take each other's time from their deadlines.
_AT_ONCE = max(len(KINDS), 2 * (os.cpu_count() or 1))
PLAIN = Disturbance("nothing", 0, nothing)
WHOLE = (*of_the_app.DISTURBANCES, *of_the_runtime_api.DISTURBANCES, *of_the_environment.DISTURBANCES)
STREAMED = (*(trouble for trouble in WHOLE if not trouble.whole), *of_streams.DISTURBANCES)
# From so many lanes of each kind on, what has an app or an environment start again comes half as often: starts take
# most of a run's time, and there are a thousand of them anyway.
_MANY_LANES = 4
# One environment has this part of a lane's events before any is ended.
_LONG = 0.6


def run(count: int, seed: str) -> Tally:
    """Has so many invocations of all examples together, and looks at what becomes of each.

    Args:
        count: how many.
        seed: decides what is left to chance, but for the moments at which processes do things.
    """
    began = time.monotonic()
    lanes_of_each = max(1, count // len(KINDS) // _LANE)
    kinds = KINDS * lanes_of_each
    spare = lanes_of_each >= _MANY_LANES
    lanes = [
        _Run(example, streams, (count + index) // len(kinds), f"{seed} {index}", spares_starts=spare)
        for index, (example, streams) in enumerate(kinds)
    ]
    with ThreadPoolExecutor(min(len(lanes), _AT_ONCE)) as pool:
        try:
            futures = [pool.submit(lane.go) for lane in lanes]
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            for lane in lanes:
                lane.halted.set()
    tally = Tally()
    for future in futures:
        tally.add(future.result())
    tally.seconds = time.monotonic() - began
    return tally


def plan(
    count: int, troubles: tuple[Disturbance, ...], chance: random.Random, *, spares_starts: bool = False
) -> tuple[list[Disturbance], list[Disturbance]]:
    """Decide what is done to each event: as often as the troubles say, in an order that is left to chance.

    Large replies come first, so that memory is at its height before it is looked at.

    Args:
        count: the number of events.
        troubles: what can be done.
        chance: decides the order.
        spares_starts: whether what has an app or an environment start again is done half as often.

    Returns:
        What comes in the first environment, and what comes after that.
    """
    drawn_from: list[Disturbance] = []
    for trouble in troubles:
        halved = spares_starts and (trouble.ends or not trouble.leaves_app)
        drawn_from += [trouble] * (trouble.share if halved else 2 * trouble.share)
    drawn_from += [PLAIN] * (2000 - len(drawn_from))
    drawn = chance.sample(drawn_from * (1 + (count - 1) // len(drawn_from)), count)
    height = [trouble for trouble in troubles if trouble.act is nothing and trouble.hook in ("bloats", "pads")] * 2
    enduring = [trouble for trouble in drawn if not trouble.ends]
    long = round(count * _LONG)
    free = long - len(height)
    rest = enduring[free:] + [trouble for trouble in drawn if trouble.ends]
    chance.shuffle(rest)
    return height + enduring[:free], rest[: count - long]


class _Run:
    """The run of one example, streaming or not.

    Attributes:
        halted: set when it is to end early.
    """

    def __init__(self, example: str, streams: bool, count: int, seed: str, *, spares_starts: bool) -> None:
        self.halted = Flag()
        self._spares_starts = spares_starts
        self._example, self._streams, self._count, self._seed = example, streams, count, seed
        self._tally = Tally()
        self._number = 0
        self._app_is_up = True

    def go(self) -> Tally:
        """Does all of it, unless it is halted."""
        if self.halted.is_set():
            return self._tally
        lane = Lane(self._example, self._seed, streams=self._streams)
        try:
            troubles = STREAMED if self._streams else WHOLE
            first, then = plan(self._count, troubles, lane.chance, spares_starts=self._spares_starts)
            self._live_long(lane, first)
            for trouble in self._in_order(then):
                self._do(lane, trouble)
            if not self.halted.is_set():
                lane.stop()
                lane.assert_each_has_one_end()
        finally:
            lane.environment.close()
        self._tally.environments = lane.environments
        self._tally.late = lane.late
        return self._tally

    def _live_long(self, lane: Lane, troubles: list[Disturbance]) -> None:
        sizes: list[Size] = []
        first = lane.environment
        for trouble in self._in_order(troubles):
            self._do(lane, trouble)
            first.wait_until_idle()
            sizes.append(first.size())
        if not self.halted.is_set():
            assert lane.environment is first
            part = len(sizes) // 6
            begin, end = middle(sizes[part : 2 * part]), middle(sizes[-part:])
            self._tally.lives = [Life(self._example, self._streams, len(sizes), begin, end)]

    def _in_order(self, troubles: list[Disturbance]) -> Iterator[Disturbance]:
        """Has an undisturbed event come before a trouble that needs the app, where there is none."""
        left = deque(troubles)
        while left and not self.halted.is_set():
            if left[0].needs_app and not self._app_is_up:
                if PLAIN in left:
                    left.remove(PLAIN)
                else:
                    left.popleft()
                left.appendleft(PLAIN)
            yield left.popleft()

    def _do(self, lane: Lane, trouble: Disturbance) -> None:
        self._number += 1
        source = lane.chance.choice(trouble.sources)
        event = events.make(self._example, self._number, trouble.hook, source, lane.chance, trouble.parts)
        began = time.monotonic()
        try:
            outcome = trouble.act(lane, event)
            assert outcome in trouble.outcomes, f"the outcome is {outcome}, not one of {set(trouble.outcomes)}"
        except AssertionError as error:
            where = (
                f"seed and lane {self._seed}, {self._example}, event {self._number} ({event.source}), {trouble.name}"
            )
            log = lane.environment.log[-4000:]
            raise AssertionError(f"{where}: {error}\nThe end of the log:\n{log}") from error
        self._app_is_up = trouble.leaves_app
        self._tally.counts[trouble.name, outcome.kind] += 1
        if self._streams and event.streamed:
            self._tally.streams[trouble.name, outcome.kind] += 1
        self._tally.spent[trouble.name] += time.monotonic() - began
