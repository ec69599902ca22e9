"""Whole lives as fitness functions for `evolve`: in a world, or on a task, with learning or not.

evolve(genome, evolver, InWorld(CartPole(), limit=500), generations=50, key=key)
"""

from collections.abc import Callable
from typing import Any, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from .agents import Controller
from .allowed import require_between
from .behaviour import AbstractEnvironment
from .contracts import AbstractBlock, AbstractRule, AbstractTask, Split
from .heredity import Life, as_life
from .live import check_sizes, examine, learn
from .network import Network, trainable
from .reaching import reaches


class InWorld(eqx.Module):
    """The mean return of `episodes` of a world, acted by the block that developed.

    An episode ends by itself or after `limit` steps. `updates` steps of the block pass in every
    step of the world. Nothing is refused: a reward that is NaN makes a fitness that ranks last.
    `behaviour(world)` describes a life by the state of the world at its end, in a few numbers, for
    a search for novelty; the life tells the mean over episodes.
    """

    environment: AbstractEnvironment
    limit: int = eqx.field(static=True, default=500)  # steps
    episodes: int = eqx.field(static=True, default=1)
    updates: int = eqx.field(static=True, default=1)
    behaviour: Callable[[Any], Float[Array, " feature"]] | None = eqx.field(
        static=True, default=None
    )

    def __check_init__(self):
        require_between(self, "limit episodes updates", 1.0)

    def __call__(self, developed: AbstractBlock, *, key: PRNGKeyArray) -> Life:
        require_block(developed, AbstractBlock)
        world = self.environment
        agent = Controller(developed, world.actions, world.observations, self.updates)
        one = lambda key: self._episode(agent, key)  # noqa: E731
        totals, steps, told = jax.vmap(one)(jax.random.split(key, self.episodes))
        told = None if told is None else jnp.mean(told, axis=0)
        return Life(jnp.mean(totals), steps=jnp.sum(steps), behaviour=told)

    def _episode(self, agent: Controller, key: PRNGKeyArray) -> tuple[Array, Array, Any]:
        at_reset, at_life = jax.random.split(key)
        world, event = self.environment.reset(key=at_reset)
        mind = agent.begin(None)
        arrays, rest = eqx.partition((mind, world), eqx.is_array)

        def going(carry: tuple) -> Array:
            return ~carry[2] & (carry[4] < self.limit)

        def one(carry: tuple) -> tuple:
            arrays, seen, _, total, step = carry
            mind, world = eqx.combine(arrays, rest)
            luck = jax.random.fold_in(at_life, step)
            mind, action = agent.act(mind, seen, key=luck)
            world, event = self.environment.step(world, action, key=luck)
            ended = event.terminated | event.truncated
            arrays = eqx.filter((mind, world), eqx.is_array)
            return arrays, event.observation, ended, total + event.reward, step + 1

        start = (arrays, event.observation, jnp.zeros((), bool), jnp.zeros(()), jnp.zeros((), int))
        end = jax.lax.while_loop(going, one, start)
        _, world = eqx.combine(end[0], rest)
        told = None if self.behaviour is None else self.behaviour(world)
        return end[3], end[4].astype(jnp.float32), told


class OnTask(eqx.Module):
    """The score on a task after `steps` updates by a rule; with 0 steps, as it was born.

    Learning that diverges, until weights are not finite, is a broken life: its score is NaN.

    `split` is what counts: "tune" for fitness, "test" for what is reported.
    """

    task: AbstractTask
    rule: AbstractRule | None = None
    optimiser: optax.GradientTransformation | None = eqx.field(static=True, default=None)
    steps: int = eqx.field(static=True, default=0)
    batch: int = eqx.field(static=True, default=32)
    split: Split = eqx.field(static=True, default="tune")

    def __check_init__(self):
        require_between(self, "steps", 0.0)
        require_between(self, "batch", 1.0)
        if self.split not in get_args(Split):
            raise ValueError(
                f"The splits of a task are {get_args(Split)}, but got split={self.split!r}, of "
                'which there are no examples. Use "tune" for fitness, "test" for what is told.'
            )
        if self.steps and (self.rule is None or self.optimiser is None):
            raise ValueError(
                f"A life of {self.steps} updates needs a rule and an optimiser, but got "
                f"rule={self.rule}, optimiser={self.optimiser}. Use for example `OnTask(task, "
                "Backprop(), optax.adam(1e-2), steps=100)`."
            )

    def __call__(self, developed: AbstractBlock, *, key: PRNGKeyArray) -> Life:
        require_block(developed, AbstractBlock)
        check_sizes(developed, self.task)
        to_learn, to_exam = jax.random.split(key)
        brain: Any = developed
        if self.rule is not None and self.optimiser is not None and self.steps:
            brain = learn(
                brain, self.rule, self.task, self.optimiser,
                steps=self.steps, batch=self.batch, key=to_learn,
            ).brain  # fmt: skip
        score: Float[Array, ""] = examine(brain, self.task, self.split, key=to_exam)
        # argmax gives an answer even for NaN: a life that lost its numbers must not be at chance
        whole = [jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(trainable(brain))]
        score = jnp.where(jnp.all(jnp.stack(whole)), score, jnp.nan) if whole else score
        return Life(score, brain, jnp.asarray(float(self.steps)))


class Connected(eqx.Module):
    """A life that only a network lives in which some way leads from a sense to a voice.

    Others have a fitness of -infinity: they rank last and are counted in `curves["broken"]`.
    """

    life: Any  # a fitness function

    def __call__(self, developed: Network, *, key: PRNGKeyArray) -> Life:
        require_block(developed, Network)
        found = as_life(self.life(developed, key=key))
        fitness = jnp.where(reaches(developed), found.fitness, -jnp.inf)
        return eqx.tree_at(lambda life: life.fitness, found, fitness)


class SharedWeights(eqx.Module):
    """The mean fitness over lives in which all weights and biases are one number.

    For networks whose wiring alone is to matter (Gaier & Ha 2019): each of `weights` multiplies
    what developed, all of whose weights should be 1 (`genomes.WeightAgnostic`).
    """

    life: Any  # a fitness function
    weights: Float[Array, " weight"] = eqx.field(
        default_factory=lambda: jnp.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])
    )

    def __check_init__(self):
        if jnp.ndim(self.weights) != 1 or not jnp.size(self.weights):
            raise ValueError(
                f"A network lives once with each of some weights, but got an array of shape "
                f"{jnp.shape(self.weights)}: no life, or no list of them. Use for example "
                "`SharedWeights(life, jnp.array([-1.0, 1.0]))`."
            )

    def __call__(self, developed: Network, *, key: PRNGKeyArray) -> Life:
        require_block(developed, Network)

        def one(weight: Array, key: PRNGKeyArray) -> Life:
            return as_life(self.life(scaled(developed, weight), key=key))

        keys = jax.random.split(key, self.weights.shape[0])
        lives = jax.vmap(one)(self.weights, keys)
        return Life(jnp.mean(lives.fitness), steps=jnp.sum(lives.steps))


def require_block(developed: Any, kind: type) -> None:
    """Refuse what developed, if it cannot live so: it is no network, or no block at all."""
    if not isinstance(developed, kind):
        array = isinstance(developed, jax.Array)
        grown = f"an array of {developed.shape}" if array else type(developed).__name__
        raise ValueError(
            f"Expected genes that grow into type {kind.__name__}, got {grown}, which cannot live "
            "so: it has no senses and no voices. Use a genome of networks, such as "
            "`genomes.Weights(brain)`, or write `def fitness(developed, *, key)` that takes it."
        )


def scaled(network: Network, factor: Float[Array, ""]) -> Network:
    """A network with all its weights and biases multiplied by a number."""
    return eqx.combine(jax.tree.map(lambda x: factor * x, trainable(network)), network)
