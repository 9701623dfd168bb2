"""Compare this project with its peers on this machine: `make benchmark`, or `python benchmarks/run.py --only cold`.

It makes a virtual environment, installs this project and its peers into it, and plays Lambda's Runtime API for each of
them. Contenders take turns within a round, in random order, and a ratio is the median of the rounds' ratios, so that it
holds even where single figures vary. It runs on Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contenders import KINDS, TITLES, contenders
from cpu_share import Unavailable
from installation import PROJECT, Installation, install, note, start_files, use_installed
from modes import MODES, placement_for, seconds_for, setting_for
from results import (
    Measurement,
    Results,
    as_markdown,
    as_overview,
    as_text,
    describe_machine,
    overview,
    replace_section,
    split_page,
    today,
)
from runtime_api import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contenders import Contender
    from measure import Setting
    from modes import Case, Mode


@dataclass(frozen=True)
class Step:
    """A case, an app, and those who take turns."""

    mode: str
    app: str
    case: Case
    chosen: tuple[Contender, ...]

    def __str__(self) -> str:
        """Return what is measured."""
        return ", ".join(filter(None, (self.mode, TITLES[self.app], self.case.label)))


def main() -> None:
    """Measure, print the tables, and write pages and charts."""
    options = parse_arguments()
    if options.load:
        results = Results.from_json(json.loads(options.load.read_text()))
        found = Installation(options.venv.absolute() / "bin" / "python", options.venv.absolute() / "charts")
    else:
        load = [os.getloadavg()[0]]
        found = use_installed() if options.installed else install(options.venv.absolute(), keep=options.keep)
        results = Results(
            today(), describe_machine(), load, options.rounds, options.events, found.versions, found.notes
        )
        needs_start_files = "cold" in (options.only or MODES) and "start-file" in (options.contender or KINDS)
        with start_files(found, (options.app or list(TITLES)) if needs_start_files else []):
            measure_all(results, list(plan(found, options)))
        results.load.append(os.getloadavg()[0])
    print(as_text(results))
    if options.save:
        options.save.write_text(json.dumps(results.to_json()))
    if options.page or options.overview or options.draw:
        write_pages(results, found, options)


def write_pages(results: Results, found: Installation, options: argparse.Namespace) -> None:
    """Write tables and charts, unless this run has measured only a part of them."""
    if not options.load and (options.only or options.app or options.case or options.contender):
        print("Pages and charts stay as they are, since this run has measured a part only.", file=sys.stderr)
        return
    if options.overview and not overview(results):
        sys.exit("Nothing is written: the overview needs the modes warm and cold, with the case of one core.")
    for page in options.page:
        replace_section(page, as_markdown(results, os.path.relpath(options.charts, page.parent)))
    for page in options.overview:
        replace_section(page, as_overview(results, os.path.relpath(options.charts, page.parent)))
    if options.draw:
        draw(results, found, options.charts)


def plan(found: Installation, options: argparse.Namespace) -> Iterator[Step]:
    """Return what to measure, one after the other; what this machine cannot do becomes a note."""
    for name in options.only or MODES:
        mode = MODES[name]
        for case in mode.cases:
            if options.case and options.case.lower() not in case.label.lower():
                continue
            try:
                with placement_for(case):
                    pass
            except Unavailable as reason:
                note(found, f"Left out: {name}, {case.label}, since {reason}.")
                continue
            kinds = set(mode.kinds).intersection(options.contender or KINDS)
            for app in options.app or TITLES:
                chosen = tuple(each for each in contenders(app, found) if each.kind in kinds)
                if chosen:
                    yield Step(name, app, case, chosen)


def measure_all(results: Results, steps: list[Step]) -> None:
    """Add the measurements of all steps to the results, and print how long the rest takes."""
    expected = [
        seconds_for(MODES[step.mode], step.case, len(step.chosen), results.events, results.rounds) for step in steps
    ]
    busy = results.load[0]
    if busy > 0.5:
        print(f"The load average is {busy:.1f}: what else runs here disturbs the figures.", file=sys.stderr)
    started_at = time.monotonic()
    for index, step in enumerate(steps):
        # As fast as so far; at first, as fast as usual.
        pace = (time.monotonic() - started_at + 60) / (sum(expected[:index]) + 60)
        minutes = round(sum(expected[index:]) * pace / 60)
        left = f"about {minutes} min" if minutes else "less than a minute"
        print(f"[{index + 1}/{len(steps)}] {step}; {left} left", file=sys.stderr, flush=True)
        measure_step(results, step)


def measure_step(results: Results, step: Step) -> None:
    """Add a measurement to the results, without the peers that fail, which become notes."""
    with placement_for(step.case) as placement:
        setting = replace(setting_for(step.case, results.events), placement=placement)
        rows, failed = take_turns(MODES[step.mode], step.chosen, setting, results.rounds)
    results.notes += [f"{name} failed: {step}." for name in failed]
    kinds = {contender.name: contender.kind for contender in step.chosen}
    if rows:
        results.measurements.append(Measurement(step.mode, step.app, step.case.label, rows, kinds))


def take_turns(
    mode: Mode, chosen: tuple[Contender, ...], setting: Setting, rounds: int
) -> tuple[dict[str, dict[str, list[float]]], list[str]]:
    """Return the figures of all rounds, each in an order of its own, and the names of those that failed."""
    rows: dict[str, dict[str, list[float]]] = {contender.name: {} for contender in chosen}
    failed = []
    orders = random.Random(rounds)  # noqa: S311  # the same orders in each run
    for number in range(-mode.uncounted, rounds):
        for contender in orders.sample(chosen, len(chosen)):
            if contender.name in failed:
                continue
            try:
                figures = mode.measure(contender, setting)
            except Failed as failure:
                print(f"{contender.name} failed: {failure}", file=sys.stderr)
                if contender.kind in ("ours", "start-file"):
                    sys.exit(1)
                failed.append(contender.name)
                del rows[contender.name]
                continue
            for key, value in figures.items() if number >= 0 else ():
                rows[contender.name].setdefault(key, []).append(value)
    return rows, failed


def draw(results: Results, found: Installation, folder: Path) -> None:
    """Draw the charts in a process that has matplotlib."""
    if not found.charts or not found.charts.exists():
        raise SystemExit("Charts need matplotlib, which `make benchmark` installs.")
    command = [str(found.python), str(Path(__file__).with_name("charts.py")), str(folder)]
    environ = {**os.environ, "PYTHONPATH": str(found.charts)}
    subprocess.run(command, input=json.dumps(results.to_json()), text=True, env=environ, check=True)


def positive(text: str) -> int:
    """Return a number of at least 1.

    Raises:
        ValueError: If it is none.
    """
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def parse_arguments() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    again = "; may be repeated"
    parser.add_argument("--only", action="append", choices=MODES, help=f"measure only this{again}")
    parser.add_argument("--app", action="append", choices=TITLES, help=f"measure only this app{again}")
    parser.add_argument("--case", help="measure only cases with this in their label, such as 'one core'")
    parser.add_argument("--contender", action="append", choices=KINDS, help=f"measure only this kind{again}")
    parser.add_argument("--rounds", type=positive, default=7, help="(default: %(default)s)")
    parser.add_argument(
        "--events",
        type=positive,
        default=1000,
        help="in each round, fewer for large bodies and streams (default: %(default)s)",
    )
    parser.add_argument("--venv", type=Path, default=PROJECT / ".venv-benchmark", help="the environment to make")
    parser.add_argument("--keep", action="store_true", help="measure this project as the last run has installed it")
    parser.add_argument("--installed", action="store_true", help="install nothing: measure what this Python has")
    parser.add_argument("--save", type=Path, help="write all figures to this file")
    parser.add_argument("--load", type=Path, help="measure nothing: show what --save has written")
    parser.add_argument("--page", type=Path, action="append", default=[], help="write the tables between its markers")
    parser.add_argument("--overview", type=Path, action="append", default=[], help="the same with the short section")
    parser.add_argument("--charts", type=Path, default=PROJECT / "docs" / "charts", help="the folder of the charts")
    parser.add_argument("--draw", action="store_true", help="draw the charts")
    options = parser.parse_args()
    if sys.platform != "linux":
        parser.error("it needs Linux: epoll, /proc and the choice of processors")
    if options.draw and options.installed:
        parser.error("--draw needs matplotlib, which --installed does not install")
    for page in (*options.page, *options.overview):
        split_page(page)  # fails now, not after a long run
    return options


def end(*_: Any) -> None:
    """End like an exit, so that contenders and control groups are removed."""
    sys.exit("Ended by a signal. Nothing is written.")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    main()
