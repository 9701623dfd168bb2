"""Compare this project with its peers on this machine: `make benchmark`, or `python benchmarks/run.py warm cold`.

It makes a virtual environment, installs this project and its peers into it, and plays Lambda's Runtime API for each of
them. Contenders take turns within a round, and a ratio is the median of the rounds' ratios, so that it holds even where
single figures vary. It runs on Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from contenders import TITLES, contenders
from cpu_share import Unavailable
from installation import PROJECT, Installation, install, use_installed
from modes import MODES, placement_for, setting_for
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
    from contenders import Contender
    from measure import Setting
    from modes import Case, Mode


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
        measure_all(results, found, options)
        results.load.append(os.getloadavg()[0])
    print(as_text(results))
    if options.save:
        options.save.write_text(json.dumps(results.to_json()))
    for page in options.page:
        replace_section(page, as_markdown(results, os.path.relpath(options.charts, page.parent)))
    if options.overview and not overview(results):
        sys.exit("The overview stays as it is: it needs the modes warm and cold, with the case of one core.")
    for page in options.overview:
        replace_section(page, as_overview(results, os.path.relpath(options.charts, page.parent)))
    if options.draw:
        draw(results, found, options.charts)


def measure_all(results: Results, found: Installation, options: argparse.Namespace) -> None:
    """Measure all cases of the chosen modes and apps, one after the other."""
    for mode in options.modes or MODES:
        for case in MODES[mode].cases:
            if options.case and options.case.lower() not in case.label.lower():
                continue
            for app in options.app or TITLES:
                chosen = [
                    contender
                    for contender in contenders(app, found.python, found.rust_adapter)
                    if contender.kind in MODES[mode].kinds and contender.kind in (options.only or contender.kind)
                ]
                try:
                    measure_case(results, Measurement(mode, app, case.label), chosen, case)
                except Unavailable as reason:
                    results.notes.append(f"Left out: {mode}, {case.label}, since {reason}.")
                    break


def measure_case(results: Results, measurement: Measurement, chosen: list[Contender], case: Case) -> None:
    """Add a measurement to the results, without the peers that fail, which become notes."""
    what = ", ".join(filter(None, (measurement.mode, TITLES[measurement.app], case.label)))
    print(what, file=sys.stderr)
    with placement_for(case) as placement:
        setting = replace(setting_for(case, results.events), placement=placement)
        rows, failed = take_turns(MODES[measurement.mode], chosen, setting, results.rounds)
    results.notes += [f"{name} failed: {what}." for name in failed]
    measurement.rows = rows
    measurement.kinds = {contender.name: contender.kind for contender in chosen}
    if rows:
        results.measurements.append(measurement)


def take_turns(
    mode: Mode, chosen: list[Contender], setting: Setting, rounds: int
) -> tuple[dict[str, dict[str, list[float]]], list[str]]:
    """Return the figures of all rounds, which begin with different contenders, and the names of those that failed."""
    rows: dict[str, dict[str, list[float]]] = {contender.name: {} for contender in chosen}
    failed = []
    for contender in (chosen[(turn + number) % len(chosen)] for number in range(rounds) for turn in range(len(chosen))):
        if contender.name in failed:
            continue
        try:
            figures = mode.measure(contender, setting)
        except Failed as failure:
            print(f"{contender.name} failed: {failure}", file=sys.stderr)
            if contender.kind == "ours":
                sys.exit(1)
            failed.append(contender.name)
            del rows[contender.name]
            continue
        for key, value in figures.items():
            rows[contender.name].setdefault(key, []).append(value)
    return rows, failed


def draw(results: Results, found: Installation, folder: Path) -> None:
    """Draw the charts in a process that has matplotlib."""
    if not found.charts or not found.charts.exists():
        raise SystemExit("Charts need matplotlib, which `make benchmark` installs.")
    command = [str(found.python), str(Path(__file__).with_name("charts.py")), str(folder)]
    environ = {**os.environ, "PYTHONPATH": str(found.charts)}
    subprocess.run(command, input=json.dumps(results.to_json()), text=True, env=environ, check=True)


def parse_arguments() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modes", nargs="*", metavar="MODE", help=f"{', '.join(MODES)} (default: all)")
    parser.add_argument("--app", action="append", choices=TITLES, help="measure only this app")
    parser.add_argument("--case", help="measure only cases with this in their label, such as 'one core'")
    parser.add_argument("--only", action="append", choices=["ours", "rust", "in-process", "alone"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=1000, help="in each round; fewer for large bodies and streams")
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
    if unknown := [mode for mode in options.modes if mode not in MODES]:
        parser.error(f"a mode should be one of {', '.join(MODES)}, not {', '.join(unknown)}")
    if options.draw and options.installed:
        parser.error("--draw needs matplotlib, which --installed does not install")
    for page in (*options.page, *options.overview):
        split_page(page)  # fails now, not after a long run
    return options


if __name__ == "__main__":
    main()
