"""Effects of several experiments under each other, with intervals, on the scale of their margins.

Lewis & Clarke (2001), BMJ 322:1479 (forest plots).
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme

REACH = 4.0  # margins; what lies further out becomes an arrow with its number
Ends = tuple[float, float]


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
    so does `margin`, the smallest effect that would matter. `rulings` are "supported", "refuted",
    "inconclusive" or "not testable here". Shaded is where an effect supports the sentence: from
    the margin upwards or, where `both_sides` is true (parity), between -margin and margin. Rows
    with margin 0 are divided by half the width of their interval instead, shaded from 0 upwards
    and marked by a dagger.
    """
    sides = [False] * len(names) if both_sides is None else list(both_sides)
    known = np.isfinite(np.asarray(estimate, float))
    unscaled = known & ~(np.asarray(margin, float) > 0)
    half = np.maximum((np.asarray(high, float) - np.asarray(low, float)) / 2, 1e-300)
    scale = np.where(unscaled, half, np.where(known, margin, np.nan))
    values = np.stack([np.asarray(part, float) / scale for part in (estimate, low, high)])
    ends = _ends(values)
    figure = theme.blank(height=110 + 36 * max(len(names), 1), hovermode="closest")
    _zones(figure, [row for row in range(len(names)) if known[row]], sides, unscaled, ends)
    for ruling in theme.RULINGS:
        rows = [i for i, one in enumerate(rulings) if one == ruling and known[i]]
        if rows:
            _rows(figure, ruling, rows, names, values, ends)
    for row in np.flatnonzero(~known):
        words = f"<i>{theme.plain(rulings[row])}</i>"
        theme.note(figure, words, x=ends[1], xanchor="right", y=row, xref="x", yref="y")
    if unscaled.any():
        words = "† margin 0: divided by half the interval"
        theme.note(
            figure, words, x=1, xanchor="right", y=0, yanchor="top", yshift=-54, font_size=12
        )
        figure.update_layout(margin_b=76)
    title = theme.plain(x_title)
    figure.update_xaxes(title_text=title, range=ends, tickmode="linear", dtick=1)
    figure.update_yaxes(
        range=[len(names) - 0.4, -0.6],
        tickvals=np.arange(len(names)),
        ticktext=[
            theme.wrapped(f"† {name}" if dagger else name, 16)
            for name, dagger in zip(names, unscaled, strict=True)
        ],
        showgrid=False,
    )
    return figure


def _ends(values: np.ndarray) -> Ends:
    """Where the axis ends: at the furthest interval, within `REACH`."""
    there = values[np.isfinite(values)]
    left = float(np.clip(there.min(initial=-1.5), -REACH, -1.5))
    right = float(np.clip(there.max(initial=2.0), 2.0, REACH))
    return left - 0.2, right + 0.2


def _zones(
    figure: go.Figure, rows: list[int], sides: list[bool], unscaled: np.ndarray, ends: Ends
) -> None:
    """Shade where an effect supports the sentence; draw the line of no effect."""
    shade = theme.faint(theme.RULINGS["supported"].colour, 0.13)
    for row in rows:
        zone = (-1, 1) if sides[row] else (0 if unscaled[row] else 1, ends[1])
        figure.add_shape(
            type="rect", x0=zone[0], x1=zone[1], y0=row - 0.36, y1=row + 0.36,
            fillcolor=shade, line_width=0, layer="below",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": theme.RULE, "width": 1.5}, layer="below")


def _rows(
    figure: go.Figure,
    ruling: str,
    rows: list[int],
    names: Sequence[str],
    values: np.ndarray,
    ends: Ends,
) -> None:
    """Estimates and intervals of one ruling; arrows where an estimate leaves the axis."""
    look, (left, right) = theme.RULINGS[ruling], ends
    middle, lower, upper = values[:, rows]
    shown = np.clip(middle, left + 0.05, right - 0.05)
    outside = shown != middle
    beyond = np.where(middle > right, "triangle-right", "triangle-left")
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
            "symbol": np.where(outside, beyond, look.symbol),
            "size": 11,
            "color": look.colour,
            "line": {"color": look.colour, "width": 2 if "open" in look.symbol else 0},
        },
        hovertext=[
            f"{theme.plain(names[row])}: {ruling}<br>{values[0, row]:.3g} margins, "
            f"interval {values[1, row]:.3g} to {values[2, row]:.3g}"
            for row in rows
        ],
        hoverinfo="text",
    )
