"""How many runs succeeded, out of how many, with Wilson's intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme


def shares(
    groups: Sequence[str],
    arms: Mapping[str, Mapping[str, Num[theme.Values, " run"]]],
    *,
    y_title: str = "share of runs that succeed",
    level: float = 0.95,
) -> go.Figure:
    """Draw the share of ones for every arm in every group, arms side by side.

    `arms[arm][group]` holds a 0 or 1 for each run; an arm may lack groups. A whisker is Wilson's
    interval at `level`. Fully drawn at 0 and 1, too, where it says how much so many runs tell.
    """
    figure = theme.blank(height=420)
    width = 0.8 / max(len(arms), 1)
    for index, (arm, runs) in enumerate(arms.items()):
        there = [group for group in groups if group in runs]
        ones = [np.asarray(runs[group], np.float64) for group in there]
        told = np.array([(x.mean(), *_wilson(x, level)) for x in ones]).reshape(-1, 3)
        look = theme.style(index)
        figure.add_scatter(
            x=[groups.index(group) + (index - (len(arms) - 1) / 2) * width for group in there],
            y=told[:, 0],
            error_y={"array": told[:, 2] - told[:, 0], "arrayminus": told[:, 0] - told[:, 1],
                     "color": look.colour, "thickness": 1.5, "width": 3},
            mode="markers",
            name=theme.short(arm),
            marker={"color": look.colour, "symbol": look.symbol, "size": 9},
            text=[f"{int(x.sum())} of {len(x)} runs" for x in ones],
            hovertemplate=f"{theme.plain(arm)}: %{{text}}<extra></extra>",
        )  # fmt: skip
    if not figure.data:
        theme.nothing(figure)
    figure.update_xaxes(
        tickvals=np.arange(len(groups)), ticktext=[theme.wrapped(g) for g in groups],
        range=[-0.5, max(len(groups), 1) - 0.5], showgrid=False,
    )  # fmt: skip
    figure.update_yaxes(title_text=theme.plain(y_title), range=[-0.04, 1.04])
    return figure


def _wilson(runs: np.ndarray, level: float) -> tuple[float, float]:
    from scipy.stats import binomtest

    found = binomtest(int(runs.sum()), len(runs)).proportion_ci(level, method="wilson")
    return float(found.low), float(found.high)
