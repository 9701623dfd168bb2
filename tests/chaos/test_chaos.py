"""Whatever is done to an environment, every event has one end, and nothing grows or is left over.

The test suite has few invocations, and always the same. `make chaos` has 2,000, and others each time;
LWA_CHAOS_INVOCATIONS and LWA_CHAOS_SEED say it otherwise.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from chaos.campaign import run

if TYPE_CHECKING:
    from chaos.tally import Life

pytestmark = pytest.mark.slow

SHORT = 150
INVOCATIONS = int(os.environ.get("LWA_CHAOS_INVOCATIONS") or SHORT)
BY_HAND = "LWA_CHAOS_INVOCATIONS" in os.environ
SEED = os.environ.get("LWA_CHAOS_SEED") or (str(random.SystemRandom().randrange(10**6)) if BY_HAND else "1")
# Most of an invocation's share is starts of apps: 0.15 s of a core. Twice what two cores took that others used as well.
TIMEOUT = 120 + INVOCATIONS * 0.6  # seconds
# Bounds of what one environment may have more after hundreds of invocations.
MEMORY = 384  # KB
# The pieces of streams leave gaps in the heap, some more or less from one event to the next.
STREAMING_MEMORY = 1024
DESCRIPTORS, THREADS = 2, 1


def assert_has_not_grown(life: Life) -> None:
    assert life.growth <= (STREAMING_MEMORY if life.streams else MEMORY), life
    assert life.end.descriptors <= life.begin.descriptors + DESCRIPTORS, life
    assert life.end.threads <= life.begin.threads + THREADS, life
    assert life.end.children <= 1, life  # the app alone; one that was not waited for counts too


@pytest.mark.timeout(TIMEOUT)
def test_every_event_has_one_end_and_nothing_is_left_over(capsys: pytest.CaptureFixture[str]) -> None:
    print(f"seed {SEED}")  # noqa: T201  # pytest shows it when the test has failed
    tally = run(INVOCATIONS, SEED)

    if BY_HAND:
        with capsys.disabled():
            print(f"\n{tally}\nseed {SEED}")  # noqa: T201  # what the run is for
    assert sum(tally.counts.values()) == INVOCATIONS
    for life in tally.lives:
        assert_has_not_grown(life)
