"""A network drawn as cells and weighted connections; the sign shows as colour and as dashes."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Num

from . import theme

WIDTHS = (0.7, 1.6, 3.0)  # pixels, by third of the largest weight


def graph(
    weight: Num[theme.Values, "post pre"],
    *,
    positions: Num[theme.Values, "cell 2"] | None = None,
    groups: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    strongest: int = 600,
) -> go.Figure:
    """Draw an arrow from the speaking to the listening cell of every connection.

    `weight` is zero where there is no connection. `positions` are those of NetworkX's spring layout
    unless given. `groups` (input, hidden, ...) and `names` have one entry per cell. At most
    `strongest` connections are drawn; the figure says if some are left out.
    """
    weight = np.asarray(weight, float)
    if weight.shape[0] != weight.shape[1]:
        raise ValueError(
            f"graph expected one row and one column per cell and got {weight.shape}. Cells that "
            "only speak or only listen have a row and a column too, of zeros. Put the weights "
            "into a square: full = np.zeros((cells, cells)); full[post, pre] = weight"
        )
    places = _spring(weight) if positions is None else np.asarray(positions, float)
    figure = theme.blank(height=440, margin_b=16)
    post, pre = np.nonzero(weight * ~np.eye(len(weight), dtype=bool))
    order = np.argsort(-np.abs(weight[post, pre]), kind="stable")[:strongest]
    _edges(figure, weight, places, post[order], pre[order])
    _cells(figure, weight, places, groups, names)
    if len(post) > len(order):
        words = f"the {len(order)} strongest of {len(post)} connections between cells"
        theme.note(figure, words, x=0, y=0, xanchor="left", yanchor="top", font_size=11)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure


def _spring(weight: np.ndarray) -> np.ndarray:
    """Places that put connected cells close together: (cell, 2)."""
    import networkx as nx

    network = nx.from_numpy_array((weight != 0) | (weight != 0).T)
    found = nx.spring_layout(network, seed=0)
    return np.array([found[i] for i in range(len(weight))], float).reshape(-1, 2)


def _edges(
    figure: go.Figure, weight: np.ndarray, places: np.ndarray, post: np.ndarray, pre: np.ndarray
) -> None:
    """Arrows, by sign and by third of the largest weight: a line has one width per trace."""
    value = weight[post, pre]
    level = np.ceil(3 * np.abs(value) / np.abs(value).max(initial=1e-30)).astype(int).clip(1, 3) - 1
    for sign, colour, dash in ((1, theme.POSITIVE, "solid"), (-1, theme.NEGATIVE, "dot")):
        word = "positive weight" if sign > 0 else "negative weight"
        kinds = [kind for kind in range(3) if ((np.sign(value) == sign) & (level == kind)).any()]
        for kind in kinds:
            some = (np.sign(value) == sign) & (level == kind)
            ends = np.stack([places[pre[some]], places[post[some]]], 1)  # edge, end, axis
            figure.add_scatter(
                x=theme.strung(ends[..., 0]),
                y=theme.strung(ends[..., 1]),
                mode="lines+markers",
                line={"color": theme.faint(colour, 0.55), "width": WIDTHS[kind], "dash": dash},
                marker={
                    "symbol": "arrow",
                    "angleref": "previous",
                    "size": np.tile([0, 7, 0], some.sum()),
                    "standoff": 7,
                    "color": theme.faint(colour, 0.8),
                },
                name=word,
                legendgroup=word,
                showlegend=kind == kinds[-1],
                hoverinfo="skip",
            )


def _cells(
    figure: go.Figure,
    weight: np.ndarray,
    places: np.ndarray,
    groups: Sequence[str] | None,
    names: Sequence[str] | None,
) -> None:
    """Cells, and a ring around those that talk to themselves."""
    loops = np.flatnonzero(np.diagonal(weight))
    if len(loops):
        figure.add_scatter(
            x=places[loops, 0], y=places[loops, 1], mode="markers", name="talks to itself",
            marker={"symbol": "circle-open", "size": 19, "color": theme.INK}, hoverinfo="skip",
        )  # fmt: skip
    member = np.array(["cells"] * len(weight) if groups is None else list(groups))
    label = [f"cell {i}" for i in range(len(weight))] if names is None else list(names)
    for index, group in enumerate(dict.fromkeys(member.tolist())):
        some = np.flatnonzero(member == group)
        look = theme.style(index + 2)  # blue and red are the signs
        if groups is None:
            look = theme.Style(theme.INK, "circle", "solid", "●")
        figure.add_scatter(
            x=places[some, 0],
            y=places[some, 1],
            mode="markers",
            name=theme.short(group),
            text=[theme.plain(f"{label[i]} ({group})") for i in some],
            hoverinfo="text",
            marker={"size": 11, "color": look.colour, "symbol": look.symbol},
        )
