"""Predictive coding against backprop in ten paired trials, and against other libraries.

784-256-64-10 sigmoid networks, 20 steps of inference, Adam, on digits enlarged to 28 x 28. A peer
runs where it can be imported; `PEERS` says how to install it, best in an environment of its own.
"""

import importlib
import importlib.util
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from neurula import Sample, examine, layered, learn
from neurula.contracts import AbstractTask
from neurula.neurons import Rate
from neurula.rules import Backprop, PredictiveCoding
from neurula.tasks import Digits

from .stopwatch import compare

SIZES, TRIALS, STEPS, BATCH = (784, 256, 64, 10), 10, 100, 64
INFERENCE, RATE, LEARNING = 20, 0.05, 1e-3
CLOSE = 0.03  # of accuracy: peers whose equations differ in detail must be as good as that
KEYS = jax.random.split(jax.random.key(0), TRIALS)
PEERS = {  # how to install them, and whether their error is a squared one
    "fabricpc": ("pip install fabricpc==0.6.0", False),
    "ngclearn": ("pip install ngclearn==3.2.1", True),
}


class Large(AbstractTask):
    """Digits of 28 x 28 pixels, each the nearest of 8 x 8."""

    squared: bool = False  # the error, instead of the cross-entropy

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, SIZES[0], SIZES[-1]

    def sample(self, split: str, *, key: Any) -> Sample:
        return jax.tree.map(_enlarge, Digits().sample(split, key=key))

    def exam(self, split: str, *, key: Any) -> Sample:
        return jax.tree.map(_enlarge, Digits().exam(split, key=key))

    def error(self, outputs: jax.Array, sample: Sample) -> jax.Array:
        squares = jnp.sum((outputs - sample.target) ** 2) / 2
        return squares if self.squared else Digits().error(outputs, sample)

    def score(self, outputs: jax.Array, sample: Sample) -> jax.Array:
        return Digits().score(outputs, sample)


def _enlarge(x: jax.Array) -> jax.Array:
    if x.shape[-1] != 64:  # a target, say
        return x
    nearest = jnp.arange(28) * 8 // 28
    places = nearest[:, None] * 8 + nearest[None, :]
    return x[..., places.ravel()]


def network(key: jax.Array) -> Any:
    """The network of a trial before it learns: the same for all rules and libraries."""
    return layered(SIZES, neuron=lambda n: Rate("sigmoid", jnp.zeros(n)), gain=2.0, key=key)


def places(network: Any) -> list[Any]:
    """All weights of a network, then the biases of all layers but the input."""
    cells = [network.populations[p.target].neuron.bias for p in network.projections]
    return [p.weight for p in network.projections] + cells


def batches(key: jax.Array) -> tuple[np.ndarray, np.ndarray]:
    """The examples that `learn` would draw: (step, example, pixel) and (step, example, class)."""
    _, to_life = jax.random.split(key)

    def draw(step):
        at_sample, _ = jax.random.split(jax.random.fold_in(to_life, step))
        keys = jax.random.split(at_sample, BATCH)
        return jax.vmap(lambda k: Large().sample("train", key=k))(keys)

    samples = jax.jit(jax.vmap(draw))(jnp.arange(STEPS))
    return np.asarray(samples.stimuli[:, :, 0]), np.asarray(samples.target[:, :, 0])


def life(rule: Any, key: jax.Array, squared: bool = False) -> Any:
    """One trial: the network after learning."""
    how = {"steps": STEPS, "batch": BATCH, "key": key}
    return learn(network(key), rule, Large(squared), optax.adam(LEARNING), **how).brain


def accuracy(brains: Any) -> np.ndarray:
    """The share of test digits that each of many networks reads."""
    grade = lambda brain: examine(brain, Large(), "test", key=KEYS[0])  # noqa: E731
    return np.asarray(eqx.filter_jit(eqx.filter_vmap(grade))(brains))


CODING = PredictiveCoding(INFERENCE, RATE)


def paired() -> dict:
    """Ten trials of predictive coding and of backprop: as one program, and one after another."""

    def pair(key):
        return [life(rule, key) for rule in (CODING, Backprop())]

    together = eqx.filter_jit(eqx.filter_vmap(pair))
    alone = eqx.filter_jit(pair)
    for a, b in zip(together(KEYS), _stacked([alone(k) for k in KEYS]), strict=True):
        np.testing.assert_allclose(accuracy(a), accuracy(b), atol=0.01)
    result = compare(lambda: together(KEYS), lambda: [alone(k) for k in KEYS], repeats=5)
    coding, backprop = (accuracy(brains) for brains in together(KEYS))
    gap = backprop - coding
    return result | {
        "accuracy": {"predictive coding": coding.mean(), "backprop": backprop.mean()},
        "accuracy_gap": {"mean": gap.mean(), "standard error": gap.std(ddof=1) / TRIALS**0.5},
    }


def _stacked(trees: list) -> Any:
    arrays, rest = eqx.partition(trees, eqx.is_array)
    return eqx.combine(jax.tree.map(lambda *x: jnp.stack(x), *arrays), rest[0])


def against(peer: str) -> Callable[[], dict]:
    """A benchmark of ten trials of predictive coding: ours as one program, the peer's in turn."""

    def race() -> dict:
        how, squared = PEERS[peer]
        if importlib.util.find_spec(peer) is None:
            return {"missing": f"{peer} is not installed here: {how}, best in its own environment"}
        trial = importlib.import_module(f".one_{peer}", __package__).trial()
        together = eqx.filter_jit(eqx.filter_vmap(lambda key: life(CODING, key, squared)))
        trials = [(network(k), *batches(k)) for k in KEYS]
        ours = accuracy(together(KEYS))
        theirs = accuracy(_stacked([trial(*each) for each in trials]))
        np.testing.assert_allclose(theirs.mean(), ours.mean(), atol=CLOSE)
        result = compare(
            lambda: together(KEYS), lambda: [trial(*each) for each in trials], repeats=3
        )
        return result | {
            "version": version(peer),
            "accuracy": {"ours": ours.mean(), "theirs": theirs.mean()},
        }

    return race
