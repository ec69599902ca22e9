"""Where an animal went, between its walls, and where a cell fired."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Num

from . import theme

FRAMES = 200  # at most: more make files of many megabytes
LETTERS = 70  # in a line of a title: more would run out of the picture


def path(
    positions: Num[theme.Values, "time 2"],
    *,
    walls: Num[theme.Values, "wall 2 2"] | None = None,
    fired: Bool[theme.Values, " time"] | None = None,
    title: str = "",
) -> go.Figure:
    """Draw a path (m), walls (`arena.segments`), and a dot for every step in which a cell fired.

    Raises `ValueError` for spikes of another number of steps.
    """
    places = np.asarray(positions, np.float32)
    if fired is not None and np.shape(fired) != (len(places),):
        raise ValueError(
            f"Expected one yes or no for each of {len(places)} steps, whether a cell fired, got "
            f"{list(np.shape(fired))}: spikes would stand in wrong places. Draw one cell at a "
            "time: path(positions, fired=spikes[:, 0])."
        )
    figure = walled(walls, title)
    figure.add_scatter(
        x=places[:, 0], y=places[:, 1], mode="lines", name="path",
        line={"color": theme.faint("#7a7f87", 0.5), "width": 1}, hoverinfo="skip",
    )  # fmt: skip
    if fired is not None:
        there = places[np.asarray(fired)]
        figure.add_scatter(
            x=there[:, 0], y=there[:, 1], mode="markers", name="spikes",
            marker={"color": theme.NEGATIVE, "size": 4, "opacity": 0.7},
            hovertemplate="%{x:.2f} m, %{y:.2f} m<extra></extra>",
        )  # fmt: skip
    return figure


def walking(
    positions: Num[theme.Values, "time 2"],
    *,
    dt: float,
    walls: Num[theme.Values, "wall 2 2"] | None = None,
    every: int = 1,
    title: str = "",
) -> go.Figure:
    """A short film of an agent: its place now and its path so far, one frame for `every` steps.

    `positions` in metres, `dt` in seconds. Films of over 200 frames keep only so many, evenly.
    Raises `ValueError` for films without frames.
    """
    places = np.asarray(positions, np.float32)
    if not len(places) or every < 1 or not dt > 0:
        raise ValueError(
            f"A film has a position or more, dt above 0 s and a frame every 1 step or more, got "
            f"{len(places)} positions, {dt=} and {every=}. Write walking(positions, dt=0.02, "
            "every=10)."
        )
    shown = np.arange(0, len(places), every)
    if len(shown) > FRAMES:
        shown = shown[np.linspace(0, len(shown) - 1, FRAMES).round().astype(int)]
    figure = walled(walls, title)
    for data in _moment(places, int(shown[0])):
        figure.add_trace(data)
    still = len(figure.data) - 2
    figure.frames = [
        go.Frame(data=_moment(places, int(now)), traces=[still, still + 1], name=f"{now * dt:.1f}")
        for now in shown
    ]
    figure.update_layout(**_controls([frame.name for frame in figure.frames]))
    return figure


def _moment(places: np.ndarray, now: int) -> list[go.Scatter]:
    """The path so far and the place now."""
    before = places[: now + 1]
    line = {"color": theme.faint("#7a7f87", 0.6), "width": 1.5}
    dot = {"color": theme.style(0).colour, "size": 13}
    return [
        go.Scatter(x=before[:, 0], y=before[:, 1], mode="lines", line=line, name="path so far"),
        go.Scatter(x=before[-1:, 0], y=before[-1:, 1], mode="markers", marker=dot, name="agent"),
    ]


def walled(walls: Any, title: str) -> go.Figure:
    """Walls on paper where a metre is a metre in both directions."""
    figure = theme.blank(height=460, showlegend=False)
    if title:
        text = theme.wrapped(title, LETTERS)
        theme.note(figure, text, x=0, y=1, xanchor="left", yanchor="bottom", align="left")
        figure.update_layout(margin_t=30 + 18 * text.count("<br>"))
    if walls is not None and len(walls):
        ends = theme.strung(np.asarray(walls, np.float32)[..., 0])
        heights = theme.strung(np.asarray(walls, np.float32)[..., 1])
        figure.add_scatter(
            x=ends, y=heights, mode="lines+markers", name="walls", hoverinfo="skip",
            marker={"color": theme.INK, "size": 3},
            line={"color": theme.INK, "width": 3},
        )  # fmt: skip
    figure.update_xaxes(title_text="x, m", showgrid=False, constrain="domain")
    figure.update_yaxes(title_text="y, m", showgrid=False, scaleanchor="x", constrain="domain")
    return figure


def _controls(names: list[str]) -> dict[str, Any]:
    """A button that plays the film and a slider of its seconds."""
    at_once = {"transition": {"duration": 0}}
    play = {"frame": {"duration": 60, "redraw": False}, "fromcurrent": True, **at_once}
    jump = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate", **at_once}
    buttons = [
        {"label": "Play", "method": "animate", "args": [None, play]},
        {"label": "Stop", "method": "animate", "args": [[None], jump]},
    ]
    steps = [{"label": name, "method": "animate", "args": [[name], jump]} for name in names]
    where = {"x": 0, "y": -0.16, "xanchor": "left", "yanchor": "top"}
    return {
        "updatemenus": [{"type": "buttons", "direction": "left", "buttons": buttons, **where}],
        "sliders": [{"steps": steps, "x": 0.25, "len": 0.75, "y": -0.13,
                     "currentvalue": {"prefix": "second "}}],
        "margin": {"l": 12, "r": 16, "t": 30, "b": 110},
    }  # fmt: skip
