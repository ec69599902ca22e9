"""What a grid world's states are worth, or how active cells are in them, between its walls."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Integer, Num

from ..environments import GridWorld
from ..environments.grid_world import WALL
from . import theme

ARROWS = "↑→↓←"  # in the order of the actions
HEIGHT = 230  # pixels of a room


def room(
    world: GridWorld,
    values: Num[theme.Values, "room state"] | Num[theme.Values, " state"],
    *,
    moves: Integer[theme.Values, " state"] | None = None,
    walk: Integer[theme.Values, " step"] | None = None,
    titles: Sequence[str] | None = None,
    unit: str = "",
) -> go.Figure:
    """Draw one number for every state, side by side for several rooms; walls stay dark.

    Colours are the same in all rooms; states that are NaN stay white. `moves` writes an arrow for
    an action into every state that does not end the episode, `walk` draws states in their order, as
    a replayed sequence: a line that begins at a circle. Letters of the drawing stand in cells.
    Raises `ValueError` for numbers, moves, walks and titles that do not fit the rooms.
    """
    rows, columns = len(world.drawing), len(world.drawing[0])
    charts = np.atleast_2d(np.asarray(values, np.float32))
    places = world.places
    if charts.shape[1] != len(places):
        raise ValueError(
            f"A picture of a room with {len(places)} states needs a number for each, got "
            f"{charts.shape[1]}: they would stand in wrong cells. Give (state,) or (room, state)."
        )
    _check(len(charts), len(places), moves, walk, titles)
    names = [theme.wrapped(title, 3 * columns) for title in titles or ()]
    lines = max((name.count("<br>") + 1 for name in names), default=0)
    figure = theme.blank(height=HEIGHT + 60 + 18 * lines, margin_t=14 + 18 * lines)
    for i, chart in enumerate(charts):
        filled = np.full((rows, columns), np.nan, np.float32)
        filled[tuple(places.T)] = chart
        left = i * (columns + 1)
        figure.add_heatmap(
            z=filled, x=left + np.arange(columns), y=np.arange(rows), coloraxis="coloraxis",
            hovertemplate="row %{y}, column %{x}: %{z:.4g}<extra></extra>",
        )  # fmt: skip
        _walls(figure, world, left)
        low, high = np.nanmin(charts, initial=np.inf), np.nanmax(charts, initial=-np.inf)
        bright = (chart - low) > 0.6 * (high - low)
        _letters(figure, world, moves, bright, left)
        if walk is not None:
            _walk(figure, places[np.asarray(walk)], left)
        if names:
            figure.add_annotation(
                x=left + (columns - 1) / 2, y=-0.7, text=names[i], showarrow=False,
                yanchor="bottom",
            )  # fmt: skip
    figure.update_layout(
        showlegend=False,
        coloraxis={
            "colorscale": theme.SEQUENTIAL,
            "colorbar": {"title": {"text": theme.plain(unit)}},
        },
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    return figure


def _check(
    rooms: int,
    states: int,
    moves: theme.Values | None,
    walk: theme.Values | None,
    titles: Sequence[str] | None,
) -> None:
    """Raises `ValueError` for what does not fit the rooms."""
    moves, walk = (np.zeros(0, int) if x is None else np.asarray(x) for x in (moves, walk))
    odd = (len(moves) not in (0, states)) or bool(((moves < 0) | (moves >= len(ARROWS))).any())
    lost = bool(((walk < 0) | (walk >= states)).any())
    if odd or lost or (titles is not None and len(titles) != rooms):
        raise ValueError(
            f"{rooms} rooms of {states} states need a title each, a move from 0 to 3 for every "
            f"state and walks through states from 0 to {states - 1}, got {titles=}, {len(moves)} "
            f"moves, the first {moves[:3].tolist()}, and the walk {walk[:3].tolist()}: they would "
            "stand in wrong cells. For example room(world, values.max(1), moves=values.argmax(1))."
        )


def _walls(figure: go.Figure, world: GridWorld, left: int) -> None:
    drawn = np.array([list(line) for line in world.drawing])
    for row, column in np.argwhere(drawn == WALL):
        figure.add_shape(
            type="rect", x0=left + column - 0.5, x1=left + column + 0.5, y0=row - 0.5,
            y1=row + 0.5, fillcolor=theme.INK, line_width=0, layer="below",
        )  # fmt: skip


def _letters(
    figure: go.Figure, world: GridWorld, moves: theme.Values | None, bright: np.ndarray, left: int
) -> None:
    over = np.asarray(world.terminal)
    signs = [letter.replace(".", "") for letter in world.letters]
    if moves is not None:
        best = np.asarray(moves)
        signs = [s if end else ARROWS[m] for s, m, end in zip(signs, best, over, strict=True)]
    figure.add_scatter(
        x=left + world.places[:, 1], y=world.places[:, 0], mode="text", text=signs,
        textfont={"color": np.where(bright, "#1c1c1c", "white"), "size": 13}, hoverinfo="skip",
    )  # fmt: skip


def _walk(figure: go.Figure, places: np.ndarray, left: int) -> None:
    figure.add_scatter(
        x=left + places[:, 1], y=places[:, 0], mode="lines+markers", hoverinfo="skip",
        line={"color": theme.NEGATIVE, "width": 3},
        marker={"color": theme.NEGATIVE, "size": [11] + [4] * (len(places) - 1)},
    )  # fmt: skip
