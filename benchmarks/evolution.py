"""SNES on cart-pole against the example of evosax, and how many lives with learning a second holds.

Cart-pole: population 128, a 64-64-2 perceptron, 16 episodes of at most 200 steps in a life, 64
generations from the same spread around a random network; solved is a mean return of 195 of the
last centre in fresh episodes. NEURULA_GENERATIONS=4 NEURULA_RUNS=2 tries it in small.
"""

import os
import statistics
import subprocess
import sys
import time
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from neurula import InWorld, evolve, layered
from neurula.environments import CartPole
from neurula.evolution import live
from neurula.evolvers import SNES
from neurula.genomes import Weights

from .peers.asking import MISSING, ask
from .stopwatch import seconds

GIVEN: dict[str, Any] = {
    "population": 128,
    "widths": [64, 64, 2],
    "limit": 200,
    "episodes": 16,
    "deviation": 0.2,
    "generations": int(os.environ.get("NEURULA_GENERATIONS", "64")),
    "seeds": int(os.environ.get("NEURULA_RUNS", "5")),
    "exams": 4,  # of 16 episodes each
}
SOLVED = 195.0
FIRSTS = 3  # processes whose time to the first generation is taken
LIFE, CROWD = 500, 1000  # updates of a life, genomes of a generation


def run(generations: int, exams: int) -> Any:
    """Ours: the mean return of the last centre in `exams` times 16 episodes, of one key."""
    brain = layered([4, *GIVEN["widths"]], key=jax.random.key(99))
    genome = Weights(brain, around=True)
    snes = SNES(GIVEN["population"], GIVEN["deviation"])
    life = InWorld(CartPole(), limit=GIVEN["limit"], episodes=GIVEN["episodes"])
    exam = InWorld(CartPole(), limit=GIVEN["limit"], episodes=GIVEN["episodes"] * exams)

    def one(key: jax.Array) -> Any:
        to_run, to_exam = jax.random.split(key)
        found = evolve(
            genome, snes, life, generations=generations, common_random_numbers=True, key=to_run
        )
        if not exams:
            return jnp.nan, found.curves["mean"]
        centre = genome.develop(found.state.mean, key=to_exam)
        return exam(centre, key=to_exam).fitness, found.curves["mean"]

    return eqx.filter_jit(one)


@cache
def _peer(only_first: bool) -> dict | None:
    return ask("evosax", "on_evosax.py", GIVEN | {"only_first": only_first})


def cart_pole() -> dict:
    """Seconds of a whole run, warm, after both solved equally often."""
    theirs = _peer(False)
    if theirs is None:
        return MISSING
    ours = run(GIVEN["generations"], GIVEN["exams"])
    cold = seconds(lambda: ours(jax.random.key(1000)))
    keys = [jax.random.key(seed) for seed in range(GIVEN["seeds"])]
    returns = [float(ours(key)[0]) for key in keys]
    warm = [seconds(lambda key=key: ours(key)) for key in keys]
    solved = [sum(r >= SOLVED for r in each) for each in (returns, theirs["returns"])]
    if GIVEN["generations"] >= 64:
        assert solved[0] == solved[1], f"solved {solved} of {GIVEN['seeds']}: not the same work"
    middle = statistics.median(warm), statistics.median(theirs["seconds"])
    rate = lambda s: GIVEN["generations"] / s  # noqa: E731
    return {
        "version": theirs["version"],
        "runs solved, ours": solved[0],
        "runs solved, theirs": solved[1],
        "return at the end, ours": statistics.mean(returns),
        "return at the end, theirs": statistics.mean(theirs["returns"]),
        "generations a second, ours": rate(middle[0]),
        "generations a second, theirs": rate(middle[1]),
        "cold_seconds": {"ours": cold, "theirs": theirs["cold"]},
        "warm_seconds": {"ours": middle[0], "theirs": middle[1]},
        "ratio": middle[1] / middle[0],
        "ratio_range": [
            min(theirs["seconds"]) / max(warm),
            max(theirs["seconds"]) / min(warm),
        ],
    }


def start() -> dict:
    """Whole processes, from their start to the end of the first generation, without caches."""
    if _peer(True) is None:
        return MISSING
    plain = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}

    def own() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", __name__], check=True, env=plain)
        return time.perf_counter() - began

    ours, theirs = [], []
    for _ in range(FIRSTS):
        ours.append(own())
        _peer.cache_clear()
        theirs.append((_peer(True) or {})["process"])
    middle = statistics.median(ours), statistics.median(theirs)
    return {
        "warm_seconds": {"ours": middle[0], "theirs": middle[1]},
        "ratio": middle[1] / middle[0],
        "ratio_range": [min(theirs) / max(ours), max(theirs) / min(ours)],
    }


def lives() -> dict:
    """Digits learned by backprop in every life, genomes side by side as one program."""
    # Not at the top: whoever times a start would wait for them.
    import optax

    from neurula import OnTask
    from neurula.rules import Backprop
    from neurula.tasks import Digits

    genome = Weights(layered([64, 16, 10], key=jax.random.key(0)), scale=0.1)

    def rate(population: int, steps: int) -> float:
        life = OnTask(Digits(), Backprop(), optax.sgd(0.1), steps=steps, batch=8)
        keys = jax.random.split(jax.random.key(1), population)
        genes = jax.vmap(lambda key: genome.sample(key=key))(keys)
        one = eqx.filter_jit(lambda genes, key: live(genome, genes, life, key=key).fitness)
        told = one(genes, jax.random.key(2))
        assert bool(jnp.isfinite(told).all()), "every life has a fitness"
        return population / seconds(lambda: one(genes, jax.random.key(3)))

    crowds, lengths = (1, CROWD // 100, CROWD // 10, CROWD), (LIFE // 50, LIFE // 5, LIFE)
    return {
        **{f"lives a second, {n:,} genomes, {LIFE} updates": rate(n, LIFE) for n in crowds},
        **{f"lives a second, {CROWD:,} genomes, {n} updates": rate(CROWD, n) for n in lengths[:-1]},
    }


if __name__ == "__main__":
    jax.block_until_ready(run(1, 0)(jax.random.key(0)))
