"""Species over time: how many lives each of them had, one upon the other."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Integer

from . import theme

SHOWN = 12  # species with an area of their own


def species(members: Integer[theme.Values, "generation genome"]) -> go.Figure:
    """Draw stacked areas, from the oldest species at the bottom to the youngest.

    `members` holds the number of the species of every genome, in every generation. The largest
    twelve have an area each, the others share one on top, and the figure says how many they are.
    """
    members = np.asarray(members)
    numbers, place = np.unique(members, return_inverse=True)
    sizes = np.zeros((len(members), len(numbers)), int)
    rows = np.repeat(np.arange(len(members)), members.shape[1])
    np.add.at(sizes, (rows, place.ravel()), 1)
    largest = np.sort(np.argsort(-sizes.sum(0), kind="stable")[:SHOWN])
    born = np.argmax(sizes > 0, 0)
    figure = theme.blank(height=360, hovermode="x unified", showlegend=False)
    for index, column in enumerate(largest[np.argsort(born[largest], kind="stable")]):
        words = f"species {numbers[column]}"
        _area(figure, sizes[:, column], theme.style(index).colour, words, 0.45 + 0.2 * (index % 3))
    rest = np.setdiff1d(np.arange(len(numbers)), largest)
    if len(rest):
        _area(figure, sizes[:, rest].sum(1), theme.INK, f"{len(rest)} smaller species", 0.25)
    if not members.size:
        theme.nothing(figure)
    count = (sizes > 0).sum(1)
    if len(count):
        words = f"{count[-1]} species at the end, {len(numbers)} in all"
        words += f"; grey: the {len(rest)} smallest together" if len(rest) else ""
        theme.note(figure, words, x=0, y=1.01, xanchor="left", yanchor="bottom", font_size=12)
    figure.update_xaxes(title_text="generation", showgrid=False)
    figure.update_yaxes(title_text="genomes", range=[0, members.shape[1]], showgrid=False)
    return figure


def _area(figure: go.Figure, size: np.ndarray, colour: str, words: str, alpha: float) -> None:
    figure.add_scatter(
        x=np.arange(len(size)),
        y=size,
        mode="lines",
        name=words,
        stackgroup="all",
        line={"width": 1, "color": colour},
        fillcolor=theme.faint(colour, alpha),
        hovertemplate=f"{words}: %{{y}}<extra></extra>",
    )
