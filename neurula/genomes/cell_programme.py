"""What every cell of an embryo runs: one small network, the same for all, whose weights are genes.

Astor & Adami (2000), Artif. Life 6:189; Najarro, Sudhakaran & Risi (2023), ALIFE, arXiv:2307.08197.
"""

import itertools
import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Answer(eqx.Module):
    """What the network tells a cell to do, and which chemistry it shows to others."""

    state: Float[Array, "cell state"]  # change of the inner state
    divide: Float[Array, "cell 1"]  # the more, the rather
    axis: Float[Array, "cell morphogen"]  # weights of the gradients along which it divides
    asymmetry: Float[Array, "cell state"]  # what the daughter gets and the mother loses
    migrate: Float[Array, "cell morphogen"]  # weights of the gradients that it climbs
    secrete: Float[Array, "cell secreted"]  # from 0 to 1
    ligand: Float[Array, "cell molecule"]  # from -1 to 1, shown by axons
    receptor: Float[Array, "cell molecule"]  # from -1 to 1, shown by dendrites
    bias: Float[Array, "cell 1"]


class CellProgramme(eqx.Module):
    """Inner state, concentrations and a clock over a hidden layer (tanh) to an `Answer`.

    Both layers have biases; weights are genes over the root of the number of inputs.
    """

    state: int = eqx.field(static=True)
    morphogens: int = eqx.field(static=True)
    secreted: int = eqx.field(static=True)
    molecules: int = eqx.field(static=True)
    hidden: int = eqx.field(static=True)

    @property
    def answers(self) -> dict[str, int]:
        """Names and sizes of the parts of an answer."""
        state, felt, molecules = self.state, self.morphogens, self.molecules
        return {
            "state": state, "divide": 1, "axis": felt, "asymmetry": state, "migrate": felt,
            "secrete": self.secreted, "ligand": molecules, "receptor": molecules, "bias": 1,
        }  # fmt: skip

    @property
    def size(self) -> int:
        """How many genes."""
        heard = self.state + self.morphogens + 2
        return heard * self.hidden + (self.hidden + 1) * sum(self.answers.values())

    def layers(self, genes: Float[Array, " gene"]) -> tuple[Array, Array]:
        """The two matrices of weights, (from, to), biases last."""
        heard, said = self.state + self.morphogens + 2, sum(self.answers.values())
        first = genes[: heard * self.hidden].reshape(heard, self.hidden)
        second = genes[heard * self.hidden :].reshape(self.hidden + 1, said)
        return first / math.sqrt(heard), second / math.sqrt(self.hidden + 1)

    def __call__(
        self,
        genes: Float[Array, " gene"],
        state: Float[Array, "cell state"],
        felt: Float[Array, "cell morphogen"],
        clock: Float[Array, ""] | float,
    ) -> Answer:
        first, second = self.layers(genes)
        rest = jnp.broadcast_to(jnp.stack([jnp.asarray(clock), jnp.ones(())]), (len(state), 2))
        # Concentrations lie between 0 and 1, mostly below a half; states between -1 and 1.
        heard = jnp.concatenate([state, 2 * felt - 1, rest], axis=1)
        inner = jnp.tanh(2 * heard @ first)
        inner = jnp.concatenate([inner, jnp.ones((len(state), 1))], axis=1)
        ends = list(itertools.accumulate(self.answers.values()))[:-1]
        parts = dict(zip(self.answers, jnp.split(2 * inner @ second, ends, axis=1), strict=True))
        for name in ("ligand", "receptor", "bias", "asymmetry"):
            parts[name] = jnp.tanh(parts[name])
        parts["secrete"] = 1 / (1 + jnp.exp(-parts["secrete"]))
        return Answer(**parts)
