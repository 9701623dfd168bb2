"""Draw the results as charts: `run.py --draw` starts this with the results as its input, where matplotlib is.

For each mode there are two files, for light and dark pages. They are transparent and have text as text, so that a
reader's own fonts show it.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from contenders import OURS, TITLES
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing
from modes import MODES
from results import OVERVIEW, Results, number, overview

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from modes import Figure
    from results import Measurement

WIDTH = 9.4  # inches; a chart has 72 points each
BAR = 0.24  # inches for each bar, with the gap to the next
LABEL = 0.34  # inches for the label above a row of bars
GAP = 0.2  # inches between rows
TOP = 0.8  # inches for title and app names
NAMES = 0.2  # of the width, for the contenders' names of each column
VALUES = 0.07  # of the width, for the values right of the bars
MARGIN = 0.008  # of the width
UNITS = {"µs": "microseconds", "ms": "milliseconds", "MB": "megabytes"}
FONTS = ["system-ui", "Segoe UI", "Helvetica", "Arial", "DejaVu Sans"]  # the first that the reader has


@dataclass(frozen=True)
class Theme:
    """Colours."""

    name: str
    text: str
    muted: str
    ours: str
    start_file: str
    peer: str


# Blue and grey, which colour-blind readers can tell apart as well. The app alone is an outline in the peers' grey.
THEMES = (
    Theme("light", text="#1f2328", muted="#59636e", ours="#0969da", start_file="#6cb6ff", peer="#8c959f"),
    Theme("dark", text="#f0f6fc", muted="#9198a1", ours="#4493f8", start_file="#1b5fc0", peer="#6e7681"),
)


@dataclass(frozen=True)
class Row:
    """A label, and below it the bars of a figure, for each app."""

    label: str
    figure: Figure
    measurements: tuple[Measurement, ...]

    @property
    def height(self) -> float:
        """The inches of label and bars."""
        label = LABEL if self.label else 0.0
        return label + max(len(each.rows) for each in self.measurements) * BAR


def rows_of(mode: str, measurements: list[Measurement]) -> list[Row]:
    """Return a row for each case and figure of a mode."""
    drawn = [figure for figure in MODES[mode].figures if figure.drawn]
    not_drawn = [case.label for case in MODES[mode].cases if not case.drawn]
    rows = []
    for case in dict.fromkeys(each.label for each in measurements if each.label not in not_drawn):
        chosen = tuple(each for each in measurements if each.label == case)
        for figure in drawn:
            meaning = f"{figure.label}, {UNITS[figure.unit]}" if len(drawn) > 1 else ""
            rows.append(Row(", ".join(filter(None, (case, meaning[:1].upper() + meaning[1:]))), figure, chosen))
    return rows


def overview_rows(measurements: list[Measurement]) -> list[Row]:
    """Return a row for each mode that the overview shows."""
    rows = []
    for mode in dict.fromkeys(each.mode for each in measurements):
        chosen = tuple(each for each in measurements if each.mode == mode)
        figure = MODES[mode].figures[0]
        case = chosen[0].label[:1].lower() + chosen[0].label[1:]
        label = ", ".join(filter(None, (MODES[mode].title, case, UNITS[figure.unit])))
        rows.append(Row(label, figure, chosen))
    return rows


def draw_chart(title: str, rows: list[Row], theme: Theme) -> Drawing:
    """Return a chart with a column for each app."""
    measured = {each.app for row in rows for each in row.measurements}
    apps = [app for app in TITLES if app in measured]
    height = TOP + sum(row.height + GAP for row in rows)
    drawing = Drawing(figsize=(WIDTH, height))
    FigureCanvasSVG(drawing)
    column = 1 / len(apps)
    units = {row.figure.unit for row in rows}
    better = "less is better" if len(units) > 1 else f"{UNITS[units.pop()]}, less is better"
    drawing.text(MARGIN, 1 - 0.16 / height, title, color=theme.text, size=13, weight="bold", va="center")
    drawing.text(1 - MARGIN, 1 - 0.16 / height, better, color=theme.muted, size=10, ha="right", va="center")
    for x, app in enumerate(apps):
        drawing.text(x * column + NAMES, 1 - 0.6 / height, TITLES[app], color=theme.text, size=11.5, va="center")
    top = 1 - TOP / height
    for row in rows:
        drawing.text(MARGIN, top - 0.14 / height, row.label, color=theme.text, size=10.5, va="center")
        for each in row.measurements:
            size = len(each.rows) * BAR / height
            bottom = top - (LABEL if row.label else 0.0) / height - size
            box = (apps.index(each.app) * column + NAMES, bottom, column - NAMES - VALUES, size)
            draw_bars(drawing.add_axes(box), each, row.figure, theme)
        top -= (row.height + GAP) / height
    return drawing


def draw_bars(axes: Axes, measurement: Measurement, figure: Figure, theme: Theme) -> None:
    """Draw a bar for each contender, with its name on the left and its value on the right."""
    values = {name: measurement.median(name, figure.key) for name in measurement.rows}
    colours = {"ours": theme.ours, "start-file": theme.start_file, "alone": "none"}
    for index, (name, value) in enumerate(values.items()):
        kind = measurement.kinds[name]
        # The border is inside of the bar, so that it ends where the others do.
        bar = axes.barh(index, value, height=0.68, color=colours.get(kind, theme.peer), linewidth=0)[0]
        if kind == "alone":
            bar.set(edgecolor=theme.peer, linewidth=2)
            bar.set_clip_path(bar)
        style = {"color": theme.text if name == OURS else theme.muted, "weight": "bold" if name == OURS else "normal"}
        gap = 0.02 * max(values.values())
        axes.text(value + gap, index, number(value), size=10, va="center", clip_on=False, **style)
        axes.text(-gap, index, name, size=10, ha="right", va="center", clip_on=False, **style)
    axes.set_xlim(0, max(values.values()))
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set_axis_off()


def main() -> None:
    """Read results, and write all charts into the folder that the command line names."""
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "benchmark"  # so that the same figures give the same file
    mpl.rcParams["font.family"] = "sans-serif"
    mpl.rcParams["font.sans-serif"] = FONTS
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # not all of them are on this machine
    results = Results.from_json(json.load(sys.stdin))
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True, parents=True)
    charts = {}
    for mode in dict.fromkeys(each.mode for each in results.measurements):
        rows = rows_of(mode, [each for each in results.measurements if each.mode == mode])
        charts[mode] = (MODES[mode].title, rows)
    if chosen := overview(results):
        charts["overview"] = (OVERVIEW, overview_rows(chosen))
    for name, (title, rows) in charts.items():
        for theme in THEMES:
            write(draw_chart(title, rows, theme), folder / f"{name}-{theme.name}.svg")


def write(drawing: Drawing, file: Path) -> None:
    """Write a chart, without spaces at the ends of its lines."""
    drawing.savefig(file, transparent=True, metadata={"Date": None, "Creator": None})
    file.write_text("\n".join(line.rstrip() for line in file.read_text().splitlines()) + "\n")


if __name__ == "__main__":
    main()
