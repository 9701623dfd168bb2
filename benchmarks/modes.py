"""What is measured: a mode has figures and cases, and a case is what contenders take turns at."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contenders import KINDS
from cpu_share import FULL_CORE, Unavailable, cpu_share
from measure import (
    AFTER,
    Setting,
    measure_cold,
    measure_memory,
    measure_size,
    measure_stream,
    measure_warm,
    measure_workers,
)
from processes import Placement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contenders import Contender


@dataclass(frozen=True)
class Figure:
    """A column of the table."""

    key: str
    label: str
    unit: str
    drawn: bool = False


@dataclass(frozen=True)
class Case:
    """A condition, such as one core."""

    label: str
    setting: Setting
    cores: int = 0  # that the contender may use; 0: all
    share: bool = False  # of a processor, by the function's memory
    drawn: bool = True
    start: float = 1.0  # seconds before the first event that is measured, and after the last, on a usual machine
    event: float = 0.8  # milliseconds for an event there


@dataclass(frozen=True)
class Mode:
    """Something to measure."""

    title: str
    explanation: str
    measure: Callable[[Contender, Setting], dict[str, float]]
    figures: tuple[Figure, ...]
    cases: tuple[Case, ...]
    kinds: tuple[str, ...] = ("ours", "rust", "in-process", "alone")
    uncounted: int = 0  # rounds before those that count


EVERY = Setting()
MODES = {
    "warm": Mode(
        "Warm: one event after the other",
        "From the event's first byte to the reply's last byte; the median until the request for the next event, up to "
        "which Lambda bills; and the CPU time of all processes.",
        measure_warm,
        (
            Figure("p50", "p50", "µs", drawn=True),
            Figure("p99", "p99", "µs"),
            Figure("next", "next event", "µs"),
            Figure("cpu", "CPU", "µs"),
        ),
        (Case("", EVERY),),
    ),
    "cold": Mode(
        "Cold: from the start to the first reply",
        "From the start of the first process to the last byte of the first reply, to the first request for an event "
        "(init), and the CPU time of all threads at the end.",
        measure_cold,
        (
            Figure("first_reply", "first reply", "ms", drawn=True),
            Figure("init", "init", "ms"),
            Figure("cpu", "CPU", "ms"),
        ),
        (
            Case("One core, as with 1,769 MB", EVERY, cores=1, start=0.5, event=0),
            Case("Two cores, as with 3,538 MB", replace(EVERY, memory=2 * FULL_CORE), cores=2, start=0.5, event=0),
            Case("0.58 of a core, as with 1,024 MB", replace(EVERY, memory=1024), share=True, start=1, event=0),
            Case("0.29 of a core, as with 512 MB", replace(EVERY, memory=512), share=True, start=2, event=0),
        ),
        kinds=KINDS,
        uncounted=1,  # it fills the page cache
    ),
    "streams": Mode(
        "Streams: time to the first byte",
        "From the event's first byte to the first byte of the body of a streamed response, for a tenth of the events. "
        "In-process adapters do not stream. The Rust adapter sends the head of its POST, and the rest only after that "
        "is acknowledged, for which Linux may take 40 ms: in each response with this Runtime API, in more than one of "
        "ten with that of Lambda's emulator. What Lambda's own does is not known here, so the chart has only the first "
        "case.",
        measure_stream,
        (Figure("p50", "p50", "µs", drawn=True), Figure("p99", "p99", "µs")),
        (
            Case("Each packet acknowledged at once", replace(EVERY, streamed=True, quick_ack=True), event=4),
            Case(
                "Acknowledged as Linux does by default",
                replace(EVERY, streamed=True),
                drawn=False,
                event=25,
            ),
        ),
        kinds=("ours", "rust"),
    ),
    "sizes": Mode(
        "Sizes: time for a body there and back",
        "A binary body is posted, and the app returns it. As base64, 4 MB are near Lambda's limit of 6 MB. There are a "
        "fifth of the events, and fewer for large bodies; with fewer than 100 of them, p99 is the slowest.",
        measure_size,
        (Figure("p50", "p50", "ms", drawn=True), Figure("p99", "p99", "ms")),
        tuple(
            Case(label, replace(EVERY, size=size), event=milliseconds)
            for label, size, milliseconds in (
                ("10 kB", 10_000, 1),
                ("100 kB", 100_000, 2),
                ("1 MB", 1_000_000, 15),
                ("4 MB", 4_000_000, 60),
            )
        ),
        kinds=("ours", "rust", "in-process"),
    ),
    "workers": Mode(
        "Workers: 32 concurrent invocations",
        "32 invocations at once in one environment, as on Lambda Managed Instances: the wall time for each, of all "
        "workers together, the CPU time, and the memory of all processes. In-process adapters have a process for each "
        "worker, since AWS's Python runtime interface client starts so many.",
        measure_workers,
        (
            Figure("each", "wall time of each", "µs", drawn=True),
            Figure("cpu", "CPU", "µs"),
            Figure("memory", "memory", "MB", drawn=True),
        ),
        (Case("", replace(EVERY, workers=32), start=4.5),),
        kinds=("ours", "rust", "in-process"),
    ),
    "memory": Mode(
        "Memory of all processes",
        f"The proportional set size (PSS) of all processes, after {AFTER} events.",
        measure_memory,
        (Figure("memory", "memory", "MB", drawn=True),),
        (Case("", EVERY),),
    ),
}


def setting_for(case: Case, events: int) -> Setting:
    """Return the setting of a case, with so many events; fewer where they are large or slow."""
    setting = case.setting
    if setting.size:
        events = max(2, min(events // 5, events * 50_000 // setting.size))
    elif setting.streamed:
        events = max(2, events // 10)
    return replace(setting, events=max(2, events))


def seconds_for(mode: Mode, case: Case, contenders: int, events: int, rounds: int) -> float:
    """Return about how long a case takes with so many contenders."""
    events = setting_for(case, events).events + (AFTER if mode.measure is measure_memory else 0)
    return (case.start + case.event * events / 1000) * contenders * (rounds + mode.uncounted)


@contextmanager
def placement_for(case: Case) -> Iterator[Placement]:
    """Return where the contenders of a case run; this program gets the other processors if there are any.

    Raises:
        Unavailable: If this machine cannot do it.
    """
    cpus = os.sched_getaffinity(0)
    if len(cpus) < case.cores:
        raise Unavailable(f"this machine has fewer than {case.cores} cores")
    chosen = frozenset(sorted(cpus)[: case.cores or None])
    os.sched_setaffinity(0, (cpus - chosen) or cpus)
    try:
        if case.share:
            with cpu_share(case.setting.memory) as group:
                yield Placement(chosen, group)
        else:
            yield Placement(chosen)
    finally:
        os.sched_setaffinity(0, cpus)
