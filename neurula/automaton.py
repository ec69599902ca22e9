"""Cells on a sheet that all follow one rule, and hear only their neighbours: a neural automaton.

Mordvintsev, Randazzo, Niklasson & Levin (2020), Distill 5:e23 (growing); Randazzo, Mordvintsev,
Niklasson, Levin & Greydanus (2020), Distill 5:e00027.002 (classifying). Automata: von Neumann
(1966), Theory of Self-Reproducing Automata.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, UInt

from .contracts import AbstractBlock, AbstractWiring
from .wirings import Grid

Kernels = tuple[tuple[float, ...], ...] | Float[Array, "kernel neighbour"]
LIVING = 0.1  # of the channel of life, above which a cell keeps its neighbours alive


class AutomatonState(eqx.Module):
    """What all cells hold, and the clock of chance, if cells wake by chance."""

    channels: Float[Array, "channel cell"]
    clock: tuple[PRNGKeyArray, UInt[Array, ""]] | None = None


class Automaton(AbstractBlock[AutomatonState]):
    """The same small network in every cell adds to what the cell holds, again and again.

    Equations, for a cell that holds x: p = (x, k_1 * x, k_2 * x, ...), each kernel k a weighted sum
    over neighbours, channel by channel; x <- x + m V max(W p + b, 0). W, V and b are those of all
    cells. m is 1, or with a `fire_rate` below it 1 at so large a share of steps, by chance.
    The first `seen` channels are not changed but hold the input; the next `told` are the output,
    channel by channel. Where `alive` names a channel, cells die, that is they hold zeros, unless
    they or a neighbour hold more than 0.1 in it, before and after the change.
    V starts at zero, so that a new automaton keeps what it has. `seed` is the cell that starts with
    ones in its channel of life and in those that it does not show.
    Kernels that are an array are learned, numbers stay. Any wiring with one weight a kernel will do
    that joins the cells with each other.
    Units: none; time in steps. Raises `ValueError` for what does not fit.
    """

    wiring: AbstractWiring
    kernels: Kernels
    enter: Float[Array, "hidden perceived"]
    bias: Float[Array, " hidden"]
    leave: Float[Array, "changed hidden"]
    seen: int = eqx.field(static=True)
    told: int = eqx.field(static=True)
    fire_rate: float = eqx.field(static=True)
    alive: int | None = eqx.field(static=True)
    seed: int | None = eqx.field(static=True)

    def __init__(
        self,
        wiring: AbstractWiring,
        channels: int,
        hidden: int,
        *,
        seen: int = 0,
        told: int = 1,
        kernels: Kernels | None = None,
        fire_rate: float = 1.0,
        alive: int | None = None,
        seed: int | None = None,
        key: PRNGKeyArray,
    ):
        kernels = sobel(wiring) if kernels is None else kernels
        _check(wiring, kernels, channels=channels, hidden=hidden, seen=seen, told=told)
        if not 0 < fire_rate <= 1:
            raise ValueError(
                f"Expected a fire_rate above 0 and up to 1, got {fire_rate}. It is the share of "
                "steps at which a cell changes. Write `fire_rate=0.5` for half of them."
            )
        perceived = channels * (1 + len(kernels))
        self.wiring, self.kernels, self.seen, self.told = wiring, kernels, seen, told
        self.fire_rate, self.alive, self.seed = fire_rate, alive, seed
        self.enter = jax.random.normal(key, (hidden, perceived)) * (2 / perceived) ** 0.5
        self.bias = jnp.zeros(hidden)
        self.leave = jnp.zeros((channels - seen, hidden))

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.wiring.shape[0]

    @property
    def inputs(self) -> dict[str, int]:
        return {"input": self.seen * self.cells}

    @property
    def outputs(self) -> dict[str, int]:
        return {"output": self.told * self.cells}

    def init(self, *, key: PRNGKeyArray | None = None) -> AutomatonState:
        held = jnp.zeros((self.seen + self.leave.shape[0], self.cells))
        if self.seed is not None:
            held = held.at[self.seen + self.told :, self.seed].set(1.0)
            held = held if self.alive is None else held.at[self.alive, self.seed].set(1.0)
        if self.fire_rate == 1:
            return AutomatonState(held)
        if key is None:
            raise ValueError(
                f"Expected a key, got none: with fire_rate={self.fire_rate} chance decides which "
                "cells change. Write `init(key=jax.random.key(0))`."
            )
        return AutomatonState(held, (key, jnp.zeros((), jnp.uint32)))

    def perceive(self, held: Float[Array, "channel cell"]) -> Float[Array, "perceived cell"]:
        """What cells hold, then what each kernel makes of their neighbours, channel by channel."""
        if len(self.kernels) == 0:
            return held
        by_channel = jax.vmap(self.wiring.drive, (None, 0))
        felt = jax.vmap(by_channel, (0, None))(jnp.asarray(self.kernels), held)
        return jnp.concatenate([held, felt.reshape(-1, self.cells)])

    def living(self, held: Float[Array, "channel cell"]) -> Bool[Array, " cell"]:
        """Which cells are alive: they or a neighbour hold enough of the channel of life."""
        strong = (held[self.alive] > LIVING).astype(held.dtype)
        return strong + self.wiring.drive(self.wiring.fill(1.0), strong) > 0

    def step(
        self, state: AutomatonState, inputs: Float[Array, " in"]
    ) -> tuple[AutomatonState, Float[Array, " out"]]:
        held, clock = state.channels, state.clock
        if self.seen:
            held = jnp.concatenate([inputs.reshape(self.seen, -1), held[self.seen :]])
        active = jnp.maximum(self.enter @ self.perceive(held) + self.bias[:, None], 0)
        change = self.leave @ active
        if clock is not None:
            fires = jax.random.uniform(jax.random.fold_in(*clock), (1, self.cells))
            change = change * (fires < self.fire_rate).astype(change.dtype)
            clock = clock[0], clock[1] + jnp.uint32(1)
        after = jnp.concatenate([held[: self.seen], held[self.seen :] + change])
        if self.alive is not None:
            lives = self.living(held) & self.living(after)
            after = after * lives[None, :].astype(after.dtype)
        told = after[self.seen : self.seen + self.told]
        return AutomatonState(after, clock), told.reshape(-1)


def sobel(wiring: AbstractWiring) -> tuple[tuple[float, ...], ...]:
    """Kernels for a sheet with 8 neighbours: how much more there is to the right, and below."""
    if not isinstance(wiring, Grid) or wiring.neighbours != 8:
        raise ValueError(
            f"Expected a Grid with 8 neighbours, got {type(wiring).__name__}. Slopes to the right "
            "and downwards are defined there. Give kernels of your own: `Automaton(wiring, "
            "channels, hidden, kernels=((0.25, 0.25, 0.25, 0.25),), key=key)`."
        )
    right = tuple(right * (2 - abs(down)) / 8 for down, right in wiring.offsets)
    below = tuple(down * (2 - abs(right)) / 8 for down, right in wiring.offsets)
    return right, below


def _check(wiring: AbstractWiring, kernels: Kernels, **sizes: int) -> None:
    """Raise `ValueError` for sizes and kernels that do not fit."""
    channels, hidden, seen, told = sizes.values()
    if min(channels, hidden) < 1 or min(seen, told) < 0 or seen + told > channels:
        raise ValueError(
            f"Expected at least 1 channel and 1 hidden cell, and channels for all that is seen and "
            f"told, got {sizes}. Input and output are channels of every cell. Write "
            f"`Automaton(wiring, channels={max(seen, 0) + max(told, 0) + 8}, hidden=32, ...)`."
        )
    needs = jax.eval_shape(lambda: wiring.fill(1.0)).shape
    shapes = {np.shape(kernel) for kernel in kernels}
    if wiring.shape[0] != wiring.shape[1] or shapes - {needs}:
        raise ValueError(
            f"Expected a wiring from cells to the same cells and kernels of its weight's shape, "
            f"{needs}, got {wiring.shape[1]} to {wiring.shape[0]} cells and kernels of {shapes}. "
            "All cells share a kernel. Write `Grid(height, width, 8, shared=True)` and kernels of "
            "8 numbers."
        )
