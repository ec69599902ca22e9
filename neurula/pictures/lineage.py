"""Where the fittest came from: its ancestors among all who lived."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Integer, Num

from . import theme


def lineage(
    fitness: Num[theme.Values, "generation genome"],
    parents: Integer[theme.Values, "generation genome parent"],
    *,
    y_title: str = "fitness",
) -> go.Figure:
    """Draw every life as a dot, and lines from the fittest of all back to its ancestors.

    `parents` are places in the generation before; -1 stands for none. Broken fitness (NaN,
    infinite) has no dot, and lines pass it by.
    """
    fitness, parents = np.asarray(fitness, float), np.asarray(parents, int)
    figure = theme.blank(height=380)
    fine = np.isfinite(fitness)
    if not fine.any():
        theme.nothing(figure)
        return figure
    time = np.broadcast_to(np.arange(len(fitness))[:, None], fitness.shape)
    figure.add_scattergl(
        x=time[fine], y=fitness[fine], mode="markers", name="everybody", hoverinfo="skip",
        marker={"size": 3, "color": theme.faint(theme.INK, 0.35)},
    )  # fmt: skip
    generation, genome = np.unravel_index(np.argmax(np.where(fine, fitness, -np.inf)), fine.shape)
    line, ancestors = _descent(parents, int(generation), int(genome))
    look = theme.style(0)
    ends = fitness[line[..., 0], line[..., 1]]
    figure.add_scatter(
        x=theme.strung(line[..., 0]), y=theme.strung(ends), mode="lines", showlegend=False,
        line={"color": theme.faint(look.colour, 0.6), "width": 1}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=ancestors[:, 0], y=fitness[ancestors[:, 0], ancestors[:, 1]], mode="markers",
        name="the fittest and its ancestors", marker={"size": 5, "color": look.colour},
        hovertemplate="generation %{x}: %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="generation")
    figure.update_yaxes(title_text=theme.plain(y_title))
    return figure


def _descent(parents: np.ndarray, generation: int, genome: int) -> tuple[np.ndarray, np.ndarray]:
    """Lines from child to parent, (line, end, [generation, genome]), and all on them."""
    now, lines, everybody = {genome}, [], [(generation, genome)]
    for time in range(generation, 0, -1):
        before: set[int] = set()
        for child in sorted(now):
            found = {int(p) for p in parents[time, child] if p >= 0}
            lines += [((time, child), (time - 1, parent)) for parent in sorted(found)]
            before |= found
        everybody += [(time - 1, parent) for parent in sorted(before)]
        now = before
    return np.array(lines, int).reshape(-1, 2, 2), np.array(everybody, int)
