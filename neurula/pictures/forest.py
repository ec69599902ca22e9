"""Effects of several experiments under each other, with intervals, on the scale of their margins.

Lewis & Clarke (2001) "Forest plots: trying to see the wood and the trees", BMJ 322.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme

REACH = 4.0  # margins; what lies further out becomes an arrow with its number


def forest(
    names: Sequence[str],
    estimate: Num[theme.Values, " row"],
    low: Num[theme.Values, " row"],
    high: Num[theme.Values, " row"],
    margin: Num[theme.Values, " row"],
    rulings: Sequence[str],
    *,
    both_sides: Sequence[bool] | None = None,
    x_title: str = "effect ÷ margin",
) -> go.Figure:
    """Draw one row per experiment: estimate and interval, divided by its margin.

    `estimate`, `low` and `high` come in each experiment's own unit, NaN where there is none, and
    so does `margin`, the smallest effect that would matter (above zero). `rulings` are "supported",
    "refuted", "inconclusive" or "not testable here". `both_sides` is true where the sentence is
    supported between -margin and margin (parity), not from the margin upwards. Rows run downwards.
    """
    sides = [False] * len(names) if both_sides is None else both_sides
    scale = np.where(np.asarray(margin, float) > 0, np.asarray(margin, float), np.nan)
    middle, lower, upper = (np.asarray(part, float) / scale for part in (estimate, low, high))
    left = np.clip(np.nanmin([-1.5, *lower]), -REACH, -1.5) - 0.2
    right = np.clip(np.nanmax([2.0, *upper]), 2.0, REACH) + 0.2
    figure = theme.blank(height=110 + 36 * max(len(names), 1), hovermode="closest")
    _zones(figure, sides, left, right)
    for ruling in theme.RULINGS:
        rows = [i for i, one in enumerate(rulings) if one == ruling and np.isfinite(middle[i])]
        if rows:
            _rows(figure, ruling, rows, names, (middle, lower, upper), (left, right))
    for row in np.flatnonzero(~np.isfinite(middle)):
        words = f"<i>{theme.plain(rulings[row])}: no effect to show</i>"
        theme.note(figure, words, x=(left + right) / 2, y=row, xref="x", yref="y")
    figure.update_xaxes(
        title_text=theme.plain(x_title), range=[left, right], tickmode="linear", dtick=1
    )
    figure.update_yaxes(
        range=[len(names) - 0.4, -0.6],
        tickvals=np.arange(len(names)),
        ticktext=[theme.wrapped(name, 16) for name in names],
        showgrid=False,
    )
    return figure


def _zones(figure: go.Figure, sides: Sequence[bool], left: float, right: float) -> None:
    """Shade where an effect supports the sentence; draw no effect and the margins."""
    shade = theme.faint(theme.RULINGS["supported"].colour, 0.13)
    for row, both in enumerate(sides):
        ends = (-1, 1) if both else (1, right)
        figure.add_shape(
            type="rect", x0=ends[0], x1=ends[1], y0=row - 0.36, y1=row + 0.36,
            fillcolor=shade, line_width=0, layer="below",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": theme.RULE, "width": 1.5}, layer="below")


def _rows(
    figure: go.Figure,
    ruling: str,
    rows: list[int],
    names: Sequence[str],
    values: tuple[np.ndarray, np.ndarray, np.ndarray],
    ends: tuple[float, float],
) -> None:
    """Estimates and intervals of one ruling; arrows where they leave the axis."""
    look, (left, right) = theme.RULINGS[ruling], ends
    middle, lower, upper = (part[rows] for part in values)
    shown = np.clip(middle, left + 0.05, right - 0.05)
    outside = shown != middle
    symbol = np.where(middle > right, "triangle-right", "triangle-left")
    figure.add_scatter(
        x=shown,
        y=rows,
        mode="markers+text",
        name=ruling,
        text=[f"{value:.3g}" if off else "" for value, off in zip(middle, outside, strict=True)],
        textposition=["middle left" if value > 0 else "middle right" for value in middle],
        error_x={
            "array": np.maximum(np.minimum(upper, right) - shown, 0.0),
            "arrayminus": np.maximum(shown - np.maximum(lower, left), 0.0),
            "color": look.colour,
            "thickness": 2,
            "width": 0,
        },
        marker={
            "symbol": np.where(outside, symbol, look.symbol),
            "size": 11,
            "color": look.colour,
            "line": {"color": look.colour, "width": 2 if "open" in look.symbol else 0},
        },
        hovertext=[
            f"{theme.plain(names[row])}: {ruling}<br>{values[0][row]:.3g} margins, "
            f"interval {values[1][row]:.3g} to {values[2][row]:.3g}"
            for row in rows
        ],
        hoverinfo="text",
    )
