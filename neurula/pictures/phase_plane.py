"""Where two variables of a cell go from anywhere: flow, nullclines and lives.

FitzHugh (1961), Biophys. J. 1:445 (the phase plane of a nerve cell).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from ..contracts import AbstractNeuron
from . import theme

FINE = 0.01  # ms, the step that tells where a cell goes
GRID, ARROWS = 120, 17  # points along an axis: for nullclines, for arrows


def phase_plane(
    neuron: AbstractNeuron,
    *,
    current: float,
    x: tuple[float, float],
    y: tuple[float, float],
    dt: float,
    duration: float = 300.0,
    variables: tuple[int, int] = (0, 1),
    names: tuple[str, str] = ("v (mV)", "u"),
    starts: Sequence[tuple[float, float]] = (),
) -> go.Figure:
    """Draw two variables of a neuron under a constant input, out of the neuron's own `step`.

    `x` and `y` are the ranges drawn, `variables` the places of the two among the leaves of the
    neuron's state; all others stay at rest. Lives of `duration` ms in steps of `dt` begin at rest
    and at every point of `starts`. Arrows show the direction, not the speed; a spike's jump is a
    gap in the line.
    """
    axes = [np.linspace(*ends, GRID) for ends in (x, y)]
    flow = flow_at(neuron, *np.meshgrid(*axes), current=current, variables=variables)
    figure = theme.blank(height=460)
    for index, (speed, name) in enumerate(zip(flow, names, strict=True)):
        look, what = theme.style(index), theme.short(f"{name.split()[0]} stands still")
        figure.add_contour(
            x=axes[0], y=axes[1], z=speed, showscale=False, hoverinfo="skip", showlegend=False,
            contours={"type": "constraint", "operation": "=", "value": 0.0},
            line={"color": look.colour, "width": 2.2, "dash": look.dash},
        )  # fmt: skip
        figure.add_scatter(
            x=[None], y=[None], mode="lines", name=what,
            line={"color": look.colour, "width": 2.2, "dash": look.dash},
        )  # fmt: skip
    _arrows(figure, neuron, x, y, current, variables)
    for index, start in enumerate((None, *starts)):
        path = life(neuron, start, current=current, dt=dt, duration=duration, variables=variables)
        look = theme.style(index + 2)
        figure.add_scatter(
            x=path[:, 0], y=path[:, 1], mode="lines", line={"color": look.colour, "width": 1.6},
            name="from rest" if start is None else f"from {start[0]:g}, {start[1]:g}",
        )  # fmt: skip
    figure.update_xaxes(title_text=theme.plain(names[0]), range=x)
    figure.update_yaxes(title_text=theme.plain(names[1]), range=y)
    return figure


def flow_at(
    neuron: AbstractNeuron,
    first: Float[np.ndarray, "*grid"],
    second: Float[np.ndarray, "*grid"],
    *,
    current: float,
    variables: tuple[int, int] = (0, 1),
) -> tuple[Float[np.ndarray, "*grid"], Float[np.ndarray, "*grid"]]:
    """How fast two variables of a neuron change at points of their plane, per ms; nan at spikes."""
    values = [np.ravel(each) for each in (first, second)]
    state = _placed(neuron, len(values[0]), variables, values)
    drive = jnp.zeros((len(neuron.ports), len(values[0]))).at[0].set(current)
    after, spikes = jax.jit(lambda s: neuron.step(s, drive, None, dt=FINE))(state)
    leaves = jax.tree.leaves(after)
    speeds = [
        np.where(spikes > 0, np.nan, (np.asarray(leaves[i], np.float64) - value) / FINE)
        for i, value in zip(variables, values, strict=True)
    ]
    return speeds[0].reshape(np.shape(first)), speeds[1].reshape(np.shape(first))


def life(
    neuron: AbstractNeuron,
    start: tuple[float, float] | None,
    *,
    current: float,
    dt: float,
    duration: float,
    variables: tuple[int, int] = (0, 1),
) -> Float[np.ndarray, "time 2"]:
    """Two variables of one cell over time; after a spike comes a row of nan."""
    state = neuron.init(1)
    if start is not None:
        state = _placed(neuron, 1, variables, [np.full(1, value) for value in start])
    drive = jnp.zeros((len(neuron.ports), 1)).at[0].set(current)

    def step(state, _):
        after, spikes = neuron.step(state, drive, None, dt=dt)
        leaves = jax.tree.leaves(state)
        return after, (jnp.stack([leaves[i][0] for i in variables]), spikes[0])

    path, spikes = jax.jit(lambda s: jax.lax.scan(step, s, None, length=round(duration / dt))[1])(
        state
    )
    gaps = np.flatnonzero(np.asarray(spikes)) + 1
    return np.insert(np.asarray(path, np.float64), gaps, np.nan, axis=0)


def _placed(neuron, size, variables, values):
    """A state at rest but for two of its variables."""
    leaves, shape = jax.tree.flatten(neuron.init(size))
    for i, value in zip(variables, values, strict=True):
        leaves[i] = jnp.asarray(value, jnp.float32)
    return jax.tree.unflatten(shape, leaves)


def _arrows(figure, neuron, x, y, current, variables) -> None:
    """Short arrows of equal length on paper."""
    places = np.meshgrid(*(np.linspace(*ends, ARROWS + 2)[1:-1] for ends in (x, y)))
    spans = [ends[1] - ends[0] for ends in (x, y)]
    flow = flow_at(neuron, *places, current=current, variables=variables)
    scaled = [speed / span for speed, span in zip(flow, spans, strict=True)]
    length = np.maximum(np.hypot(*scaled), 1e-12)
    ends = [
        np.stack([place.ravel(), (place + 0.022 * span * step / length).ravel()], axis=1)
        for place, span, step in zip(places, spans, scaled, strict=True)
    ]
    figure.add_scatter(
        x=theme.strung(ends[0]), y=theme.strung(ends[1]), mode="lines+markers",
        line={"color": theme.faint("#84868a", 0.6), "width": 1},
        marker={
            "symbol": "arrow", "angleref": "previous", "color": theme.faint("#84868a", 0.8),
            "size": np.tile([0, 6, 0], ends[0].shape[0]),
        },
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
