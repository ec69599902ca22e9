"""A labelled heat map: one number for every row and column."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme


def maps(
    values: Num[theme.Values, "row column"],
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    x_title: str = "",
    y_title: str = "",
    unit: str = "",
    diverging: bool = False,
    numbers: bool = False,
) -> go.Figure:
    """Draw a matrix with its first row on top; NaN stays empty.

    `rows` and `columns` are names. `diverging` colours have a neutral middle at zero, for values
    of both signs. `unit` stands beside the colour bar. `numbers` writes each value into its square.
    """
    values = np.asarray(values, np.float32)
    height = int(np.clip(90 + 26 * values.shape[0], 240, 620))
    figure = theme.blank(height=height)
    figure.add_heatmap(
        z=values,
        texttemplate="%{z:.2g}" if numbers else None,
        hovertemplate="%{y}, %{x}: %{z:.4g}<extra></extra>",
        **colours(values, diverging=diverging, unit=unit),
    )
    if not np.isfinite(values).any():
        theme.nothing(figure)
    figure.update_xaxes(title_text=theme.plain(x_title), showgrid=False, **_names(columns))
    figure.update_yaxes(
        title_text=theme.plain(y_title), showgrid=False, autorange="reversed", **_names(rows)
    )
    return figure


def _names(names: Sequence[str] | None) -> dict[str, object]:
    if names is None:
        return {}
    return {"tickvals": np.arange(len(names)), "ticktext": [theme.wrapped(one) for one in names]}


def colours(values: np.ndarray, *, diverging: bool, unit: str) -> dict[str, object]:
    """One colour scale for all values, symmetric around zero if it diverges."""
    scale: dict[str, object] = {
        "colorscale": theme.DIVERGING if diverging else theme.SEQUENTIAL,
        "colorbar": {
            "orientation": "h",
            "thickness": 10,
            "len": 0.4,
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",
            "title": {"text": theme.plain(unit), "side": "top"},
        },
    }
    there = values[np.isfinite(values)]
    if len(there):
        largest = float(np.abs(there).max()) or 1.0
        low, high = (-largest, largest) if diverging else (float(there.min()), float(there.max()))
        scale |= {"zmin": low, "zmax": high if high > low else low + 1.0}
    return scale
