"""A run of many invocations, with both examples side by side: which trouble comes when, and what is seen of it.

The first part of a lane is the life of one environment, by which nothing may grow; what ends environments comes then.
"""

from __future__ import annotations

import random
import time
from collections import deque
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event as Flag
from typing import TYPE_CHECKING

from chaos import events, of_the_app, of_the_environment, of_the_runtime_api
from chaos.disturbances import Disturbance, nothing
from chaos.lane import Lane
from chaos.tally import Life, Tally, middle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.environment import Size

EXAMPLES = ("fastapi", "flask")
# Of a long run each example has several lanes, since one alone leaves cores idle while it waits.
_LANE = 500  # invocations
PLAIN = Disturbance("nothing", 0, nothing)
TROUBLES = (*of_the_app.DISTURBANCES, *of_the_runtime_api.DISTURBANCES, *of_the_environment.DISTURBANCES)
_THOUSAND = [trouble for trouble in TROUBLES for _ in range(trouble.share)]
_THOUSAND += [PLAIN] * (1000 - len(_THOUSAND))
# One environment has this part of a lane's events before any is ended.
_LONG = 0.6
# Large replies come first, so that memory is at its height before it is looked at.
_HEIGHT = [trouble for trouble in TROUBLES if trouble.act is nothing and trouble.hook in ("bloats", "pads")] * 2


def run(count: int, seed: str) -> Tally:
    """Has so many invocations of all examples together, and looks at what becomes of each.

    Args:
        count: how many.
        seed: decides what is left to chance, but for the moments at which processes do things.
    """
    began = time.monotonic()
    several = max(1, count // len(EXAMPLES) // _LANE)
    number = several * len(EXAMPLES)
    lanes = [
        _Run(example, (count + index) // number, f"{seed} {index}") for index, example in enumerate(EXAMPLES * several)
    ]
    with ThreadPoolExecutor(len(lanes)) as pool:
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


def plan(count: int, chance: random.Random) -> tuple[list[Disturbance], list[Disturbance]]:
    """Decides what is done to each event: as often as the tables say, in an order that is left to chance.

    Returns:
        What comes in the first environment, and what comes after that.
    """
    drawn = chance.sample(_THOUSAND * (1 + (count - 1) // len(_THOUSAND)), count)
    enduring = [trouble for trouble in drawn if not trouble.ends]
    long = round(count * _LONG)
    free = long - len(_HEIGHT)
    rest = enduring[free:] + [trouble for trouble in drawn if trouble.ends]
    chance.shuffle(rest)
    return _HEIGHT + enduring[:free], rest[: count - long]


class _Run:
    """The run of one example.

    Attributes:
        halted: set when it is to end early.
    """

    def __init__(self, example: str, count: int, seed: str) -> None:
        self.halted = Flag()
        self._example, self._count, self._seed = example, count, seed
        self._tally = Tally()
        self._number = 0
        self._app_is_up = True

    def go(self) -> Tally:
        """Does all of it, unless it is halted."""
        lane = Lane(self._example, self._seed)
        try:
            first, then = plan(self._count, lane.chance)
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
            self._tally.lives = [Life(self._example, len(sizes), middle(sizes[part : 2 * part]), middle(sizes[-part:]))]

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
        source = trouble.source or lane.chance.choice(events.SOURCES)
        event = events.make(self._example, self._number, trouble.hook, source, lane.chance)
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
        self._tally.spent[trouble.name] += time.monotonic() - began
