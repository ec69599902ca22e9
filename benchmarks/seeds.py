"""Twenty seeds as one program on all cores against twenty runs one after another."""

import json
import os
import subprocess
import sys

import jax
import numpy as np
import optax

from neurula import free, layered, learn, many, rules, tasks, wirings

from .stopwatch import compare

SEEDS = 20


def _race(build, task, steps: int, batch: int, at_once: int | None = None) -> dict:
    keys = jax.random.split(jax.random.key(0), SEEDS)

    def life(key):
        how = {"steps": steps, "batch": batch, "key": key}
        brain = learn(build(key), rules.Backprop(), task, optax.adam(1e-3), **how).brain
        return [p.weight for p in brain.projections]

    together, alone = many(life, at_once=at_once), jax.jit(life)
    for a, b in zip(together(keys), alone(keys[0]), strict=True):
        np.testing.assert_allclose(a[0], b, atol=2e-3)
    return compare(lambda: together(keys), lambda: [alone(k) for k in keys], repeats=7)


def _loop(cells: int, batch: int) -> dict:
    """A sparse loop of few cells learns temporal parity, sequences of 16: limited by latency."""
    graph = wirings.random(cells, 0.15, seed=0)
    build = lambda key: free(graph, inputs=1, outputs=2, key=key)  # noqa: E731
    return _race(build, tasks.Parity(16), steps=200, batch=batch)


def _perceptron() -> dict:
    """A 64-512-512-10 multilayer perceptron, batch 64: limited by arithmetic."""
    build = lambda key: layered([64, 512, 512, 10], key=key)  # noqa: E731
    return _race(build, tasks.Digits(), steps=60, batch=64, at_once=1)


RACES = {
    "loop of 20 cells, batch 1": lambda: _loop(20, 1),
    "loop of 60 cells, batch 1": lambda: _loop(60, 1),
    "loop of 60 cells, batch 8": lambda: _loop(60, 8),
    "64-512-512-10, batch 64": _perceptron,
}


def seeds() -> dict:
    """All races, each in a process of its own in which every core is a device."""
    cores = {**os.environ, "JAX_NUM_CPU_DEVICES": str(os.cpu_count())}
    command = [sys.executable, "-m", __name__]
    run = lambda race: subprocess.check_output([*command, race], env=cores, text=True)  # noqa: E731
    return {race: json.loads(run(race)) for race in RACES}


if __name__ == "__main__":
    print(json.dumps(RACES[sys.argv[1]]()))
