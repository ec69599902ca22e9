"""Learning to act in two small worlds: along a policy's gradient, or by an evolution strategy.

Williams (1992), Mach. Learn. 8:229 (REINFORCE); Salimans et al. (2017), arXiv:1703.03864. Where
rewards are late or rare, a gradient of actions is the noisier one: Salimans et al., section 3.
"""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..agents import Controller, Reinforce
from ..agents.brains import Perceptron
from ..behaviour import AbstractEnvironment, size_of
from ..environments import CartPole, Catch, TimeLimit
from ..evolution import live
from ..evolvers import OpenAIES
from ..experiment import Outcome
from ..genomes import Weights
from ..lifetime import act, evaluate
from ..lives import InWorld

Settings = dict[str, Float[Array, ""]]
LIMIT = 200  # steps of an episode, at most
WORLDS: dict[str, AbstractEnvironment] = {
    "cart-pole": TimeLimit(CartPole(scaled=True), LIMIT),
    "Catch": Catch(),
}
GOALS = {"cart-pole": 195.0, "Catch": 0.9}  # mean returns of episodes that count as solved
BRAIN = Perceptron((16,), "tanh")
EXAMS = 32  # episodes, without exploration, in which the mean return is measured


def acted(
    how: str, world: str, settings: Settings,
    *, length: int, probes: int, backward: int, key: PRNGKeyArray,
) -> Outcome:  # fmt: skip
    """REINFORCE or evolution in a world, whose tuning score is the mean return on the way.

    `length` is in units of 1,000 steps for a gradient, of a generation in cart-pole, of 8 in
    Catch. `backward` is how many forward passes a backward pass counts as.
    """
    if how == "ES":
        generations = length * (1 if world == "cart-pole" else 8)
        size = {"population": 32, "generations": generations, "probes": probes}
        seen, price = by_evolution(world, settings, **size, key=key), 1.0
    else:
        seen = by_gradient(world, settings, steps=1000 * length, probes=probes, key=key)
        price = 1.0 + backward
    returns, passes = seen["return"], price * seen["steps"]
    return Outcome(
        returns[-1],
        tuning=jnp.mean(returns),
        curves={f"return, {world}": returns},
        costs={"forward passes": passes[-1]},
        kept={"passes": passes, "test": returns},
    )


def by_gradient(
    world: str, settings: Settings,
    *, steps: int, probes: int, key: PRNGKeyArray,
) -> dict[str, Float[Array, " probe"]]:  # fmt: skip
    """Mean returns and steps lived by REINFORCE, probed evenly; its discount is 1 - "forget"."""
    environment, (to_live, to_exam) = WORLDS[world], jax.random.split(key)
    agent = Reinforce(BRAIN, optax.adam(settings["rate"]), discount=1 - settings["forget"])

    def exam(state) -> dict[str, Array]:
        returns = evaluate(agent, environment, state, episodes=EXAMS, limit=LIMIT, key=to_exam)
        return {"return": jnp.mean(returns)}

    lived = act(agent, environment, steps=steps, probe=exam, probes=probes, key=to_live)
    return {"return": lived.curves["return"], "steps": steps / probes * jnp.arange(1.0, probes + 1)}


def by_evolution(
    world: str, settings: Settings,
    *, population: int, generations: int, probes: int, key: PRNGKeyArray,
) -> dict[str, Float[Array, " probe"]]:  # fmt: skip
    """Mean returns and steps lived by an evolution strategy, probed evenly.

    A generation meets the same chance: one episode of cart-pole, or eight of Catch, which are
    short. "rate" is in units of "deviation". What counts is the centre of the search.
    """
    environment, deviation = WORLDS[world], settings["deviation"]
    at_brain, at_life, to_exam = jax.random.split(key, 3)
    actions, senses = environment.actions, environment.observations
    brain = BRAIN(size_of(senses), size_of(actions), at_brain)
    genome = Weights(brain, around=True)
    evolver = OpenAIES(population, 1.0, optax.adam(settings["rate"]))
    life = InWorld(environment, limit=LIMIT, episodes=1 if world == "cart-pole" else 8)

    def generation(carry, number):
        state, lived = carry
        at_ask, at_world = jax.random.split(jax.random.fold_in(at_life, number))
        state, genes = evolver.ask(state, genome, key=at_ask)
        lives = live(genome, deviation * genes, life, common=True, key=at_world)
        return (
            evolver.tell(state, genome, genes, lives.fitness),
            lived + jnp.sum(lives.steps),
        ), None

    def stretch(carry, numbers):
        (state, lived), _ = jax.lax.scan(generation, carry, numbers)
        grown = genome.develop(deviation * state.mean, key=at_brain)
        agent = Controller(grown, actions, senses)
        returns = evaluate(agent, environment, None, episodes=EXAMS, limit=LIMIT, key=to_exam)
        return (state, lived), {"return": jnp.mean(returns), "steps": lived}

    numbers = jnp.arange(generations).reshape(probes, -1)
    start = evolver.init(genome, key=at_brain), jnp.zeros(())
    return jax.lax.scan(stretch, start, numbers)[1]
