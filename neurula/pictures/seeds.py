"""Raw values, one mark per seed and arm; what is missing is said, not hidden."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme


def seeds(
    arms: Mapping[str, Num[theme.Values, " seed"]],
    *,
    x_title: str,
    numbers: Sequence[int] | None = None,
    paired: bool = False,
) -> go.Figure:
    """Draw a row of marks per arm, and its mean as an upright bar.

    Within a row a seed keeps its height, so that it can be followed from arm to arm; `paired` joins
    its values by a line. NaN is a missing seed, and is said to be. `numbers` are those of the
    seeds: 0, 1, 2, ... unless given. `x_title` says what the values are, with their unit.
    """
    values = {arm: np.asarray(value, float) for arm, value in arms.items()}
    most = max((len(value) for value in values.values()), default=0)
    names = list(range(most)) if numbers is None else list(numbers)
    height = np.linspace(-0.24, 0.24, most) if most > 1 else np.zeros(most)
    figure = theme.blank(height=80 + 46 * max(len(values), 1), showlegend=False)
    if paired and len(values) > 1 and len({len(value) for value in values.values()}) == 1:
        _pairs(figure, np.stack(list(values.values()), 1), height)
    for row, (arm, value) in enumerate(values.items()):
        _strip(figure, row, arm, value, height[: len(value)], names)
    if not values:
        theme.nothing(figure)
    figure.update_xaxes(title_text=theme.plain(x_title))
    figure.update_yaxes(
        range=[max(len(values), 1) - 0.45, -0.55],
        tickvals=np.arange(len(values)),
        ticktext=[theme.wrapped(arm) + _missing(value, names) for arm, value in values.items()],
        showgrid=False,
    )
    return figure


def _pairs(figure: go.Figure, values: np.ndarray, height: np.ndarray) -> None:
    """Join the rows of each seed: (seed, arm)."""
    figure.add_scatter(
        x=theme.strung(values),
        y=theme.strung(np.arange(values.shape[1]) + height[:, None]),
        mode="lines",
        line={"color": theme.GRID, "width": 1},
        hoverinfo="skip",
    )


def _strip(
    figure: go.Figure,
    row: int,
    arm: str,
    value: np.ndarray,
    height: np.ndarray,
    names: list[int],
) -> None:
    look, there = theme.style(row), np.isfinite(value)
    figure.add_scatter(
        x=value[there],
        y=row + height[there],
        mode="markers",
        name=theme.plain(arm),
        marker={"color": theme.faint(look.colour, 0.8), "size": 8, "symbol": look.symbol},
        text=[f"seed {names[i]}" for i in np.flatnonzero(there)],
        hovertemplate=f"{theme.plain(arm)}, %{{text}}: %{{x:.4g}}<extra></extra>",
    )
    if there.any():
        figure.add_scatter(
            x=np.full(2, value[there].mean()),
            y=row + np.array([-0.36, 0.36]),
            mode="lines",
            line={"color": look.colour, "width": 3},
            hovertemplate=f"{theme.plain(arm)}, mean: %{{x:.4g}}<extra></extra>",
        )


def _missing(value: np.ndarray, names: list[int]) -> str:
    """A line for the label of an arm that lacks seeds."""
    lost = [names[i] for i in np.flatnonzero(~np.isfinite(value))]
    if not lost and len(value):
        return ""
    if len(lost) == len(value):
        return "<br><i>no value</i>"
    few = f"seed {', '.join(map(str, lost))}" if len(lost) < 4 else f"{len(lost)} seeds"
    return f"<br><i>missing: {few}</i>"
