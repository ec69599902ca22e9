"""92 objects as a network, as simple models and as brains tell them apart.

Kriegeskorte et al. (2008), Neuron 60:1126 (objects and brains); Tan & Le (2019), ICML, PMLR 97:6105
(the network).
"""

import functools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..brains import brain92
from ..contracts import Dissimilarities, Recording
from ..data import load
from ..measures import dissimilarities
from ..measures.comparators import judge
from ..measures.matching import vectors
from ..pretrained import (
    LAYERS,
    Activations,
    EfficientNetLite0,
    calibrated,
    efficientnet_lite0,
    permuted,
    prepared,
    untrained,
)

AT_ONCE = 23  # pictures in a pass, for the sake of memory
DRAWN = {"untrained": untrained, "permuted": permuted}
MODELS = {  # arms of claims, and their names in the data
    "animacy labels": "animacy",
    "category labels": "faces, bodies, artificial, natural",
    "silhouette": "silhouette",
    "V1": "V1",
    "HMAX": "HMAX",
}
Rows = Float[np.ndarray, "row pair"]
Draws = Float[np.ndarray, "resample _"]  # how often each subject, network or object is drawn


class Likeness:
    """Spearman's rho of every network and layer with every brain, in any resample of objects."""

    def __init__(self, apart: dict[str, Float[np.ndarray, "_ _ pair"]], brains: dict[str, Rows]):
        self.apart, self.brains = apart, brains  # by arm: (network, layer, pair); by area
        self._known: dict[bytes, dict[str, np.ndarray]] = {}

    def rho(self, arm: str, area: str, what: Draws) -> Float[np.ndarray, "draw network layer _"]:
        """With every subject of an area; pairs of an object with its own copy are left out."""
        if (name := what.tobytes()) not in self._known:
            rows = np.concatenate([np.concatenate(each) for each in self.apart.values()])
            found = judge(rows, np.concatenate([*self.brains.values()]), "spearman", what).scores
            ends = np.cumsum([len(each) * len(each[0]) for each in self.apart.values()])
            parts = np.split(found, ends[:-1], axis=1)
            self._known[name] = {
                arm: part.reshape(len(what), *each.shape[:2], -1)
                for (arm, each), part in zip(self.apart.items(), parts, strict=True)
            }
        first = 0
        for each, rows in self.brains.items():
            if each == area:
                return self._known[name][arm][..., first : first + len(rows)]
            first += len(rows)
        raise KeyError(area)


@functools.cache
def objects(every: int) -> tuple[str, ...]:
    """Names of every nth object."""
    return brain92()["monkey IT"].stimuli[::every]


@functools.cache
def brains(every: int) -> dict[str, Rows]:
    """Dissimilarities by area; people's are the mean ranks of two sessions each."""
    return {
        area: vectors(found.select(objects(every)), "spearman")
        for area, found in brain92().items()
        if area != "models"
    }


@functools.cache
def fixed(arm: str, every: int) -> Rows:
    """Dissimilarities in every layer of the trained network, or of a model, which has one."""
    if arm == "trained":
        seen, run = _pictures(every), eqx.filter_jit(lambda model, x: model(x))
        parts = [run(_network(), seen[k : k + AT_ONCE]) for k in range(0, len(seen), AT_ONCE)]
        return _apart(
            {layer: jnp.concatenate([p[layer] for p in parts]) for layer in LAYERS}, every
        )
    if arm == "pixels":
        return _apart({"pixels": load("brain92")["images"][::every].astype(np.float32)}, every)
    models = brain92()["models"]
    known = models.select(objects(every)).values[:, 0]
    return known[[models.subjects.index(MODELS[arm])]]


def drawn(arm: str, every: int, key: PRNGKeyArray) -> Rows:
    """Dissimilarities in every layer of an untrained network, or of a permuted one."""
    network = _draw(_network(), arm, key)
    _, said = _calibrated(network, _pictures(every))
    return _apart({layer: said[layer] for layer in LAYERS}, every)


@eqx.filter_jit
def _draw(model: EfficientNetLite0, arm: str, key: PRNGKeyArray) -> EfficientNetLite0:
    return DRAWN[arm](model, key=key)


_calibrated = eqx.filter_jit(calibrated)  # one program for all that is drawn


@functools.cache
def _network() -> EfficientNetLite0:
    return efficientnet_lite0(load("efficientnet-lite0"))


@functools.cache
def _pictures(every: int) -> Float[Array, "image 224 224 3"]:
    """Whole, for the objects fill them."""
    return prepared(load("brain92")["images"][::every], keep=1.0)


def _apart(said: Activations | dict[str, np.ndarray], every: int) -> Rows:
    """1 - Pearson's r of the activations of all units, one row for each layer."""
    named = {"stimulus": objects(every)}
    layers = [
        Recording(np.asarray(each).reshape(len(each), -1), layer, labels=named)
        for layer, each in said.items()
    ]
    found: Dissimilarities = dissimilarities(layers, "correlation")
    return found.select(objects(every)).values[:, 0]
