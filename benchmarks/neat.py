"""NEAT against neat-python and TensorNEAT: until it is solved, and how fast generations go.

Exclusive or: 100 runs, populations of 150, until all four answers are on the right side of 0.5;
ours as one job whose compilation is counted, without caches. Each package has the settings and the
fitness that it was published with. Pole: cart-pole with the same equations and starts, from what is
seen unscaled; 1,000 steps in each of 5 episodes solve it. NEURULA_RUNS=3 tries it in small.

Parity of three: TensorNEAT's own example, 10,000 genomes with room for 3 hidden cells and 100
connections in up to 20 species, until the squared error is below 1e-6 (theirs takes 10 minutes).
"""

import json
import os
import subprocess
import sys
from functools import cache
from statistics import median
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import binomtest

from neurula import InWorld, evolve
from neurula.environments import CartPole
from neurula.evolution import live
from neurula.evolvers import NeatSearch
from neurula.genomes import Neat

from .peers.asking import MISSING, ask
from .stopwatch import seconds

POPULATION, PROCESSES, CROWDS = 150, 3, 7
RUNS = int(os.environ.get("NEURULA_RUNS", "100"))
TASKS: dict[str, dict[str, Any]] = {
    "xor": {"generations": 1000, "target": 100.0, "seeds": RUNS},
    "pole": {
        "generations": 50, "target": 1000.0, "seeds": min(RUNS, 20), "limit": 1000, "episodes": 5,
    },
}  # fmt: skip
LIFE = InWorld(CartPole(), TASKS["pole"]["limit"], TASKS["pole"]["episodes"])


def answers(network: Any, stimuli: jax.Array) -> jax.Array:
    """After three steps of each stimulus, since three hidden cells may form a chain."""

    def answer(stimulus: jax.Array) -> jax.Array:
        state = network.init()
        for _ in range(2):
            state, _ = network.step(state, stimulus)
        return network.step(state, stimulus)[1][0]

    return jax.vmap(answer)(stimuli)


def exclusive_or(network: Any, *, key: jax.Array) -> jax.Array:
    """(4 - summed error)^2, and 100 more where all four answers are right."""
    stimuli = jnp.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    wanted = jnp.array([0.0, 1.0, 1.0, 0.0])
    said = answers(network, stimuli)
    right = jnp.all((said > 0.5) == (wanted > 0.5))
    return (4 - jnp.sum(jnp.abs(said - wanted))) ** 2 + jnp.where(right, 100.0, 0.0)


def genome(task: str) -> Neat:
    """Without hidden cells at first, and with room for those that come."""
    inputs, output = (2, "steep_sigmoid") if task == "xor" else (4, "identity")
    return Neat(
        inputs, 1, cells=16, connections=48, nonlinearities=("steep_sigmoid",), output=output
    )


def run(task: str) -> Any:
    """All seeds as one job: whether each solved it, after how many lives, and the champions."""
    given, life = TASKS[task], exclusive_or if task == "xor" else LIFE

    def one(key: jax.Array) -> tuple:
        found = evolve(
            genome(task), NeatSearch(POPULATION), life,
            generations=given["generations"], target=given["target"], key=key,
        )  # fmt: skip
        return found.solved, found.evaluations, found.genes, found.fitness

    return eqx.filter_jit(lambda keys: jax.lax.map(one, keys))


def first(task: str) -> dict:
    """Seconds of the job in this process, its compilation included, and what came out."""
    kept: list[Any] = []
    keys = jax.random.split(jax.random.key(2026), TASKS[task]["seeds"])
    took = seconds(lambda: kept.append(run(task)(keys)) or kept[-1])
    solved, lives, genes, fitness = kept[-1]
    found = {
        "seconds": took,
        "solved": np.asarray(solved).tolist(),
        "evaluations": np.asarray(lives).tolist(),
        "hidden": np.asarray(jax.vmap(lambda g: g.sizes()[0])(genes)).tolist(),
    }
    if task == "pole":
        best = int(jnp.argmax(fitness))
        found["crowd"] = crowd(jax.tree.map(lambda x: x[best], genes))
    return found


def crowd(genes: Any) -> list[float]:
    """Seconds per step of the world where all of a generation live as the champion does."""
    many = jax.tree.map(lambda x: jnp.broadcast_to(x, (POPULATION, *x.shape)), genes)
    job = eqx.filter_jit(lambda genes, key: live(genome("pole"), genes, LIFE, key=key).steps)
    keys = jax.random.split(jax.random.key(1), CROWDS + 1)
    jax.block_until_ready(job(many, keys[0]))
    return [
        seconds(lambda key=key: job(many, key)) / float(jnp.sum(job(many, key))) for key in keys[1:]
    ]


@cache
def _both(task: str) -> tuple[list[dict], dict] | None:
    """Ours, in processes of their own and without caches, and theirs; solved equally often."""
    given = TASKS[task] | {"task": task, "population": POPULATION}
    theirs = ask("neat", "on_neat_python.py", given)
    if theirs is None:
        return None
    plain = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    command = [sys.executable, "-m", __name__, task]
    ours = []
    for _ in range(PROCESSES):
        done = subprocess.run(command, check=True, env=plain, stdout=subprocess.PIPE)
        ours.append(json.loads(done.stdout))
    spans = [_span(each["solved"]) for each in (ours[0], theirs)]
    overlap = max(low for low, _ in spans) <= min(high for _, high in spans)
    assert overlap, f"solved {spans}: not the same work"
    return ours, theirs


def _span(solved: list[bool]) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson)."""
    found = binomtest(sum(solved), len(solved)).proportion_ci(method="wilson")
    return found.low, found.high


def _told(ours: dict, theirs: dict, mine: list[float], other: list[float]) -> dict:
    """What was solved, and the ratio of seconds, from the lowest to the highest it can be."""
    mean = lambda found, what: float(np.mean(found[what]))  # noqa: E731
    lives = lambda found: float(np.mean(found["evaluations"]))  # noqa: E731
    return {
        "version": theirs["version"],
        "share solved, ours": mean(ours, "solved"),
        "share solved, theirs": mean(theirs, "solved"),
        "evaluations, ours": lives(ours),
        "evaluations, theirs": lives(theirs),
        "hidden cells, ours": mean(ours, "hidden"),
        "hidden cells, theirs": mean(theirs, "hidden"),
        "warm_seconds": {"ours": median(mine), "theirs": median(other)},
        "ratio": median(other) / median(mine),
        "ratio_range": [min(other) / max(mine), max(other) / min(mine)],
    }


def solving(task: str) -> Any:
    """A benchmark: all runs until they are solved, with compilation."""

    def benchmark() -> dict:
        found = _both(task)
        if found is None:
            return MISSING
        ours, theirs = found
        times = [each["seconds"] for each in ours]
        told = _told(ours[0], theirs, times, [theirs["seconds"]])
        rates = [sum(f["evaluations"]) / t for f, t in ((ours[0], median(times)),
                 (theirs, theirs["seconds"]))]  # fmt: skip
        return told | {"evaluations a second, (ours / theirs)": rates[0] / rates[1]}

    return benchmark


def balancing() -> dict:
    """Seconds per step of a crowd of champions, compiled before."""
    found = _both("pole")
    if found is None:
        return MISSING
    ours, theirs = found
    return _told(ours[0], theirs, [s for each in ours for s in each["crowd"]], theirs["crowd"])


PARITY: dict[str, Any] = {"population": 10_000, "species": 20, "generations": 200, "target": -1e-6}


def parity(network: Any, *, key: jax.Array) -> jax.Array:
    """Minus the mean squared error."""
    stimuli = jnp.stack(jnp.meshgrid(*3 * [jnp.arange(2.0)]), axis=-1).reshape(8, 3)
    return -jnp.mean((answers(network, stimuli) - jnp.sum(stimuli, axis=1) % 2) ** 2)


def tensorneat() -> dict:
    """Seconds of a generation, compiled before; both must solve it."""
    theirs = ask("tensorneat", "on_tensorneat.py", PARITY)
    if theirs is None:
        return MISSING
    genes = Neat(
        3, 1, cells=3, connections=100, nonlinearities=("steep_sigmoid",), output="steep_sigmoid"
    )
    search = NeatSearch(PARITY["population"], threshold=2.0, room=PARITY["species"], survival=0.01)
    limits = {"generations": PARITY["generations"], "target": PARITY["target"]}
    job = eqx.filter_jit(lambda key: evolve(genes, search, parity, **limits, key=key))
    found = jax.block_until_ready(job(jax.random.key(42)))
    solved = bool(found.solved), theirs["solved"]
    assert all(solved), f"solved, ours and theirs: {solved}; not the same work"
    generations = int(found.generations)
    mine = [seconds(lambda: job(jax.random.key(42))) / generations for _ in range(PROCESSES)]
    other = theirs["seconds"]
    return {
        "version": theirs["version"],
        "evaluations, ours": int(found.evaluations),
        "evaluations, theirs": theirs["evaluations"],
        "warm_seconds": {"ours": median(mine), "theirs": median(other)},
        "ratio": median(other) / median(mine),
        "ratio_range": [min(other) / max(mine), max(other) / min(mine)],
    }


if __name__ == "__main__":
    print(json.dumps(first(sys.argv[1])))
