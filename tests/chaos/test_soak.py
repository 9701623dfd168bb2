"""Nothing is wrong, lost or left over in a long life without trouble: every reply of both examples is checked.

`make soak` has 50,000 invocations of each example, whole and streamed; the test suite has few. LWA_SOAK_INVOCATIONS and
LWA_SOAK_SEED say it otherwise.
"""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from chaos import events
from chaos.campaign import KINDS
from chaos.disturbances import RIGHTLY
from chaos.lane import Lane
from chaos.tally import Life, middle
from chaos.test_chaos import assert_has_not_grown

if TYPE_CHECKING:
    from chaos.environment import Size

pytestmark = pytest.mark.slow

SHORT = 60
INVOCATIONS = int(os.environ.get("LWA_SOAK_INVOCATIONS") or SHORT)
SEED = os.environ.get("LWA_SOAK_SEED") or str(random.SystemRandom().randrange(10**6))
# For each invocation of each kind, on a slow machine; what hangs is found by the waits of an environment long before.
SECONDS_EACH = 0.1


def live(example: str, streams: bool, count: int) -> Life:
    """Have one environment handle so many invocations, and check each reply, its one end, and the environment's end."""
    lane = Lane(example, SEED, streams=streams)
    sizes: list[Size] = []
    try:
        for number in range(count):
            source = lane.chance.choice(events.SOURCES)
            outcome = lane.invoke(events.make(example, number, "plain", source, lane.chance))
            assert outcome in RIGHTLY, f"seed {SEED}, {example}, event {number} ({source}): {outcome}"
            lane.environment.wait_until_idle()
            sizes.append(lane.environment.size())
        lane.stop()
        lane.assert_each_has_one_end()
        assert lane.environments == 1
    finally:
        lane.environment.close()
    part = count // 6
    return Life(example, streams, count, middle(sizes[part : 2 * part]), middle(sizes[-part:]))


@pytest.mark.timeout(60 + INVOCATIONS * len(KINDS) * SECONDS_EACH)
def test_a_long_life_has_only_right_replies_and_nothing_grows(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(len(KINDS)) as pool:
        lives = list(pool.map(live, *zip(*KINDS, strict=True), [INVOCATIONS] * len(KINDS)))

    if INVOCATIONS > SHORT:
        with capsys.disabled():
            seconds = time.monotonic() - began
            print("", *lives, f"{INVOCATIONS * len(KINDS):,} right replies in {seconds:.0f} s, seed {SEED}", sep="\n")  # noqa: T201  # what the run is for
    for life in lives:
        assert_has_not_grown(life)
