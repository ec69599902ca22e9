"""How often cells fire for how much input: the f-I curve."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Num

from ..contracts import AbstractNeuron
from . import theme
from .curves import curves


def rate_curve(
    neurons: Mapping[str, AbstractNeuron],
    currents: Num[theme.Values, " current"],
    *,
    dt: float,
    duration: float = 1000.0,
    settle: float = 500.0,
    unit: str = "mV",
) -> go.Figure:
    """Draw the lasting rate of every neuron, by name, against a constant input at its first port.

    Spikes are counted for `duration` ms, after `settle` ms in which cells may adapt. `unit` is that
    of the input. Chance is drawn where a neuron asks for it.
    """
    arms = {
        name: lasting_rates(neuron, currents, dt=dt, duration=duration, settle=settle)[None]
        for name, neuron in neurons.items()
    }
    x_title, y_title = f"input ({unit})", "rate (Hz)"
    return curves(np.asarray(currents), arms, x_title=x_title, y_title=y_title)


def lasting_rates(
    neuron: AbstractNeuron,
    currents: Num[theme.Values, " current"],
    *,
    dt: float,
    duration: float = 1000.0,
    settle: float = 500.0,
) -> Float[np.ndarray, " current"]:
    """Spikes per second of one cell for every input, all cells side by side."""
    level = jnp.asarray(currents, jnp.float32)
    drive = jnp.zeros((len(neuron.ports), len(level))).at[0].set(level)

    def step(state, index):
        key = jax.random.fold_in(jax.random.key(0), index)
        noise = jax.random.uniform(key, level.shape) if neuron.noisy else None
        state, spikes = neuron.step(state, drive, noise, dt=dt)
        return state, spikes

    early, late = round(settle / dt), round(duration / dt)
    spikes = jax.jit(
        lambda: jax.lax.scan(step, neuron.init(len(level)), jnp.arange(early + late))[1]
    )()
    return np.asarray(spikes[early:].sum(0)) * 1000 / (late * dt)
