"""A picture of a table: bars, or lines where the rows have a place on an axis."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

from kit import Table

_OURS, _OTHERS = "#2a7f62", "#9aa5b1"
_DPI = 80


def draw(table: Table, folder: Path) -> Path:
    """Write `<folder>/<table.name>.png`."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    lines = any(row.x is not None for row in table.rows)
    grid = any(row.grid for row in table.rows)
    figure, axes = plt.subplots(figsize=(9, 4.5 if lines else 1.2 + 0.28 * len(table.rows)), layout="constrained")
    (_grid if grid else _lines if lines else _bars)(table, axes)
    axes.set_title(table.title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    path = folder / f"{table.name}.png"
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    plt.close(figure)
    return path


def _bars(table: Table, axes: Any) -> None:
    rows = [row for row in table.rows if row.value is not None]
    values = [row.value or 0.0 for row in rows]
    spreads = [row.spread or (value, value) for row, value in zip(rows, values, strict=True)]
    errors = [[value - low for value, (low, _) in zip(values, spreads, strict=True)], [high - value for value, (_, high) in zip(values, spreads, strict=True)]]
    colours = [_OURS if "syncbot" in row.name else _OTHERS for row in rows]
    names = [row.name for row in rows]
    bars = axes.barh(names, values, color=colours, xerr=errors, error_kw={"elinewidth": 1, "ecolor": "#444444"})
    axes.bar_label(bars, fmt=lambda value: f"{value:.3g}" if value < 1000 else f"{value:.0f}", label_type="edge", padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    axes.set_xlabel(table.unit)


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
