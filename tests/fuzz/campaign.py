"""How long to look: once by default, or for as many seconds as LWA_FUZZ_SECONDS says.

A long run goes on after a finding, so that one bug does not hide the others, and fails at its end with all of them.
What it finds is kept by Hypothesis in `.hypothesis`, and belongs into the test as an `@example`.
"""

from __future__ import annotations

import os
import time
import traceback
from typing import TYPE_CHECKING

import hypothesis

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = float(os.environ.get("LWA_FUZZ_SECONDS") or 0)
# Beside what hypothesis takes for making a finding small (five minutes at most), and for the last round.
TIMEOUT = SECONDS + 400 if SECONDS else 60
SHORT, LONG = 200, 2000  # examples
_once = hypothesis.settings(
    max_examples=SHORT,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)
# Each of many rounds has to look elsewhere; the one round of the test suite does so where the profile lets it.
thorough = hypothesis.settings(_once, max_examples=LONG, derandomize=False) if SECONDS else _once


def repeat(check: Callable[[], None], share: float) -> None:
    """Calls a check once, or again and again until its time is up.

    Args:
        check: looks at as many examples as its settings say, others each time.
        share: this test's part of the seconds; all parts together are 1.
    """
    if not SECONDS:
        check()
        return
    end = time.monotonic() + SECONDS * share
    rounds, findings = 0, dict[str, Exception]()
    while time.monotonic() < end:
        rounds += 1
        try:
            check()
        except Exception as error:  # noqa: BLE001  # each is a finding, and is raised in the end
            where = traceback.extract_tb(error.__traceback__)[-1]
            findings.setdefault(f"{type(error).__name__} at {where.filename}:{where.lineno}", error)
    print(f"{rounds} rounds, {len(findings)} findings: {', '.join(findings)}")  # noqa: T201
    if findings:
        raise ExceptionGroup("the fuzzer has found something", list(findings.values()))
