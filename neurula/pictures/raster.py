"""Spikes of many cells over time, and the potentials of a few of them below."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num, Shaped
from plotly.subplots import make_subplots

from . import theme


def raster(
    spikes: Shaped[theme.Values, "time cell"],
    *,
    dt: float,
    potentials: dict[str, Num[theme.Values, " time"]] | None = None,
    unit: str = "mV",
) -> go.Figure:
    """Draw a tick for every spike, that is wherever `spikes` is not zero.

    `dt` is in milliseconds per step. `potentials`, by name of the cell and in `unit`, are drawn
    below on the same time axis.
    """
    traces = potentials or {}
    figure = make_subplots(
        rows=2 if traces else 1, cols=1, shared_xaxes=True, vertical_spacing=0.08,
        row_heights=[0.62, 0.38] if traces else None,
    )  # fmt: skip
    time, cell = np.nonzero(np.asarray(spikes))
    steps, cells = np.asarray(spikes).shape
    figure.add_scatter(
        x=(time * dt).astype(np.float32), y=cell, mode="markers", name="spikes", showlegend=False,
        marker={
            "symbol": "line-ns", "size": float(np.clip(220 / max(cells, 1), 2, 12)),
            "line": {"width": 1.3, "color": theme.STYLES[0].colour},
        },
        hovertemplate="cell %{y}, %{x} ms<extra></extra>", row=1, col=1,
    )  # fmt: skip
    for index, (name, potential) in enumerate(traces.items()):
        figure.add_scatter(
            x=(np.arange(len(potential)) * dt).astype(np.float32),
            y=np.asarray(potential, np.float32), mode="lines", name=theme.short(name),
            line={"color": theme.style(index).colour, "width": 1.4}, row=2, col=1,
        )  # fmt: skip
    figure.update_layout(template=theme.template(), height=420 if traces else 300)
    figure.update_xaxes(range=[0, max(steps * dt, dt)])
    figure.update_xaxes(title_text="time (ms)", row=2 if traces else 1, col=1)
    figure.update_yaxes(title_text="cell", range=[-0.8, max(cells, 1) - 0.2], row=1, col=1)
    if traces:
        figure.update_yaxes(title_text=theme.plain(f"potential ({unit})"), row=2, col=1)
    if not len(time):
        theme.note(figure, "No cell fired.", y=0.8 if traces else 0.5)
    return figure
