"""Teach a block to come to something and to stay there, from states that it reached before.

The sample pool: Mordvintsev, Randazzo, Niklasson & Levin (2020), Distill 5:e23.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from .contracts import AbstractBlock
from .live import parameters
from .network import trainable

Error = Callable[[Any], Float[Array, ""]]
Damage = Callable[..., Any]  # damage(state, key=key) -> state


class Pooled(eqx.Module):
    """What `learn_from_pool` gives back: the states of the pool have a leading axis."""

    brain: Any
    pool: Any
    curve: Float[Array, " update"]  # the mean error after each life, before its update
    costs: dict[str, Float[Array, ""]]


def learn_from_pool(
    brain: AbstractBlock,
    error: Error,
    optimiser: optax.GradientTransformation,
    *,
    updates: int,
    steps: int,
    batch: int = 8,
    pool: int = 32,
    damage: Damage | None = None,
    damaged: int = 0,
    key: PRNGKeyArray,
) -> Pooled:
    """Lower `error(state)` after `steps` more steps without input, from states of a pool.

    Each update takes `batch` different states, puts the block at rest in the place of the worst of
    them and damages the `damaged` best, then lives on from there and puts back what came of it. A
    pool of 0 means that all lives begin at rest: nothing teaches the block to last. The same key
    draws the same lives, whatever the damage. Raises `ValueError` for numbers that do not fit.
    """
    _check(updates=updates, steps=steps, batch=batch, pool=pool, damaged=damaged)
    at_rest, at_life = jax.random.split(key)
    rest = jax.vmap(lambda k: brain.init(key=k))

    def update(carry, count):
        weights, momentum, states = carry
        at_pick, at_damage, *at_rests = jax.random.split(
            jax.random.fold_in(at_life, count), 2 + batch
        )
        first, picked = rest(jnp.stack(at_rests)), jnp.arange(0)
        if pool:
            picked = jax.random.choice(at_pick, pool, (batch,), replace=False)
            drawn = jax.tree.map(lambda x: x[picked], states)
            first = _prepared(drawn, first, error, damage, damaged, at_damage)
        outlive = lambda w: _outlive(eqx.combine(w, brain), first, error, steps)  # noqa: E731
        (mean, last), slope = jax.value_and_grad(outlive, has_aux=True)(weights)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
            change, momentum = optimiser.update(slope, momentum, weights)
        weights = eqx.apply_updates(weights, change)
        if pool:
            states = jax.tree.map(lambda old, new: old.at[picked].set(new), states, last)
        return (weights, momentum, states), mean

    start, states = trainable(brain), rest(jax.random.split(at_rest, max(pool, 1)))
    begin = start, optimiser.init(start), states
    (weights, _, states), curve = jax.lax.scan(update, begin, jnp.arange(updates))
    costs = {"parameters": parameters(brain), "updates": updates, "samples": updates * batch}
    costs = {name: jnp.asarray(value, jnp.float32) for name, value in costs.items()}
    return Pooled(eqx.combine(weights, brain), states, curve, costs)


def _outlive(
    brain: AbstractBlock, first: Any, error: Error, steps: int
) -> tuple[Float[Array, ""], Any]:
    """The mean error after so many steps without input, and the states then."""
    nothing = jnp.zeros(sum(brain.inputs.values()))
    step = lambda state, _: (brain.step(state, nothing)[0], None)  # noqa: E731
    last = jax.vmap(lambda state: jax.lax.scan(step, state, length=steps)[0])(first)
    return jnp.mean(jax.vmap(error)(last)), last


def _prepared(
    states: Any, fresh: Any, error: Error, damage: Damage | None, damaged: int, key: PRNGKeyArray
) -> Any:
    """States from the worst to the best: the worst at rest instead, the best damaged."""
    order = jnp.argsort(-jax.vmap(error)(states))
    states = jax.tree.map(lambda x: x[order], states)
    states = jax.tree.map(lambda x, new: x.at[0].set(new[0]), states, fresh)
    if damage is None or damaged == 0:
        return states
    hurt = jax.vmap(lambda state, k: damage(state, key=k))(
        jax.tree.map(lambda x: x[-damaged:], states), jax.random.split(key, damaged)
    )
    return jax.tree.map(lambda x, new: x.at[-damaged:].set(new), states, hurt)


def unit_length() -> optax.GradientTransformation:
    """Every array of a gradient at length 1, so that no life counts too much."""
    scaled = lambda x: x / (jnp.linalg.norm(x) + 1e-8)  # noqa: E731
    return optax.stateless(lambda slope, _: jax.tree.map(scaled, slope))


def _check(*, updates: int, steps: int, batch: int, pool: int, damaged: int) -> None:
    """Raise `ValueError` for numbers that do not fit each other."""
    if min(updates, steps, batch) < 1 or 0 < pool < batch or not 0 <= damaged < batch:
        raise ValueError(
            "Expected at least 1 update, step and state in a batch, a pool of 0 or at least a "
            f"batch, and fewer damaged than a batch, got {updates=}, {steps=}, {batch=}, {pool=}, "
            f"{damaged=}. States of a batch are different ones of the pool, one of them at rest. "
            "Write for example `batch=8, pool=32, damaged=3`."
        )
