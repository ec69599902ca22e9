"""Scores of models for one brain area: intervals, the noise ceiling, and what chance gives.

The ceiling as a band: Nili et al. (2014), PLoS Comput. Biol. 10:e1003553.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme


def likeness(
    names: Sequence[str],
    score: Num[theme.Values, " model"],
    low: Num[theme.Values, " model"],
    high: Num[theme.Values, " model"],
    *,
    nulls: int = 0,
    raw: Num[theme.Values, "model subject"] | None = None,
    ceiling: tuple[float, float] | None = None,
    chance: float | None = None,
    x_title: str = "score",
) -> go.Figure:
    """Draw one row for each model: score, interval and, thin, each subject.

    The last `nulls` rows are controls. `ceiling` (lower, upper) becomes a band, `chance` a line.
    """
    figure = theme.blank(height=120 + 28 * max(len(names), 1))
    rows = np.arange(len(names))
    score, low, high = (np.asarray(x, float) for x in (score, low, high))
    if ceiling is not None:
        shade = theme.faint(theme.style(2).colour, 0.18)
        figure.add_vrect(x0=ceiling[0], x1=ceiling[1], fillcolor=shade, line_width=0)
        theme.note(
            figure, "noise ceiling", x=ceiling[0], xref="x", xanchor="left", y=1, yanchor="bottom",
            font_color=theme.style(2).colour,
        )  # fmt: skip
    if chance is not None:
        figure.add_vline(x=chance, line={"color": theme.NEGATIVE, "dash": "dot", "width": 1})
        theme.note(
            figure, "chance", x=chance, xref="x", xanchor="left", y=1, yanchor="bottom",
            font_color=theme.NEGATIVE,
        )  # fmt: skip
    if raw is not None and np.shape(raw)[1] > 1:
        points = np.asarray(raw, float)
        figure.add_scatter(
            x=points.ravel(), y=np.repeat(rows, points.shape[1]), mode="markers", name="subjects",
            marker={"symbol": "line-ns-open", "size": 11, "color": theme.INK},
            hovertemplate="a subject: %{x:.3f}<extra></extra>",
        )  # fmt: skip
    first = len(names) - nulls
    for label, part, number in (
        ("layers", slice(0, first), 0),
        ("controls", slice(first, None), 6),
    ):
        look = theme.style(number)
        if not len(rows[part]):
            continue
        figure.add_scatter(
            x=score[part], y=rows[part], mode="markers", name=label,
            marker={"symbol": look.symbol, "size": 9, "color": look.colour},
            error_x={"type": "data", "symmetric": False, "array": (high - score)[part],
                     "arrayminus": (score - low)[part], "color": look.colour, "width": 4},
            customdata=[theme.plain(name) for name in names[part]],
            hovertemplate="%{customdata}: %{x:.3f}<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": theme.RULE, "width": 1})
    figure.update_xaxes(title_text=theme.plain(x_title))
    figure.update_yaxes(
        range=[len(names) - 0.4, -0.6],
        tickvals=rows,
        ticktext=[theme.short(name) for name in names],
        showgrid=False,
    )
    figure.update_layout(legend={"y": 0, "yanchor": "top", "yref": "container"}, margin_t=34)
    return figure
