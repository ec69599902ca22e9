"""Potentials over time, one cell below the other, with their spikes drawn in."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num, Shaped
from plotly.subplots import make_subplots

from . import theme


def traces(
    potentials: Mapping[str, Num[theme.Values, " time"]],
    spikes: Mapping[str, Shaped[theme.Values, " time"]] | None = None,
    *,
    dt: float,
    peak: float | None = None,
    unit: str = "mV",
) -> go.Figure:
    """Draw the potential of every cell, by name, and a stroke up to `peak` for each of its spikes.

    `dt` is in milliseconds per step. Cells that are reset when they fire never show a spike in
    their potential; without `peak` strokes are as high as the trace and half of it again.
    """
    if not potentials:
        figure = theme.blank(height=200)
        theme.nothing(figure)
        return figure
    figure = make_subplots(rows=len(potentials), cols=1, shared_xaxes=True, vertical_spacing=0.015)
    for row, (name, values) in enumerate(potentials.items(), start=1):
        potential, colour = np.asarray(values, np.float32), theme.style(row - 1).colour
        time = (np.arange(len(potential)) * dt).astype(np.float32)
        figure.add_scatter(
            x=time, y=potential, mode="lines", name=theme.short(name), showlegend=False,
            line={"color": colour, "width": 1.4}, row=row, col=1,
            hovertemplate="%{y:.1f} at %{x} ms<extra></extra>",
        )  # fmt: skip
        fired = np.flatnonzero(np.asarray((spikes or {}).get(name, [])))
        low, high = float(potential.min()), float(potential.max())
        top = high + 0.5 * max(high - low, 1.0) if peak is None else peak
        strokes = np.stack([potential[fired], np.full(len(fired), top, np.float32)], axis=1)
        figure.add_scatter(
            x=theme.strung(np.stack([time[fired]] * 2, axis=1)), y=theme.strung(strokes),
            mode="lines", line={"color": colour, "width": 1.4}, showlegend=False,
            hoverinfo="skip", row=row, col=1,
        )  # fmt: skip
        figure.update_yaxes(title_text=theme.wrapped(name), title_font_size=11, row=row, col=1)
        figure.update_yaxes(nticks=3, row=row, col=1)
    figure.update_layout(template=theme.template(), height=max(220, 92 * len(potentials) + 60))
    figure.update_xaxes(title_text="time (ms)", row=len(potentials), col=1)
    theme.note(
        figure, theme.plain(f"potentials in {unit}"), x=1, y=1, xanchor="right", yanchor="bottom"
    )
    return figure
