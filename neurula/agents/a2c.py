"""An actor that is corrected by a critic, every few steps, from what it has just done.

Mnih et al. (2016), ICML 48:1928, with one stream of experience and without asynchrony.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Space, Transition, blank
from ..contracts import AbstractBlock
from ..memories import Replay
from ..memories.replay import Remembered
from ..network import trainable
from .brains import Perceptron, answer, born, check_parts, descend, require_discrete
from .softmax_actor import AbstractSoftmaxActor


class A2CState(eqx.Module):
    """Actor and critic, their optimisers, and the steps since the last update."""

    actor: AbstractBlock
    critic: AbstractBlock
    optimisers: tuple[Any, Any]
    rollout: Remembered
    actions: Space
    observations: Space


class A2C(AbstractSoftmaxActor[A2CState]):
    """Makes actions likelier that led to more than was expected.

    Equations, every `horizon` steps and for each of them:
        R = r_1 + g r_2 + ... + g^(n-1) r_n + g^n V(s_n) up to the end of these steps or the episode
        actor: ascends mean[log pi(a|s) (R - V(s)) + entropy H(pi(.|s))]
        critic: descends mean[(R - V(s))^2 / 2]
    with V(s_n) = 0 where s_n is terminal. Actions are drawn from the softmax pi of what the actor
    says, without `explore` the likeliest is taken. Actor and critic are two networks, each with its
    own memory of the optimiser.

    `brain(inputs, outputs, key)` makes both networks. Raises `ValueError` for actions that are not
    discrete and brains that do not fit.
    """

    brain: Callable[[int, int, PRNGKeyArray], AbstractBlock] = Perceptron((64, 64), "tanh")
    optimiser: optax.GradientTransformation = eqx.field(
        static=True, default_factory=lambda: optax.adam(1e-3)
    )
    horizon: int = eqx.field(static=True, default=8)  # steps between updates
    discount: float | Float[Array, ""] = 0.99  # g, per step
    entropy: float | Float[Array, ""] = 0.01  # weight of the entropy, in rewards per nat

    def __check_init__(self):
        check_parts(self)
        if self.horizon < 1:
            raise ValueError(
                f"A2C learns every `horizon` steps, from 1, got {self.horizon}. Write A2C(horizon="
                "8), or 1 to learn after each."
            )

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> A2CState:
        inputs, actions = require_discrete(self, environment)
        at_actor, at_critic = jax.random.split(key)
        size = actions.size
        actor = born(self, self.brain(inputs, size, at_actor), inputs, size)
        critic = born(self, self.brain(inputs, 1, at_critic), inputs, 1)
        momenta = self.optimiser.init(trainable(actor)), self.optimiser.init(trainable(critic))
        rollout = Replay(self.horizon).init(blank(environment))
        spaces = actions, environment.observations
        return A2CState(actor, critic, momenta, rollout, *spaces)

    def learn(self, state: A2CState, transition: Transition, *, key: PRNGKeyArray) -> A2CState:
        rollout = Replay(self.horizon).add(state.rollout, transition)
        start, rest = eqx.partition((state.actor, state.critic, state.optimisers), eqx.is_array)

        def update(arrays: Any) -> Any:
            actor, critic, momenta = eqx.combine(arrays, rest)
            after = self._update(state, rollout.items, actor, critic, momenta)
            return eqx.filter(after, eqx.is_array)

        due = rollout.count % self.horizon == 0  # then the places lie in the order of time
        arrays = jax.lax.cond(due, update, lambda arrays: arrays, start)
        actor, critic, momenta = eqx.combine(arrays, rest)
        return A2CState(actor, critic, momenta, rollout, state.actions, state.observations)

    def _update(
        self, state: A2CState, lived: Transition, actor: Any, critic: Any, momenta: tuple[Any, Any]
    ) -> tuple[Any, Any, tuple[Any, Any]]:
        see = jax.vmap(state.observations.features)
        seen, after = see(lived.observation), see(lived.next_observation)
        ahead = jax.vmap(lambda x: answer(critic, x))(after)[:, 0]
        gains = returns(lived, ahead, self.discount)
        advantage = gains - jax.vmap(lambda x: answer(critic, x))(seen)[:, 0]

        def regret(weights: Any) -> Float[Array, ""]:
            says = jax.vmap(lambda x: answer(eqx.combine(weights, actor), x))(seen)
            logs = jax.nn.log_softmax(says)
            chosen = jnp.take_along_axis(logs, lived.action[:, None], 1)[:, 0]
            entropy = -jnp.sum(jnp.exp(logs) * logs, 1)
            return -jnp.mean(chosen * advantage + self.entropy * entropy)

        def error(weights: Any) -> Float[Array, ""]:
            expected = jax.vmap(lambda x: answer(eqx.combine(weights, critic), x))(seen)[:, 0]
            return jnp.mean((gains - expected) ** 2) / 2

        to_actor, to_critic = jax.grad(regret)(trainable(actor)), jax.grad(error)(trainable(critic))
        actor, first = descend(actor, to_actor, self.optimiser, momenta[0])
        critic, second = descend(critic, to_critic, self.optimiser, momenta[1])
        return actor, critic, (first, second)


def returns(
    lived: Transition, ahead: Float[Array, " step"], discount: float | Float[Array, ""]
) -> Float[Array, " step"]:
    """What followed each step, to the end of the episode or of the steps, where `ahead` counts.

    `ahead` is the worth of the next observation of every step.
    """

    def back(later: Array, step: tuple[Array, ...]) -> tuple[Array, Array]:
        reward, worth, ended = step
        gain = reward + discount * jnp.where(ended, worth, later)
        return gain, gain

    worth = jnp.where(lived.terminated, 0.0, ahead)
    steps = lived.reward, worth, lived.ended
    return jax.lax.scan(back, worth[-1], steps, reverse=True)[1]
