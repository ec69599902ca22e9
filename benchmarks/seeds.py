"""Twenty seeds as one program against twenty runs one after another."""

import equinox as eqx
import jax
import numpy as np
import optax

from neurula import free, layered, learn, rules, tasks, wirings

from .stopwatch import compare

SEEDS = 20


def _race(build, task, steps: int, batch: int) -> dict:
    keys = jax.random.split(jax.random.key(0), SEEDS)

    def life(key):
        how = {"steps": steps, "batch": batch, "key": key}
        brain = learn(build(key), rules.Backprop(), task, optax.adam(1e-3), **how).brain
        return [p.weight for p in brain.projections]

    together = eqx.filter_jit(jax.vmap(life))
    alone = eqx.filter_jit(life)
    first = alone(keys[0])
    for a, b in zip(together(keys), first, strict=True):
        np.testing.assert_allclose(a[0], b, atol=2e-3)
    return compare(lambda: together(keys), lambda: [alone(k) for k in keys], repeats=5)


def latency_bound() -> dict:
    """A loop of 60 cells that looks for 8 steps, batch 8: limited by latency."""
    graph = wirings.random(60, 0.15, seed=0)
    build = lambda key: free(graph, inputs=64, outputs=10, key=key)  # noqa: E731
    return _race(build, tasks.Digits(look=8), steps=200, batch=8)


def compute_bound() -> dict:
    """A 64-512-512-10 multilayer perceptron, batch 64: limited by arithmetic."""
    build = lambda key: layered([64, 512, 512, 10], key=key)  # noqa: E731
    return _race(build, tasks.Digits(), steps=60, batch=64)
