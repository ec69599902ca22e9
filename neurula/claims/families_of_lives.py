"""Worlds drawn anew for every life, learning in many of them at once, and trying in many of them.

Movements turned: Krakauer, Pine, Ghilardi & Ghez (2000), J. Neurosci. 20:8916; machines with signs:
Langford & Zhang (2007), NeurIPS 20; the gradient: Williams (1992), Mach. Learn. 8:229.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment
from ..environments import ContextBandits, Reaching
from .lives_that_learn import Learner, blank, live

STILL, BANDITS = "no turns", "bandits"
# Logs of noise, its fading, how fast the expectation follows, and the rate: where they are sought.
LOWEST, HIGHEST = np.log([0.03, 0.001, 0.01, 0.01]), np.log([1.0, 0.3, 1.0, 3.0])
LOST = -2.0  # the score of what is no longer finite, below any other


class Family(eqx.Module):
    """Worlds of one kind, and the mean rewards of a trial that count as 0 and 1."""

    world: AbstractEnvironment
    trials: int = eqx.field(static=True)  # in a life
    chance: float = eqx.field(static=True)  # the reward for anything
    best: float = eqx.field(static=True)  # the reward of who knows all from birth

    def scores(
        self, learner: Learner, lives: Array, key: PRNGKeyArray
    ) -> Float[Array, "life trial"]:
        """How good every trial of every life was."""
        one = lambda life, luck: live(learner, self.world, self.trials, life=life, luck=luck)  # noqa: E731
        rewards = jax.vmap(one)(lives, jax.random.split(key, len(lives)))
        score = (rewards - self.chance) / (self.best - self.chance)
        return jnp.where(jnp.isfinite(score), score, LOST)

    def best_of(
        self,
        make: Callable[[Array], Learner],
        drawn: Float[Array, "candidate number"],
        known: Array,
        *,
        few: int = 16,
        finalists: int = 32,
        key: PRNGKeyArray,
    ) -> Learner:
        """The candidate that does best in all known lives, of the `finalists` best in a few."""

        def worth(drawn: Array, lives: Array) -> Float[Array, " candidate"]:
            value = lambda one: jnp.mean(self.scores(make(one), lives, key))  # noqa: E731
            return jax.lax.map(value, drawn, batch_size=finalists)

        last = drawn[jnp.argsort(-worth(drawn, known[:few]))[:finalists]]
        return make(last[jnp.argmax(worth(last, known))])


def candidates(budget: int, known: int, *, few: int = 16, finalists: int = 32) -> int:
    """How many candidates `best_of` can try in `budget` lives, a multiple of the finalists."""
    return max((budget - finalists * known) // few // finalists, 1) * finalists


FAMILIES = {
    "": Family(Reaching(), 40, -1.647, 0.0),
    STILL: Family(Reaching(largest=0.0), 40, -1.647, 0.0),
    BANDITS: Family(ContextBandits(), 100, 0.26, 0.9),
}


def pretrained(
    learner: Learner,
    world: AbstractEnvironment,
    lives: Array,
    *,
    updates: int,
    rate: Float[Array, ""] | float,
    key: PRNGKeyArray,
) -> Learner:
    """A learner by the likelihood ratio, after Adam has climbed the mean reward of all `lives`.

    Every update takes one trial of each life; the expected reward is learned too.
    """
    states, events = jax.vmap(lambda life: world.reset(key=jax.random.split(life)[0]))(lives)
    learner = eqx.tree_at(lambda x: x.rule, learner, jnp.zeros(()))
    adam = optax.adam(rate)

    def trial(learner: Learner, state: Any, seen: Array, key: PRNGKeyArray) -> tuple:
        to_act, to_world = jax.random.split(key)
        mind, done = learner.step(learner.init(key=to_act), jnp.append(seen, 0.0))
        action = jnp.argmax(done).astype(jnp.int32) if learner.discrete else done
        state, event = world.step(state, action, key=to_world)
        surprise = event.reward - learner.habits.expected
        return state, event.observation, surprise, learner.changes(mind, surprise)

    def update(carry: tuple, number: Array) -> tuple[tuple, None]:
        weights, expected, momenta, states, seen = carry
        now = eqx.tree_at(places, learner, (*weights, expected))
        keys = jax.random.split(jax.random.fold_in(key, number), len(lives))
        one = lambda state, seen, key: trial(now, state, seen, key)  # noqa: E731
        states, seen, surprise, uphill = jax.vmap(one)(states, seen, keys)
        downhill = jax.tree.map(lambda x: -jnp.mean(x, 0), uphill)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
            step, momenta = adam.update(downhill, momenta)
        weights = jax.tree.map(jnp.add, weights, step)
        return (weights, expected + 0.1 * jnp.mean(surprise), momenta, states, seen), None

    places = lambda x: (x.first, x.last, x.habits.expected)  # noqa: E731
    weights = learner.first, learner.last
    start = weights, learner.habits.expected, adam.init(weights), states, events.observation
    (weights, expected, *_), _ = jax.lax.scan(update, start, jnp.arange(updates))
    return eqx.tree_at(places, learner, (*weights, expected))


def taught(
    family: Family,
    known: Array,
    *,
    cells: int,
    size: Float[Array, ""] | float,
    rate: Float[Array, ""] | float,
    budget: int,
    key: PRNGKeyArray,
) -> tuple[Learner, int]:
    """Learning alone: trained in all known lives, and well set to learn on in others.

    A quarter of the budget (in lives) goes into training, whose number of updates is given back;
    the rest into a search for the rate, the exploration, its fading and the expectation, and for
    the share of the training that is kept: chance preferences may harm who is to learn on.
    """
    at_cells, to_train, to_draw, to_try = jax.random.split(key, 4)
    learner = blank(family.world, cells, "gradient")
    first = size * jax.random.normal(at_cells, learner.first.shape)
    born = eqx.tree_at(lambda x: x.first, learner, first)
    updates = max(budget * family.trials // 4 // len(known), 1)
    grown = pretrained(born, family.world, known, updates=updates, rate=rate, key=to_train)
    count = candidates(budget * 3 // 4, len(known))
    low, high = jnp.float32(LOWEST), jnp.float32(HIGHEST)
    drawn = jax.random.uniform(to_draw, (count, 5))  # the last number is the share that is kept

    def make(drawn: Float[Array, "5"]) -> Learner:
        kept = jax.tree.map(lambda a, b: a + drawn[4] * (b - a), weights(born), weights(grown))
        learner = eqx.tree_at(weights, grown, kept)
        return eqx.tree_at(settings, learner, tuple(low + drawn[:4] * (high - low)))

    weights = lambda x: (x.first, x.last)  # noqa: E731
    settings = lambda x: (x.habits.noise, x.habits.fade, x.habits.follow, x.rule)  # noqa: E731
    return family.best_of(make, drawn, known, key=to_try), updates
