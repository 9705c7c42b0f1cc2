"""A picture of a table: bars, or lines where the rows have a place on an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from kit import Row, Table

_OURS, _OTHERS = "#2a7f62", "#9aa5b1"
_MOST_PANELS_A_LINE = 3


def draw(table: Table, folder: Path) -> Path:
    """Write `<folder>/<table.name>.svg`: the same bytes for the same table, with its words as text."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": table.name, "font.family": "sans-serif"}):
        figure = (_panels if any(row.panel for row in table.rows) else _whole)(table, plt)
        path = folder / f"{table.name}.svg"
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)
    return path


def _whole(table: Table, plt: Any) -> Any:
    """One drawing of all rows."""
    lines = any(row.x is not None for row in table.rows)
    figure, axes = plt.subplots(figsize=(9, 4.5 if lines else 1.2 + 0.28 * len(table.rows)), layout="constrained")
    if any(row.grid for row in table.rows):
        _grid(table, axes)
    elif lines:
        _lines(table, axes)
    else:
        _bars(table.rows, [row.name for row in table.rows if row.value is not None], axes)
        axes.invert_yaxis()
        axes.set_xlabel(table.unit)
    axes.set_title(table.title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _panels(table: Table, plt: Any) -> Any:
    """A drawing for each panel, side by side."""
    panels = list(dict.fromkeys(row.panel for row in table.rows))
    columns = min(math.ceil(math.sqrt(len(panels))), _MOST_PANELS_A_LINE)
    lines = math.ceil(len(panels) / columns)
    most = max(sum(row.panel == panel for row in table.rows) for panel in panels)
    figure, grid = plt.subplots(
        lines, columns, figsize=(11, 0.8 + lines * (0.6 + 0.22 * most)), layout="constrained", squeeze=False, sharex=table.common_scale, sharey=True
    )
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for panel, axes in zip(panels, grid.flat, strict=False):
        rows = [row for row in table.rows if row.panel == panel]
        _bars(rows, [row.name.removeprefix(f"{panel}: ") for row in rows], axes)
        axes.set_title(panel, fontsize=8, loc="left")
        axes.margins(x=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0][0].invert_yaxis()  # of all: they share it
    figure.suptitle(f"{table.title} ({table.unit})", fontsize=10, x=0.01, ha="left")
    return figure


def _bars(drawn: Sequence[Row], names: Sequence[str], axes: Any) -> None:
    rows = [row for row in drawn if row.value is not None]
    values = [row.value or 0.0 for row in rows]
    spreads = [row.spread or (value, value) for row, value in zip(rows, values, strict=True)]
    errors = [[value - low for value, (low, _) in zip(values, spreads, strict=True)], [high - value for value, (_, high) in zip(values, spreads, strict=True)]]
    colours = [_OURS if "syncbot" in row.name else _OTHERS for row in rows]
    bars = axes.barh(names, values, color=colours, xerr=errors, error_kw={"elinewidth": 1, "ecolor": "#444444"})
    axes.bar_label(bars, fmt=lambda value: f"{value:.3g}" if value < 1000 else f"{value:.0f}", label_type="edge", padding=3, fontsize=8)
    axes.tick_params(labelsize=8)


def _lines(table: Table, axes: Any) -> None:
    for name in dict.fromkeys(row.line for row in table.rows):
        points = [(row.x, row.value) for row in table.rows if row.line == name]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, label=name, linewidth=2.5 if name.startswith("syncbot") else 1.2)
    axes.set_xscale("log", base=2)
    places = sorted({row.x for row in table.rows if row.x is not None})
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.tick_params(labelsize=8)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("threads")
    axes.set_ylabel(table.unit)
    axes.legend(fontsize=8, frameon=False)


def _grid(table: Table, axes: Any) -> None:
    columns = list(table.rows[0].grid)
    values = [[row.grid[column] for column in columns] for row in table.rows]
    axes.imshow(values, cmap="Reds", vmin=0, vmax=max(1.0, *(max(line) for line in values)), aspect="auto")
    axes.set_xticks(range(len(columns)), [fill(column, 16, break_long_words=False) for column in columns], fontsize=7)
    axes.set_yticks(range(len(table.rows)), [row.name for row in table.rows], fontsize=8)
    axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0)
    for y, row in enumerate(table.rows):
        for x, column in enumerate(columns):
            dark = row.grid[column] > 0.6 * max(max(line) for line in values)
            axes.text(x, y, row.cells[column], ha="center", va="center", fontsize=7, color="white" if dark else "black")
