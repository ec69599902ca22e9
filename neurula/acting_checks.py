"""What every environment and agent promises, as checks for parts of one's own.

    from neurula.testing import check_agent, check_environment
    check_environment(MyMaze())

Each raises `AssertionError` or `ValueError` with the broken promise.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .agents import Random
from .behaviour import AbstractAgent, AbstractEnvironment
from .fitting import check_world
from .lifetime import act, evaluate

STEPS = 64


def check_environment(environment: AbstractEnvironment) -> None:
    """Shapes and types are kept, what is seen lies in its space, keys decide all that is chance."""
    check_world(environment)
    seen = lambda state, world, t: (t.observation, t.next_observation, t.action)  # noqa: E731
    live = lambda key: act(Random(), environment, steps=STEPS, watch=seen, key=key)  # noqa: E731
    keys = jax.random.split(jax.random.key(0), 3)
    lives = eqx.filter_jit(jax.vmap(live))(keys[jnp.array([0, 1, 0])])
    space = environment.observations
    inside = jax.vmap(jax.vmap(space.contains))
    for what in lives.watched[:2]:
        strange = np.argwhere(~np.asarray(inside(what)))
        assert not len(strange), (
            f"{np.asarray(what)[tuple(strange[0])]} is seen in step {strange[0][1]}, outside "
            f"{space}: agents are built for that space. Widen it, or mend `step`"
        )
    for x in jax.tree.leaves((lives.rewards, lives.watched)):
        assert _equal(x[0], x[2]), "the same key gives the same life"
    _, event = environment.reset(key=keys[0])
    assert not bool(event.terminated | event.truncated), "nothing has ended at a reset"
    assert float(event.reward) == 0, f"a reset rewards with 0, got {float(event.reward)}"
    first = np.asarray(space.features(event.observation))
    assert np.isfinite(first).all(), "the first observation is finite"


def check_agent(agent: AbstractAgent, environment: AbstractEnvironment) -> None:
    """Lives and learns in compiled, mapped, independent lives, and can be examined."""
    key = jax.random.key(0)
    live = lambda k: act(agent, environment, steps=STEPS, key=k)  # noqa: E731
    lives = eqx.filter_jit(jax.vmap(live))(jax.random.split(key, 3))
    assert np.isfinite(lives.rewards).all(), "rewards stay finite"
    alone = eqx.filter_jit(live)(jax.random.split(key, 3)[1])
    same = np.allclose(lives.rewards[1], alone.rewards, atol=1e-4)
    assert same, "a life does not depend on those beside it"
    for leaf in jax.tree.leaves(eqx.filter(alone.agent_state, eqx.is_inexact_array)):
        assert not np.isnan(np.asarray(leaf)).any(), "the state of the agent holds no NaN"
    state = alone.agent_state
    look = lambda k: evaluate(agent, environment, state, episodes=2, limit=20, key=k)  # noqa: E731
    assert np.isfinite(eqx.filter_jit(look)(key)).all(), "it can be examined without learning"


def _equal(a: Array, b: Array) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=False)
