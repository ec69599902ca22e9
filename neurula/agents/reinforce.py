"""Make likelier whatever was done before more reward than usual came.

Williams (1992), Mach. Learn. 8:229 (REINFORCE, episodic, with reinforcement comparison).
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ..behaviour import AbstractEnvironment, Space, Transition
from ..contracts import AbstractBlock
from ..network import trainable
from .brains import Perceptron, answer, born, check_parts, descend, require_discrete
from .softmax_actor import AbstractSoftmaxActor


class Episode(eqx.Module):
    """What is known of an episode so far, in the structure of the trainable weights."""

    eligibility: PyTree  # e, the discounted sum of grad log pi
    plain: PyTree  # the sum of grad log pi
    climbed: PyTree  # the sum of r e
    age: Float[Array, ""]  # the discounted number of steps
    gains: Float[Array, ""]  # the sum of returns, one of every step
    steps: Float[Array, ""]


class ReinforceState(eqx.Module):
    """The actor, its optimiser, the baseline, and the episode."""

    actor: AbstractBlock
    memory: Any
    baseline: Float[Array, ""]
    episode: Episode
    actions: Space
    observations: Space


class Reinforce(AbstractSoftmaxActor[ReinforceState]):
    """Follows the gradient of expected return by chance alone: the likelihood ratio.

    Equations, at the end of an episode with returns R_t = r_t + g r_{t+1} + ...:
        actor: ascends sum_t (R_t - b) grad log pi(a_t|s_t)
        baseline: b += baseline_rate (mean_t R_t - b)
    kept as running sums, so that episodes may be of any length: with the eligibility
    e_t = g e_{t-1} + grad log pi(a_t|s_t), sum_t R_t grad log pi_t = sum_t r_t e_t. Actions are
    drawn from the softmax pi of what the actor says; without `explore` the likeliest is taken.
    Where somebody stopped the clock (`truncated`), what would have followed counts as nothing.

    `brain(inputs, outputs, key)` makes the actor. Raises `ValueError` for actions that are not
    discrete and brains that do not fit.
    """

    brain: Callable[[int, int, PRNGKeyArray], AbstractBlock] = Perceptron((64,), "tanh")
    optimiser: optax.GradientTransformation = eqx.field(
        static=True, default_factory=lambda: optax.adam(1e-2)
    )
    discount: float | Float[Array, ""] = 0.99  # g, per step
    baseline_rate: float | Float[Array, ""] = 0.1  # how fast the baseline follows, per episode

    def __check_init__(self):
        check_parts(self)

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> ReinforceState:
        inputs, actions = require_discrete(self, environment)
        actor = born(self, self.brain(inputs, actions.size, key), inputs, actions.size)
        spaces = actions, environment.observations
        memory = self.optimiser.init(trainable(actor))
        return ReinforceState(actor, memory, jnp.zeros(()), _nothing(actor), *spaces)

    def learn(
        self, state: ReinforceState, transition: Transition, *, key: PRNGKeyArray
    ) -> ReinforceState:
        seen, before = state.observations.features(transition.observation), state.episode

        def chance(weights: Any) -> Float[Array, ""]:
            says = answer(eqx.combine(weights, state.actor), seen)
            return jax.nn.log_softmax(says)[transition.action]

        slope = jax.grad(chance)(trainable(state.actor))
        reward, age = transition.reward, self.discount * before.age + 1.0
        trace = _add(before.eligibility, slope, self.discount)
        episode = Episode(
            trace,
            _add(before.plain, slope),
            jax.tree.map(lambda g, e: g + reward * e, before.climbed, trace),
            age,
            before.gains + reward * age,
            before.steps + 1.0,
        )
        start, rest = eqx.partition(
            (state.actor, state.memory, state.baseline, episode), eqx.is_array
        )

        def end(arrays: Any) -> Any:
            after = self._end(*eqx.combine(arrays, rest))
            return eqx.filter(after, eqx.is_array)

        arrays = jax.lax.cond(transition.ended, end, lambda arrays: arrays, start)
        return ReinforceState(*eqx.combine(arrays, rest), state.actions, state.observations)

    def _end(
        self, actor: Any, memory: Any, baseline: Array, episode: Episode
    ) -> tuple[Any, Any, Array, Episode]:
        """Learn from a whole episode, and begin the next."""
        regret = jax.tree.map(lambda g, s: baseline * s - g, episode.climbed, episode.plain)
        actor, memory = descend(actor, regret, self.optimiser, memory)
        usual = baseline + self.baseline_rate * (episode.gains / episode.steps - baseline)
        return actor, memory, usual, _nothing(actor)


def _add(total: PyTree, new: PyTree, keep: float | Array = 1.0) -> PyTree:
    return jax.tree.map(lambda t, n: keep * t + n, total, new)


def _nothing(actor: AbstractBlock) -> Episode:
    """An episode in which nothing has happened."""
    empty, none = jax.tree.map(jnp.zeros_like, trainable(actor)), jnp.zeros(())
    return Episode(empty, empty, empty, none, none, none)
