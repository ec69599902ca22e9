"""The loops of acting: `act`, a whole life with its learning, and `evaluate`, without learning."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from .bar import Bar
from .behaviour import AbstractAgent, AbstractEnvironment, Transition
from .fitting import (
    check_agent_is_one,
    check_choice,
    check_world,
    refuse,
    state_of,
    unseen,
)

Stage = tuple[Any, Any, Array, Float[Array, ""], Int[Array, ""]]
OUTSIDE, UNSEEN = 1, 2  # what went wrong in a life, as bits of one number: loops cost by the array


class Lived(eqx.Module):
    """What `act` gives back. Curves have one value per probe; everything else one per step.

    `returns` holds the sum of rewards of an episode in the step in which it ended, NaN in others.
    `watched` is what `watch` said.
    """

    agent_state: Any
    rewards: Float[Array, " step"]
    returns: Float[Array, " step"]
    ended: Bool[Array, " step"]
    curves: dict[str, Array]
    watched: PyTree[Array]


def act(
    agent: AbstractAgent,
    environment: AbstractEnvironment,
    *,
    steps: int,
    state: Any = None,
    watch: Callable[[Any, Any, Transition], PyTree[Array]] | None = None,
    probe: Callable[[Any], dict[str, Array]] | None = None,
    probes: int = 0,
    progress: bool = False,
    key: PRNGKeyArray,
) -> Lived:
    """Let an agent live and learn for `steps` steps of an environment, episode after episode.

    Pure and one compiled program: wrap it in `eqx.filter_jit`, and in `jax.vmap` (or `many`) over
    keys for independent lives. An episode that ends is followed by a reset in the same step; the
    transition keeps the last observation. `state` continues a life. `watch(agent_state,
    world_state, transition)` is recorded after every step; `probe(agent_state)` is called `probes`
    times, evenly spaced, the last time at the end. `progress` shows a bar with the time left, if it
    takes over two seconds.

    Raises `TypeError` and `ValueError` for an environment that breaks its contract, for actions of
    a wrong shape or type, and for a `state` that the agent cannot have in this environment; and a
    run-time error for rewards that are not finite, actions outside the space, and observations
    that are NaN or numbers outside the space.
    """
    check_agent_is_one(agent)
    check_world(environment)
    check_steps(steps, probes)
    bar = Bar(type(agent).__name__, steps) if progress else None
    to_agent, to_world, to_life = jax.random.split(key, 3)
    born = state is None
    state = agent.init(environment, key=to_agent) if born else state_of(agent, environment, state)
    world, event = environment.reset(key=to_world)
    faults = UNSEEN * unseen(environment, event.observation).astype(jnp.int32)
    start = (agent.begin(state), world, event.observation, jnp.zeros(()), faults)

    def one(stage: Stage, step: tuple[Array, Array]) -> tuple[Stage, Any]:
        if bar is not None:
            bar.watch(step[0])
        return _live(agent, environment, watch, stage, step[1])

    # Drawn before the loop, side by side: one by one they would cost more than most steps.
    keys = jax.vmap(lambda step: jax.random.split(jax.random.fold_in(to_life, step), 4))
    ask = None if probe is None else lambda stage: probe(stage[0])
    stage, days, curves = _run(one, keys, start, steps, ask, probes if probe is not None else 0)
    rewards, returns, ended, watched = days
    rewards = _refuse_nan(environment, rewards)
    rewards = _refuse_faults(agent, environment, rewards, stage[4])
    return Lived(stage[0], rewards, returns, ended, curves, watched)


def _live(agent, environment, watch, stage: Stage, keys: Array) -> tuple[Stage, Any]:
    """One step: choose, see what follows, learn, and begin anew where the episode ended."""
    state, world, seen, total, faults = stage
    at_act, at_step, at_learn, at_reset = keys
    state, action = agent.act(state, seen, key=at_act)
    check_choice(agent, environment, action)
    faults |= jnp.where(environment.actions.contains(action), 0, OUTSIDE)
    world, event = environment.step(world, action, key=at_step)
    faults |= jnp.where(unseen(environment, event.observation), UNSEEN, 0)
    transition = Transition(
        seen, action, event.reward, event.observation, event.terminated, event.truncated
    )
    state = agent.learn(state, transition, key=at_learn)
    watched = None if watch is None else watch(state, world, transition)
    ended, total = transition.ended, total + event.reward
    state = _either(ended, agent.begin(state), state)
    world, seen = _begun(environment, ended, world, event.observation, at_reset)
    day = event.reward, jnp.where(ended, total, jnp.nan), ended, watched
    return (state, world, seen, jnp.where(ended, 0.0, total), faults), day


def _begun(environment, ended, world, seen: Array, key: Array) -> tuple[Any, Array]:
    """The first moment of an episode if one has ended; a single life makes it only then."""

    def anew() -> Any:
        world, first = environment.reset(key=key)
        return eqx.filter((world, first.observation), eqx.is_array)

    arrays, rest = eqx.partition((world, seen), eqx.is_array)
    return eqx.combine(jax.lax.cond(ended, anew, lambda: arrays), rest)


def evaluate(
    agent: AbstractAgent,
    environment: AbstractEnvironment,
    state: Any,
    *,
    episodes: int = 100,
    limit: int = 10_000,
    explore: bool = False,
    key: PRNGKeyArray,
) -> Float[Array, " episode"]:
    """The sums of rewards of whole episodes, side by side, without learning.

    An episode that has not ended after `limit` steps counts as it stands. Raises as `act` does.
    """
    check_agent_is_one(agent)
    check_world(environment)
    state = state_of(agent, environment, state)
    if episodes < 1 or limit < 1:
        raise ValueError(
            f"An exam has at least one episode of at least one step, got {episodes=}, {limit=}: "
            "there would be no mean. Leave them out for 100 episodes of at most 10,000 steps."
        )

    def episode(key: Array) -> Float[Array, ""]:
        to_reset, to_life = jax.random.split(key)
        world, event = environment.reset(key=to_reset)
        arrays, rest = eqx.partition(agent.begin(state), eqx.is_array)

        def going(carry):
            return ~carry[3] & (carry[5] < limit)

        def one(carry):
            arrays, world, seen, _, total, step = carry
            at_act, at_step = jax.random.split(jax.random.fold_in(to_life, step))
            mind = eqx.combine(arrays, rest)
            mind, action = agent.act(mind, seen, explore=explore, key=at_act)
            check_choice(agent, environment, action)
            world, event = environment.step(world, action, key=at_step)
            ended, total = event.terminated | event.truncated, total + event.reward
            arrays = eqx.filter(mind, eqx.is_array)
            return arrays, world, event.observation, ended, total, step + 1

        no, none = jnp.zeros((), bool), jnp.zeros((), jnp.int32)
        carry = (arrays, world, event.observation, no, jnp.zeros(()), none)
        return jax.lax.while_loop(going, one, carry)[4]

    return _refuse_nan(environment, jax.vmap(episode)(jax.random.split(key, episodes)))


def _run(one, keys, start, steps: int, probe, probes: int) -> tuple[Any, Any, dict[str, Array]]:
    """Scan over all steps, stopping to probe; what is not an array stays outside the loop."""
    arrays, rest = eqx.partition(start, eqx.is_array)

    def inner(arrays, step):
        stage, day = one(eqx.combine(arrays, rest), step)
        return eqx.filter(stage, eqx.is_array), day

    def through(arrays, numbers):
        return jax.lax.scan(inner, arrays, (numbers, keys(numbers)))

    def stretch(arrays, begin):
        arrays, days = through(arrays, begin + jnp.arange(steps // probes))
        return arrays, (days, probe(eqx.combine(arrays, rest)))

    if probes == 0:
        arrays, days = through(arrays, jnp.arange(steps))
        return eqx.combine(arrays, rest), days, {}
    left = steps % probes  # these come first, so that the last probe is at the end
    arrays, before = through(arrays, jnp.arange(left))
    begins = left + jnp.arange(probes) * (steps // probes)
    arrays, (days, curves) = jax.lax.scan(stretch, arrays, begins)
    flat = lambda a, b: jnp.concatenate([a, b.reshape(-1, *b.shape[2:])])  # noqa: E731
    return eqx.combine(arrays, rest), jax.tree.map(flat, before, days), curves


def _either(which: Bool[Array, ""], yes: PyTree, no: PyTree) -> PyTree:
    """All arrays of `yes` or all of `no`; a leaf that is the same in both is not copied."""
    pick = lambda a, b: b if a is b or not eqx.is_array(a) else jnp.where(which, a, b)  # noqa: E731
    return jax.tree.map(pick, yes, no)


def check_steps(steps: int, probes: int) -> None:
    """Raises `ValueError` for lives without steps, and for more probes than steps."""
    if steps < 1 or probes < 0 or probes > steps:
        raise ValueError(
            f"A life has at least one step and at most one probe a step, got {steps=}, {probes=}: "
            "there would be nothing to look at. Write for example steps=1000, probes=10."
        )


def _refuse_nan(environment: AbstractEnvironment, rewards: Array) -> Array:
    return refuse(
        rewards,
        ~jnp.all(jnp.isfinite(rewards)),
        f"{type(environment).__name__} gave a reward that is not finite: nothing can be learned "
        "from it. Look for a division by zero or a logarithm of zero in its `step`.",
    )


def _refuse_faults(agent, environment, rewards: Array, faults: Int[Array, ""]) -> Array:
    rewards = refuse(
        rewards,
        (faults & OUTSIDE) > 0,
        f"{type(agent).__name__} chose an action outside {environment.actions}: what the world "
        "did with it means nothing. Clip or round actions in the agent's `act`.",
    )
    return refuse(
        rewards,
        (faults & UNSEEN) > 0,
        f"{type(environment).__name__} showed NaN, or a number outside {environment.observations}: "
        "agents would learn from nothing, or about another state. Look for a division by zero or "
        "a count that runs too far in its `step`.",
    )
