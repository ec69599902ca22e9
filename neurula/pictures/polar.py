"""Tuning around the circle: how cells answer to every direction, in rows of small plots."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme

APART, ROW = 2.6, 3.7  # radii of a plot, from middle to middle


Plot = tuple[str, Num[theme.Values, " direction"]]  # title and values


def polar(rows: Mapping[str, Sequence[Plot]]) -> go.Figure:
    """Draw one plot for each cell, in rows by name.

    Values belong to evenly spaced directions over the whole circle, from rightwards anticlockwise.
    Every plot is scaled to its own largest value, which touches the ring; values below 0 lie in
    the middle.
    """
    figure = theme.blank(height=60 + 130 * max(len(rows), 1), showlegend=False, margin_b=12)
    most = max((len(cells) for cells in rows.values()), default=0)
    for row, (name, cells) in enumerate(rows.items()):
        theme.note(
            figure, theme.plain(name), x=-1, xref="x", xanchor="left", y=1.2 - row * ROW,
            yref="y", yanchor="bottom",
        )  # fmt: skip
        for column, (title, values) in enumerate(cells):
            middle = column * APART, -row * ROW
            _plot(figure, row, np.asarray(values, float), middle, title)
    if not most:
        theme.nothing(figure)
    figure.update_xaxes(visible=False, range=[-1.1, max(most - 1, 0) * APART + 1.1])
    figure.update_yaxes(
        visible=False, scaleanchor="x", range=[-(max(len(rows), 1) - 1) * ROW - 1.1, 2.2]
    )
    return figure


def _plot(
    figure: go.Figure, row: int, values: np.ndarray, middle: tuple[float, float], title: str
) -> None:
    ring = np.linspace(0, 2 * np.pi, 49)
    around = np.linspace(0, 2 * np.pi, len(values), endpoint=False)
    length = np.maximum(values, 0.0)
    length = length / length.max() if length.max() > 0 else length
    look = theme.style(row)
    for angle, radius, line in (
        (ring, np.ones(49), {"color": theme.GRID, "width": 1}),
        (np.append(around, 0.0), np.append(length, length[0]), {"color": look.colour, "width": 2}),
    ):
        figure.add_scatter(
            x=middle[0] + radius * np.cos(angle),
            y=middle[1] + radius * np.sin(angle),
            mode="lines",
            line=line,
            fill="toself" if line["width"] == 2 else None,
            fillcolor=theme.faint(look.colour, 0.2),
            hoverinfo="skip",
        )
    theme.note(
        figure, theme.plain(title), x=middle[0], y=middle[1] - 1.05, xref="x", yref="y",
        yanchor="top", font_size=10,
    )  # fmt: skip
