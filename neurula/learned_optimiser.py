"""Optimisers with numbers of their own, which can be learned or evolved like any others.

Andrychowicz, Denil, Gomez, Hoffman, Pfau, Schaul, Shillingford & de Freitas (2016), NeurIPS 29:3981
(a network that optimises; how it hears gradients: appendix A).
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

Cells = tuple[tuple[Float[Array, "coordinate _"], Float[Array, "coordinate _"]], ...]


class AbstractLearnedOptimiser(eqx.Module):
    """What turns a direction into a change of weights. Its arrays are what can be learned.

    `learn(brain, rule, task, optimiser.transformation, ...)` follows any rule by it: `updates` is
    the rule's direction, `params` the weights, in optax's words.
    """

    @abc.abstractmethod
    def init(self, params: PyTree) -> PyTree:
        """What it remembers before the first update. Raises `ValueError` where it cannot help."""

    @abc.abstractmethod
    def update(
        self, updates: PyTree, state: PyTree, params: PyTree | None = None
    ) -> tuple[PyTree, PyTree]:
        """The change to be added to the weights, and what it remembers then."""

    @property
    def transformation(self) -> optax.GradientTransformation:
        """The same for whoever expects an optimiser of optax; a PyTree of its arrays."""
        return optax.GradientTransformation(self.init, self.update)


class CoordinateLSTM(AbstractLearnedOptimiser):
    """One small LSTM looks after every weight on its own: shared weights, a memory for each.

    Equations, for each coordinate of the direction d:
        x = (ln |d| / p, sign d) where |d| >= exp(-p), else (-1, exp(p) d)
        h_1 = LSTM_1(x), h_2 = LSTM_2(h_1), ...; change = scale * (v . h_last + b)
    Units: none. Fresh readouts are zero with `still`: nothing moves before it has learned to.
    Raises `ValueError` for sizes below 1. Source: Andrychowicz et al. (2016).
    """

    layers: tuple[eqx.nn.LSTMCell, ...]
    readout: eqx.nn.Linear
    precision: float = eqx.field(static=True, default=10.0)  # p
    scale: float = eqx.field(static=True, default=0.1)

    def __init__(
        self,
        cells: tuple[int, ...] = (20, 20),
        *,
        precision: float = 10.0,
        scale: float = 0.1,
        still: bool = False,
        key: PRNGKeyArray,
    ):
        if not cells or min(cells) < 1:
            raise ValueError(
                f"An LSTM that optimises has at least one layer of at least one cell, but got "
                f"cells={cells}: it could remember nothing. Use `CoordinateLSTM((20, 20), key=key)`"
            )
        *keys, at_readout = jax.random.split(key, len(cells) + 1)
        sizes = zip((2, *cells[:-1]), cells, keys, strict=True)
        self.layers = tuple(eqx.nn.LSTMCell(a, b, key=k) for a, b, k in sizes)
        readout = eqx.nn.Linear(cells[-1], 1, key=at_readout)
        self.readout = jax.tree.map(jnp.zeros_like, readout) if still else readout
        self.precision, self.scale = precision, scale

    def init(self, params: PyTree) -> Cells:
        count = sum(x.size for x in jax.tree.leaves(params))
        blank = lambda layer: jnp.zeros((count, layer.hidden_size))  # noqa: E731
        return tuple((blank(layer), blank(layer)) for layer in self.layers)

    def update(
        self, updates: PyTree, state: Cells, params: PyTree | None = None
    ) -> tuple[PyTree, Cells]:
        flat, back = ravel_pytree(updates)
        heard, after = self.hear(flat), []
        for layer, memory in zip(self.layers, state, strict=True):
            memory = jax.vmap(lambda x, m, layer=layer: layer(x, m))(heard, memory)
            heard = memory[0]
            after.append(memory)
        assert self.readout.bias is not None
        said = heard @ self.readout.weight[0] + self.readout.bias
        return back(self.scale * said), tuple(after)

    def hear(self, direction: Float[Array, " coordinate"]) -> Float[Array, "coordinate 2"]:
        """Size and sign apart, so that the very small can be told from the large."""
        size, least = jnp.abs(direction), jnp.exp(jnp.float32(-self.precision))
        size_said = jnp.log(jnp.maximum(size, least)) / self.precision
        loud = jnp.stack([size_said, jnp.sign(direction)], -1)
        quiet = jnp.stack([-jnp.ones_like(direction), direction / least], -1)
        return jnp.where((size >= least)[:, None], loud, quiet)


class StepSizes(AbstractLearnedOptimiser):
    """Descent with a learned step size for every weight: the smallest learned optimiser.

    change_i = -exp(s_i) d_i; `logarithms` has the shapes of the weights. Without differences
    between them it is `optax.sgd(exp(s))`. Source: Li, Zhou, Chen & Li (2017), arXiv:1707.09835.
    """

    logarithms: PyTree[Float[Array, "..."]]  # s, natural logarithms of step sizes

    @classmethod
    def like(cls, weights: PyTree, rate: float) -> "StepSizes":
        """Step sizes that are all `rate`, for weights of these shapes."""
        if not rate > 0:
            raise ValueError(
                f"A step size is above 0, but got rate={rate}, which has no logarithm. Use for "
                "example `StepSizes.like(weights, 0.1)`."
            )
        return cls(jax.tree.map(lambda x: jnp.full_like(x, jnp.log(rate)), weights))

    def init(self, params: PyTree) -> None:
        shapes = lambda tree: [x.shape for x in jax.tree.leaves(tree)]  # noqa: E731
        mine, theirs = shapes(self.logarithms), shapes(params)
        if mine != theirs:
            raise ValueError(
                f"There are step sizes for weights of shapes {mine}, but the weights have "
                f"{theirs}: each needs its own. Use `StepSizes.like(trainable(brain), 0.1)`."
            )

    def update(
        self, updates: PyTree, state: None, params: PyTree | None = None
    ) -> tuple[PyTree, None]:
        flat, back = ravel_pytree(updates)
        return back(-jnp.exp(ravel_pytree(self.logarithms)[0]) * flat), None


def numbers(optimiser: AbstractLearnedOptimiser) -> tuple[Float[Array, " number"], Any]:
    """All numbers that can be learned as a vector, and the way back to an optimiser."""
    arrays, rest = eqx.partition(optimiser, eqx.is_inexact_array)
    flat, back = ravel_pytree(arrays)
    return flat, lambda flat: eqx.combine(back(flat), rest)
