"""Representational dissimilarity matrices beside each other; their stimuli on hover.

Kriegeskorte, Mur & Bandettini (2008), Front. Syst. Neurosci. 2:4.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num
from plotly.subplots import make_subplots
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from . import theme

ACROSS = 4  # matrices in a row


def rdms(pairs: Mapping[str, Num[theme.Values, " pair"]], stimuli: Sequence[str]) -> go.Figure:
    """Draw condensed dissimilarities as matrices, each as ranks from 0 to 1, like to unlike.

    Ranks, since units differ between measures and models; NaN and the diagonal stay empty.
    """
    many, n = max(len(pairs), 1), len(stimuli)
    across = min(ACROSS, many)
    rows = -(-many // across)
    figure = make_subplots(
        rows,
        across,
        subplot_titles=[theme.short(name) for name in pairs],
        horizontal_spacing=0.04,
        vertical_spacing=0.12 / rows,
    )
    figure.update_layout(theme.blank(height=90 + 230 * rows).layout)
    names = [theme.plain(name) for name in stimuli]
    for place, values in enumerate(pairs.values()):
        row, column = divmod(place, across)
        figure.add_heatmap(
            z=_matrix(np.asarray(values, float), n),
            x=names,
            y=names,
            hovertemplate="%{y}<br>%{x}<br>rank %{z:.2f}<extra></extra>",
            coloraxis="coloraxis",
            row=row + 1,
            col=column + 1,
        )
    bare = {"type": "category", "showticklabels": False, "showgrid": False, "constrain": "domain"}
    figure.update_xaxes(**bare)
    figure.update_yaxes(autorange="reversed", scaleanchor="x", **bare)
    for place in range(1, len(pairs)):  # every matrix is as wide as high
        figure.layout[f"yaxis{place + 1}"].scaleanchor = f"x{place + 1}"
    bar = {"title": {"text": "rank"}, "thickness": 10, "len": 0.5, "y": 0.5}
    figure.update_layout(
        coloraxis={"colorscale": theme.SEQUENTIAL, "cmin": 0, "cmax": 1, "colorbar": bar},
        margin_t=40,
    )
    return figure


def _matrix(values: np.ndarray, n: int) -> np.ndarray:
    """Ranks of the pairs in a square; three digits keep pages small."""
    there = np.isfinite(values)
    ranks = np.full(len(values), np.nan)
    ranks[there] = (rankdata(values[there]) - 1) / max(np.count_nonzero(there) - 1, 1)
    full = squareform(ranks, checks=False)
    np.fill_diagonal(full, np.nan)
    return full.round(3).reshape(n, n)
