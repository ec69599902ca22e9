"""A trial of predictive coding by fabricpc: the same equations, weights and examples as ours."""

import itertools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from fabricpc.core.activations import SigmoidActivation, SoftmaxActivation
from fabricpc.core.energy import CrossEntropyEnergy
from fabricpc.core.inference import InferenceSGD
from fabricpc.core.topology import Edge
from fabricpc.graph_assembly import TaskMap, graph
from fabricpc.graph_initialization import initialize_params
from fabricpc.nodes import Linear
from fabricpc.training import make_train_step

from .predictive_coding import INFERENCE, LEARNING, RATE, SIZES, places


def trial() -> Callable[[Any, Any, Any], Any]:
    """A function that trains a network. Its step is compiled once: `train` would for each trial."""
    names = [f"layer{i}" for i in range(len(SIZES))]
    last = {"activation": SoftmaxActivation(), "energy": CrossEntropyEnergy()}
    kinds = [{}, *[{"activation": SigmoidActivation()}] * (len(SIZES) - 2), last]
    pairs = zip(SIZES, names, kinds, strict=True)
    nodes = [Linear(shape=(size,), name=name, **kind) for size, name, kind in pairs]
    structure = graph(
        nodes=nodes,
        edges=[Edge(source=a, target=b.slot("in")) for a, b in itertools.pairwise(nodes)],
        task_map=TaskMap(x=nodes[0], y=nodes[-1]),
        inference=InferenceSGD(eta_infer=RATE, infer_steps=INFERENCE),
    )
    optimiser = optax.adam(LEARNING)
    step, key = make_train_step(structure, optimiser, algorithm="pc"), jax.random.key(0)

    def weights(params: Any) -> list[Any]:
        return [next(iter(params.nodes[name].weights.values())) for name in names[1:]]

    def biases(params: Any) -> list[Any]:
        return [params.nodes[name].biases["b"] for name in names[1:]]

    def run(network: Any, stimuli: Any, targets: Any) -> Any:
        params = initialize_params(structure, key)
        ours = [p.weight.T for p in network.projections]
        params = eqx.tree_at(weights, params, ours)
        params = eqx.tree_at(biases, params, [jnp.zeros_like(b) for b in biases(params)])
        momentum = optimiser.init(params)
        for x, y in zip(stimuli, targets, strict=True):
            params, momentum, _, _ = step(params, momentum, {"x": x, "y": y}, key)
        learned = [w.T for w in weights(params)], [b.ravel() for b in biases(params)]
        return eqx.tree_at(places, network, [*learned[0], *learned[1]])

    return run
