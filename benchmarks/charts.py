"""Draw the results as charts: `run.py --draw` starts this with the results as its input, where matplotlib is.

For each mode there are two files, for light and dark pages. They are transparent and have text as text, so that a
reader's own fonts show it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from contenders import OURS, TITLES
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing
from modes import MODES
from results import Results, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from modes import Figure
    from results import Measurement

WIDTH = 9.4  # inches; a chart has 72 points each
BAR = 0.27  # inches for each bar, with the gap to the next
HEADING = 0.46  # inches above the bars of a row
TOP = 0.78  # inches for title and app names
NAMES = 0.185  # of the width, for the contenders' names of each column
VALUES = 0.085  # of the width, for the values right of the bars
MARGIN = 0.012  # of the width


@dataclass(frozen=True)
class Theme:
    """Colours."""

    name: str
    text: str
    muted: str
    ours: str
    peer: str
    alone: str


THEMES = (
    Theme("light", text="#1f2328", muted="#59636e", ours="#0969da", peer="#b7bfc8", alone="#e1e5ea"),
    Theme("dark", text="#f0f6fc", muted="#9198a1", ours="#4493f8", peer="#565f69", alone="#343b44"),
)


def draw_mode(mode: str, measurements: list[Measurement], theme: Theme) -> Drawing:
    """Return the chart of a mode: a column for each app, and a row for each case and figure."""
    apps = [app for app in TITLES if any(each.app == app for each in measurements)]
    labels = list(dict.fromkeys(each.label for each in measurements))
    figures = [figure for figure in MODES[mode].figures if figure.drawn]
    rows = [(label, figure) for label in labels for figure in figures]
    bars = max(len(each.rows) for each in measurements)
    row_height = HEADING + bars * BAR
    height = TOP + len(rows) * row_height
    drawing = Drawing(figsize=(WIDTH, height))
    FigureCanvasSVG(drawing)
    drawing.text(MARGIN, 1 - 0.2 / height, MODES[mode].title, color=theme.text, size=13, weight="bold", va="center")
    drawing.text(1 - MARGIN, 1 - 0.2 / height, "less is better", color=theme.muted, size=10, ha="right", va="center")
    column = 1 / len(apps)
    for x, app in enumerate(apps):
        y = 1 - 0.62 / height
        drawing.text(x * column + NAMES, y, TITLES[app], color=theme.text, size=11.5, weight="bold", va="center")
        for index, (label, figure) in enumerate(rows):
            top = 1 - (TOP + index * row_height) / height
            heading = ", ".join(filter(None, (label, _meaning(figure, named=len(figures) > 1))))
            y = top - 0.16 / height
            drawing.text(x * column + NAMES, y, heading, color=theme.muted, size=9.5, va="center")
            for measurement in measurements:
                if (measurement.app, measurement.label) == (app, label):
                    size = len(measurement.rows) * BAR / height
                    bottom = top - (HEADING - 0.13) / height - size
                    box = (x * column + NAMES, bottom, column - NAMES - VALUES - MARGIN, size)
                    draw_bars(drawing.add_axes(box), measurement, figure, theme)
    return drawing


def _meaning(figure: Figure, *, named: bool) -> str:
    names = {"µs": "microseconds", "ms": "milliseconds", "MB": "megabytes"}
    return f"{figure.label} in {names[figure.unit]}" if named else names[figure.unit]


def draw_bars(axes: Axes, measurement: Measurement, figure: Figure, theme: Theme) -> None:
    """Draw a bar for each contender, with its name on the left and its value on the right."""
    values = {name: measurement.median(name, figure.key) for name in measurement.rows}
    colours = {"ours": theme.ours, "alone": theme.alone}
    for index, (name, value) in enumerate(values.items()):
        axes.barh(index, value, height=0.68, color=colours.get(measurement.kinds[name], theme.peer), linewidth=0)
        style = {"color": theme.text if name == OURS else theme.muted, "weight": "bold" if name == OURS else "normal"}
        gap = 0.012 * max(values.values())
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
    results = Results.from_json(json.load(sys.stdin))
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True, parents=True)
    for mode in dict.fromkeys(each.mode for each in results.measurements):
        measurements = [each for each in results.measurements if each.mode == mode]
        for theme in THEMES:
            drawing = draw_mode(mode, measurements, theme)
            file = folder / f"{mode}-{theme.name}.svg"
            drawing.savefig(file, transparent=True, metadata={"Date": None, "Creator": None})
            text = file.read_text().replace(
                "'DejaVu Sans', ", "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', "
            )
            file.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n")


if __name__ == "__main__":
    main()
