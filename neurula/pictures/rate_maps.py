"""Rate maps of cells, each beside its autocorrelogram."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme

LETTERS = 20  # in a line above a map: more would run into the next
UNVISITED = theme.faint("#7a7f87", 0.18)


def rate_maps(
    maps: Num[theme.Values, "cell row column"],
    autocorrelograms: Num[theme.Values, "cell down across"] | None = None,
    *,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    unit: str = "Hz",
) -> go.Figure:
    """Draw cells in reading order, `columns` in a row; y goes up. Bins that are NaN stay grey.

    A map's colours go from 0 to its own peak, which stands in its title, after the cell's own of
    `titles`; those of autocorrelograms from -1 to 1. Values stand under the pointer. Raises
    `ValueError` where their numbers differ.
    """
    maps = np.asarray(maps, np.float32)
    others = (titles, autocorrelograms)
    if maps.ndim != 3 or any(x is not None and len(x) != len(maps) for x in others):
        sizes = [None if x is None else len(x) for x in others]
        raise ValueError(
            f"Maps are (cell, row, column), with a title and an autocorrelogram each, got "
            f"{list(maps.shape)}, {sizes[0]} titles and {sizes[1]} autocorrelograms. One map is "
            "rate_maps(map[None])."
        )
    count, high, wide = maps.shape
    both = autocorrelograms is not None
    across = max(1, min(count, 3 if both else 6) if columns is None else columns)
    down, gap, head = -(-count // across), max(1, round(0.1 * wide)), round(0.3 * high) + 1
    step = (wide + gap) * (2 if both else 1) + (gap if both else 0)
    figure = theme.blank(height=40 + 150 * max(down, 1), margin={"b": 12, "t": 12})
    for index in range(count):
        left, bottom = (index % across) * step, -(index // across) * (high + head)
        rates = maps[index]
        there = bool(np.isfinite(rates).any())
        peak = float(np.nanmax(rates)) if there else 0.0
        _image(figure, rates, left, bottom, (wide, high), (0.0, peak or 1.0), unit)
        title = f"{titles[index]}, " if titles is not None else ""
        found = f"{peak:.3g} {unit}" if there else "never visited"
        text = theme.wrapped(f"{title}{found}", LETTERS * (2 if both else 1))
        theme.note(
            figure, text, x=left, y=bottom + high, align="left",
            xref="x", yref="y", xanchor="left", yanchor="bottom", font_size=11,
        )  # fmt: skip
        if autocorrelograms is not None:
            picture = np.asarray(autocorrelograms[index], np.float32)
            _image(figure, picture, left + wide + gap, bottom, (wide, high), (-1.0, 1.0), "r")
    if not count:
        theme.nothing(figure, "There are no cells.")
    figure.update_xaxes(visible=False, constrain="domain", constraintoward="left")
    figure.update_yaxes(visible=False, scaleanchor="x", constrain="domain", constraintoward="top")
    return figure


def _image(
    figure: go.Figure,
    values: np.ndarray,
    left: int,
    bottom: int,
    size: tuple[int, int],
    limits: tuple[float, float],
    unit: str,
) -> None:
    wide, high = size
    x = left + (np.arange(values.shape[1]) + 0.5) * wide / values.shape[1]
    y = bottom + (np.arange(values.shape[0]) + 0.5) * high / values.shape[0]
    figure.add_shape(
        type="rect", x0=left, x1=left + wide, y0=bottom, y1=bottom + high,
        fillcolor=UNVISITED, line_width=0, layer="below",
    )  # fmt: skip
    figure.add_heatmap(
        z=values, x=x, y=y, zmin=limits[0], zmax=limits[1], showscale=False, hoverongaps=False,
        colorscale=theme.SEQUENTIAL if limits[0] == 0 else theme.DIVERGING,
        hovertemplate=f"%{{z:.3g}} {theme.plain(unit)}<extra></extra>",
    )  # fmt: skip
