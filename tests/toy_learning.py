"""Small examples for tests of rules, and ways to compare directions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from compiled import layered

from neurula.contracts import AbstractTask, Sample
from neurula.network import Network, Projection
from neurula.wirings import Dense

KEY = jax.random.key(0)


def half_square(outputs, sample):
    return 0.5 * jnp.sum((outputs[-1] - sample.target[-1]) ** 2)


@eqx.filter_jit
def example(numbers_in, numbers_out, seed=1):
    x, y = jax.random.split(jax.random.key(seed))
    draw = lambda key, size: jax.random.normal(key, (1, size), jnp.float32)  # noqa: E731
    return Sample(draw(x, numbers_in), draw(y, numbers_out))


@eqx.filter_jit
def double(tree):
    """With float64 numbers."""
    to = lambda x: x.astype(jnp.float64) if eqx.is_inexact_array(x) else x  # noqa: E731
    return jax.tree.map(to, tree)


@eqx.filter_jit
def propose(rule, brain, sample, state=None, error=half_square):
    state = rule.init(brain, key=KEY) if state is None else state
    return rule.propose(state, brain, sample, error, key=KEY)[0]


def flat(direction, names=None):
    """Changes of the named projections (default: all) as one vector."""
    chosen = [p.weight.ravel() for p in direction.projections if names is None or p.name in names]
    return np.concatenate(chosen)


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def apart(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


AHEAD = ("input->hidden1", "hidden1->hidden2", "hidden2->output")
BACK = ("hidden2->hidden1", "output->hidden2")


def by_name(direction):
    return {p.name: np.asarray(p.weight) for p in direction.projections}


class Copy(AbstractTask):
    """Say the signs of what you hear."""

    cells: int = 4

    @property
    def shape(self):
        return 1, self.cells, self.cells

    def sample(self, split, *, key):
        stimuli = jax.random.normal(key, (1, self.cells))
        return Sample(stimuli, jnp.sign(stimuli))

    @eqx.filter_jit
    def exam(self, split, *, key):
        return jax.vmap(lambda k: self.sample(split, key=k))(jax.random.split(key, 16))

    def error(self, outputs, sample):
        return half_square(outputs, sample)

    def score(self, outputs, sample):
        return -self.error(outputs, sample)


def branched(key):
    """A hidden layer with a path around it."""
    network = layered([4, 6, 5, 3], key=key)
    around = Dense(3, 6)
    skip = Projection("hidden1", "output", around, around.fill(0.3), delay=0)
    projections = [*network.projections, skip]
    return Network(network.populations, projections, senses=["input"], voices=["output"])
