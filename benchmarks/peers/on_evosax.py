"""SNES of evosax on gymnax's cart-pole: seconds of evolving, and how well it ends.

    python on_evosax.py given.json result.json

pip install evosax==0.3.2 gymnax==1.0.1 six jax==0.10.1
"""

import time

BEGAN = time.time()

import json  # noqa: E402
import sys  # noqa: E402
from importlib.metadata import version  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from evosax.algorithms import SNES  # noqa: E402
from evosax.problems import GymnaxProblem  # noqa: E402
from evosax.problems.networks import MLP, categorical_output_fn  # noqa: E402


def made(given: dict, key: jax.Array):
    """Their example: a policy that draws its actions, from observations that are normalised."""
    policy = MLP(layer_sizes=tuple(given["widths"]), output_fn=categorical_output_fn)
    world = GymnaxProblem(
        "CartPole-v1", policy, episode_length=given["limit"], num_rollouts=given["episodes"]
    )
    solution = policy.init(key, jnp.zeros(4), key)
    strategy = SNES(population_size=given["population"], solution=solution)
    settings = strategy.default_params.replace(std_init=jnp.asarray(given["deviation"]))
    return world, strategy, settings, solution


def evolve(given: dict, generations: int):
    """All generations as one program: the mean return of the last centre in fresh episodes."""
    world, strategy, settings, solution = made(given, jax.random.key(99))

    def generation(carry, key):
        state, seen = carry
        to_ask, to_live, to_tell = jax.random.split(key, 3)
        population, state = strategy.ask(to_ask, state, settings)
        returns, seen, _ = world.eval(to_live, population, seen)
        state, _ = strategy.tell(to_tell, population, -returns, state, settings)
        return (state, seen), jnp.mean(returns)

    def run(key):
        to_init, to_world, to_run, to_exam = jax.random.split(key, 4)
        start = strategy.init(to_init, solution, settings), world.init(to_world)
        (state, seen), curve = jax.lax.scan(
            generation, start, jax.random.split(to_run, generations)
        )
        centre = jax.tree.map(lambda x: x[None], strategy.get_mean(state))
        if not given["exams"]:
            return jnp.nan, curve
        returns = [
            world.eval(k, centre, seen)[0][0] for k in jax.random.split(to_exam, given["exams"])
        ]
        return jnp.mean(jnp.stack(returns)), curve

    return jax.jit(run)


def main() -> None:
    """Time from the start of the process to the first generation, or all runs."""
    with open(sys.argv[1]) as file:
        given = json.load(file)
    if given["only_first"]:
        jax.block_until_ready(evolve(given | {"exams": 0}, 1)(jax.random.key(0)))
        found = {"first": time.time() - BEGAN}
    else:
        run = evolve(given, given["generations"])
        began = time.perf_counter()
        jax.block_until_ready(run(jax.random.key(1000)))
        found = {"cold": time.perf_counter() - began, "seconds": [], "returns": []}
        for seed in range(given["seeds"]):
            began = time.perf_counter()
            end, _ = jax.block_until_ready(run(jax.random.key(seed)))
            found["seconds"].append(time.perf_counter() - began)
            found["returns"].append(float(end))
    with open(sys.argv[2], "w") as file:
        json.dump(found | {"version": version("evosax")}, file)


if __name__ == "__main__":
    main()
