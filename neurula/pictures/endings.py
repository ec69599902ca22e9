"""Where lives ended, between walls: what a search has explored."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme
from .path import walled


def endings(
    arms: Mapping[str, Num[theme.Values, "life 2"]],
    *,
    walls: Num[theme.Values, "wall 2 2"] | None = None,
    start: tuple[float, float] | None = None,
    goal: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw a mark for the last place (m) of each life, NaN for none; S is the start, G the goal."""
    figure = walled(walls, "")
    figure.update_layout(showlegend=True)
    for index, (arm, places) in enumerate(arms.items()):
        look, there = theme.style(index), np.asarray(places, np.float32)
        there = there[np.isfinite(there).all(1)].round(3)
        figure.add_scatter(
            x=there[:, 0], y=there[:, 1], mode="markers", name=theme.short(arm),
            marker={"color": look.colour, "symbol": look.symbol, "size": 5, "opacity": 0.5},
            hovertemplate=f"{theme.plain(arm)}: %{{x:.2f}} m, %{{y:.2f}} m<extra></extra>",
        )  # fmt: skip
    marks = [(place, sign) for place, sign in ((start, "S"), (goal, "G")) if place is not None]
    figure.add_scatter(
        x=[place[0] for place, _ in marks], y=[place[1] for place, _ in marks], mode="text",
        text=[f"<b>{sign}</b>" for _, sign in marks], textfont={"size": 18}, name="start and goal",
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    return figure
