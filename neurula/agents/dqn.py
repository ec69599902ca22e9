"""Q-learning with a network, a memory that replays, and a slower copy of the network.

Mnih et al. (2015), Nature 518:529. Double: van Hasselt (2010), NeurIPS 23:2613, and van Hasselt,
Guez & Silver (2016), AAAI 30:2094. Returns of several steps: Sutton (1988), Mach. Learn. 3:9.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Discrete, Space, Transition, blank
from ..contracts import AbstractBlock
from ..memories import Replay
from ..memories.replay import Remembered
from ..network import trainable
from .brains import Perceptron, answer, born, check_parts, descend, require_discrete


class Student(eqx.Module):
    """What changes with every update."""

    brain: AbstractBlock
    other: AbstractBlock  # the slower copy, or the twin
    optimiser: Any
    updates: Int[Array, ""]


class DQNState(eqx.Module):
    """Who has learned what, what is remembered, and the steps lived."""

    student: Student
    memory: Remembered
    steps: Int[Array, ""]
    actions: Discrete
    observations: Space


class DQN(AbstractAgent[DQNState]):
    """Makes the error between Q(s, a) and what followed small.

    Equations:
        error = r_1 + g r_2 + ... + g^(n-1) r_n + g^n V(s_n) - Q(s, a)
        V(s) = T(s, argmax_a' T(s, a')), or 0 where s is terminal
        double: V(s) = T(s, argmax_a' Q(s, a'))
    T is a copy of Q, renewed every `target` updates. With `target=None` it is Q itself, or, when
    double, a twin: each update a coin says which of the two learns, and actions follow their mean.

    The future of a truncated episode keeps its worth. A return over `horizon` steps is cut at the
    end of its episode and at the present. Actions are greedy but for a share of random ones, which
    falls linearly from `start` to `end` within `exploring` steps.

    `brain(inputs, outputs, key)` makes a block; its answer to one input, at rest, is Q of all
    actions. Raises `ValueError` for actions that are not discrete and brains that do not fit.
    """

    brain: Callable[[int, int, PRNGKeyArray], AbstractBlock] = Perceptron((64, 64))
    optimiser: optax.GradientTransformation = eqx.field(
        static=True, default_factory=lambda: optax.adam(1e-3)
    )
    memory: Replay = Replay(10_000)
    batch: int = eqx.field(static=True, default=32)  # transitions in an update
    every: int = eqx.field(static=True, default=1)  # steps between bouts of learning
    updates: int = eqx.field(static=True, default=1)  # in a bout
    learning_starts: int = eqx.field(static=True, default=200)  # steps
    target: int | None = eqx.field(static=True, default=200)  # updates
    double: bool = eqx.field(static=True, default=False)
    horizon: int = eqx.field(static=True, default=1)  # steps of a return, n
    discount: float | Float[Array, ""] = 0.99  # g, per step
    start: float = 1.0  # share of random actions
    end: float = 0.05
    exploring: int = 5_000  # steps
    huber: float | None = 1.0  # errors beyond it count linearly; None: all are squared

    def __check_init__(self):
        check_parts(self)
        if not isinstance(self.memory, Replay):
            raise TypeError(
                f"DQN remembers in a Replay, got {self.memory!r}. Write DQN(memory=Replay(10_000))."
            )
        for name in ("start", "end"):
            if isinstance(found := getattr(self, name), float | int) and not 0 <= found <= 1:
                raise ValueError(
                    f"The share of random actions is from 0 to 1, got {name}={found}. Leave it "
                    "out, or use for example DQN(start=1.0, end=0.05)."
                )
        for name in ("batch", "every", "updates", "horizon", "target", "exploring"):
            if (found := getattr(self, name)) is not None and found < 1:
                raise ValueError(
                    f"DQN counts {name} from 1, got {found}: it would never learn, or never begin "
                    f"to. Write DQN({name}=1) or more."
                )

    @property
    def replay_ratio(self) -> float:
        """Updates per step of the environment."""
        return self.updates / self.every

    @property
    def twins(self) -> bool:
        """Whether two networks learn."""
        return self.double and self.target is None

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> DQNState:
        inputs, actions = require_discrete(self, environment)
        at_brain, at_twin = jax.random.split(key)
        size = actions.size
        make = lambda k: born(self, self.brain(inputs, size, k), inputs, size)  # noqa: E731
        brain = make(at_brain)
        other = make(at_twin) if self.twins else brain
        momentum = self.optimiser.init(trainable(brain))
        none = jnp.zeros((), jnp.int32)
        student = Student(brain, other, (momentum, momentum) if self.twins else momentum, none)
        memory = self.memory.init(blank(environment))
        return DQNState(student, memory, none, actions, environment.observations)

    def values(self, state: DQNState, observation: Array) -> Float[Array, " action"]:
        """Q of every action; the mean of twins."""
        seen, student = state.observations.features(observation), state.student
        if self.twins:
            return (answer(student.brain, seen) + answer(student.other, seen)) / 2
        return answer(student.brain, seen)

    def share_random(self, steps: Int[Array, ""]) -> Float[Array, ""]:
        """The share of random actions after so many steps."""
        done = jnp.minimum(steps.astype(jnp.float32) / self.exploring, 1.0)
        return self.start + (self.end - self.start) * done

    def act(
        self, state: DQNState, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[DQNState, Array]:
        best = jnp.argmax(self.values(state, observation)).astype(jnp.int32)
        if not explore:
            return state, best
        # One random number says whether, and where it falls among those that say so, what.
        luck = jax.random.uniform(key) / jnp.maximum(self.share_random(state.steps), 1e-6)
        size = state.actions.size
        random = jnp.minimum((luck * size).astype(jnp.int32), size - 1)
        return state, jnp.where(luck < 1, random, best)

    def learn(self, state: DQNState, transition: Transition, *, key: PRNGKeyArray) -> DQNState:
        memory, steps = self.memory.add(state.memory, transition), state.steps + 1
        start, rest = eqx.partition((state.student, memory.kept), eqx.is_array)

        def one(i: Array, arrays: Any) -> Any:
            student, kept = eqx.combine(arrays, rest)
            now = Remembered(memory.items, memory.count, kept)
            after = self._study(state, student, now, key=jax.random.fold_in(key, i))
            return eqx.filter(after, eqx.is_array)

        due = (steps >= self.learning_starts) & (steps % self.every == 0)
        bout = jnp.where(due, self.updates, 0)  # a loop, because a branch would copy priorities
        arrays = jax.lax.fori_loop(0, bout, one, start)
        student, kept = eqx.combine(arrays, rest)
        memory = Remembered(memory.items, memory.count, kept)
        return DQNState(student, memory, steps, state.actions, state.observations)

    def _study(
        self, state: DQNState, student: Student, memory: Remembered, *, key: PRNGKeyArray
    ) -> tuple[Student, Any]:
        """One update, and what the sampler keeps after it."""
        memory, drawn = self.memory.sample(memory, self.batch, key=key)
        steps, there = self.memory.follow(memory, drawn.numbers, self.horizon)
        see = jax.vmap(state.observations.features)
        brain, other, momentum = student.brain, student.other, student.optimiser
        coin = jax.random.bernoulli(jax.random.fold_in(key, 0)) if self.twins else None
        if coin is not None:
            brain, other = swapped(coin, brain, other)
            momentum, resting = swapped(coin, *momentum)
        seen, action = see(steps.observation[:, 0]), steps.action[:, 0]
        goal = self._goal(brain, other, see, steps, there)

        def cost(weights: Any) -> tuple[Float[Array, ""], Float[Array, " batch"]]:
            all_values = jax.vmap(lambda x: answer(eqx.combine(weights, brain), x))(seen)
            errors = goal - jnp.take_along_axis(all_values, action[:, None], 1)[:, 0]
            return jnp.mean(drawn.weights * self._price(errors)), errors

        gradient, errors = jax.grad(cost, has_aux=True)(trainable(brain))
        brain, momentum = descend(brain, gradient, self.optimiser, momentum)
        updates = student.updates + 1
        if coin is not None:
            brain, other = swapped(coin, brain, other)
            momentum = swapped(coin, momentum, resting)
        elif self.target is not None:
            other = swapped(updates % self.target == 0, other, brain)[0]
        kept = self.memory.judge(memory, drawn.numbers, errors).kept
        return Student(brain, other, momentum, updates), kept

    def _goal(
        self,
        brain: AbstractBlock,
        other: AbstractBlock,
        see: Callable[[Array], Array],
        steps: Transition,
        there: Bool[Array, "batch step"],
    ) -> Float[Array, " batch"]:
        """The return over `horizon` steps, with the worth of where they lead."""
        fades = self.discount ** jnp.arange(self.horizon, dtype=jnp.float32)
        gains = jnp.sum(jnp.where(there, steps.reward * fades[None, :], 0.0), 1)
        last = jnp.maximum(jnp.sum(there.astype(jnp.int32), 1) - 1, 0)
        end = jax.tree.map(lambda x: jax.vmap(lambda row, i: row[i])(x, last), steps)
        copy = brain if self.target is None and not self.double else other
        worth = jax.vmap(lambda x: answer(copy, x))(see(end.next_observation))
        judge = brain if self.double else copy
        liked = jax.vmap(lambda x: answer(judge, x))(see(end.next_observation)).argmax(1)
        future = jnp.take_along_axis(worth, liked[:, None], 1)[:, 0]
        future = jnp.where(end.terminated, 0.0, future)
        return gains + self.discount ** (last + 1).astype(jnp.float32) * future

    def _price(self, errors: Float[Array, " batch"]) -> Float[Array, " batch"]:
        if self.huber is None:
            return errors**2 / 2
        return optax.huber_loss(errors, delta=self.huber)


def swapped(coin: Bool[Array, ""], one: Any, other: Any) -> tuple[Any, Any]:
    """Both, the other way round if the coin says so."""
    pick = lambda a, b: jnp.where(coin, b, a) if eqx.is_array(a) else a  # noqa: E731
    return jax.tree.map(pick, one, other), jax.tree.map(pick, other, one)
