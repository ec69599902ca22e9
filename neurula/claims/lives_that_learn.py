"""Small minds that live one life of trials in a world that was drawn for it, and may learn there.

Learning by reward: Williams (1992), Mach. Learn. 8:229; by plastic connections with coefficients of
their own: Floreano & Urzelai (2000), Neural Netw. 13:431; Miconi (2018), ICML 80:3559. To remember
by activity alone: Duan et al. (2016), arXiv:1611.02779.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Discrete, size_of
from ..contracts import AbstractBlock


class Habits(eqx.Module):
    """How a mind explores and what reward it expects, learner or not. Logs of positive numbers."""

    noise: Float[Array, ""]  # log of the deviation of movements, or of the softmax's temperature
    fade: Float[Array, ""]  # log of the rate at which that deviation falls, per trial
    follow: Float[Array, ""]  # log of how fast the expected reward follows the reward, per trial
    expected: Float[Array, ""]  # reward that is expected at birth

    @classmethod
    def usual(cls) -> "Habits":
        """Explore by a tenth of the way, for a hundred trials; expect a movement that fails."""
        noise, fade, follow = jnp.log(jnp.array([0.3, 0.01, 0.1]))
        return cls(noise, fade, follow, jnp.zeros(()))


class PerConnection(eqx.Module):
    """Coefficients of plasticity, for each connection on its own.

    dw = rewarded s pre post + explored s pre e + plain pre post, with the surprise s (the reward
    less what was expected) and the exploration e, by which a voice differed from its mean.
    """

    rewarded: tuple[Float[Array, "hidden heard"], Float[Array, "voice felt"]]
    plain: tuple[Float[Array, "hidden heard"], Float[Array, "voice felt"]]
    explored: Float[Array, "voice felt"]  # hidden cells do not explore


class Mind(eqx.Module):
    """A life so far: the weights by now, and what happened in the last trial."""

    first: Float[Array, "hidden heard"]
    last: Float[Array, "voice felt"]
    felt: Float[Array, " felt"]  # hidden cells, and what was heard
    done: Float[Array, " voice"]  # the movement, or 1 for the arm that was pulled
    explored: Float[Array, " voice"]
    expected: Float[Array, ""]
    age: Float[Array, ""]  # trials
    luck: PRNGKeyArray


class Learner(AbstractBlock[Mind]):
    """Hidden tanh cells and voices that hear both them and the senses; one step is one trial.

    Equations: h = tanh(A x), m = B (h, x), with x the senses and 1. Movements are m + noise xi,
    clipped to the box, and e = xi; single actions are drawn from p = softmax(m / noise), and
    e = action - p. The last number of the input is the reward for the trial before, from which
    weights learn: by coefficients `PerConnection`, by the likelihood ratio with a rate whose log is
    `rule` (dB = rate s e (h, x), through the hidden cells likewise), or not at all (`None`). With
    `recalls`, x also has what was done, the reward and h of the trial before.
    """

    first: Float[Array, "hidden heard"]
    last: Float[Array, "voice felt"]
    habits: Habits
    rule: PerConnection | Float[Array, ""] | None
    discrete: bool = eqx.field(static=True)
    recalls: bool = eqx.field(static=True)

    @property
    def inputs(self) -> dict[str, int]:
        voices, hidden = len(self.last), len(self.first)
        recalled = voices + 1 + hidden if self.recalls else 0
        return {"senses": self.first.shape[1] - 1 - recalled, "reward": 1}

    @property
    def outputs(self) -> dict[str, int]:
        return {"action": len(self.last)}

    def init(self, *, key: PRNGKeyArray | None = None) -> Mind:
        nothing, age = jnp.zeros(len(self.last)), jnp.zeros(())
        luck = jax.random.key(0) if key is None else key
        felt = jnp.zeros(self.last.shape[1])
        return Mind(self.first, self.last, felt, nothing, nothing, self.habits.expected, age, luck)

    def step(self, state: Mind, inputs: Float[Array, " in"]) -> tuple[Mind, Float[Array, " voice"]]:
        senses, reward = inputs[:-1], inputs[-1]
        recalled = (state.done, inputs[-1:], state.felt[: len(self.first)]) if self.recalls else ()
        first, last, expected = self.learned(state, reward)
        heard = jnp.concatenate([senses, jnp.ones(1), *recalled])
        felt = jnp.concatenate([jnp.tanh(through(first, heard)), heard])
        done, explored = self.choose(through(last, felt), state)
        return Mind(first, last, felt, done, explored, expected, state.age + 1.0, state.luck), done

    def choose(self, mean: Float[Array, " voice"], state: Mind) -> tuple[Array, Array]:
        """What is done, and by how much it differs from what would usually be done."""
        noise = jnp.exp(self.habits.noise - jnp.exp(self.habits.fade) * state.age)
        key = jax.random.fold_in(state.luck, state.age.astype(jnp.int32))
        if self.discrete:
            says = mean / noise
            done = jax.nn.one_hot(jax.random.categorical(key, says), len(mean), dtype=jnp.float32)
            return done, done - jax.nn.softmax(says)
        drawn = jax.random.normal(key, mean.shape)
        return jnp.clip(mean + noise * drawn, -1.0, 1.0), drawn

    def learned(self, state: Mind, reward: Float[Array, ""]) -> tuple[Array, Array, Array]:
        """Both weights and the expected reward after the reward for the trial before, if any."""
        lived = jnp.minimum(state.age, 1.0)
        surprise = lived * (reward - state.expected)
        expected = state.expected + jnp.minimum(jnp.exp(self.habits.follow), 1.0) * surprise
        to_first, to_last = self.changes(state, surprise)
        return state.first + to_first, state.last + to_last, expected

    def changes(self, state: Mind, surprise: Float[Array, ""]) -> tuple[Array, Array]:
        """By how much the weights change, where the last trial brought such a surprise."""
        hidden, heard = state.felt[: len(self.first)], state.felt[len(self.first) :]
        if self.rule is None:
            return jnp.zeros_like(self.first), jnp.zeros_like(self.last)
        if isinstance(self.rule, PerConnection):
            c = self.rule
            first = (c.rewarded[0] * surprise + c.plain[0]) * outer(hidden, heard)
            last = (c.rewarded[1] * surprise + c.plain[1]) * outer(state.done, state.felt)
            return first, last + c.explored * surprise * outer(state.explored, state.felt)
        taught = jnp.exp(self.rule) * surprise * state.explored
        back = jnp.sum(state.last[:, : len(hidden)] * taught[:, None], 0) * (1 - hidden**2)
        return outer(back, heard), outer(taught, state.felt)


def through(weights: Float[Array, "post pre"], activity: Float[Array, " pre"]) -> Array:
    """The drive of cells. Faster than a product of matrices where these are small and many."""
    return jnp.sum(weights * activity[None, :], 1)


def outer(post: Float[Array, " post"], pre: Float[Array, " pre"]) -> Float[Array, "post pre"]:
    """One number for each connection."""
    return post[:, None] * pre[None, :]


def blank(
    world: AbstractEnvironment, hidden: int, rule: str | None, *, recalls: bool = False
) -> Learner:
    """A learner whose weights and coefficients are all 0: "plastic", "gradient" or no rule."""
    voices, discrete = size_of(world.actions), isinstance(world.actions, Discrete)
    heard = size_of(world.observations) + 1 + (voices + 1 + hidden if recalls else 0)
    first, last = jnp.zeros((hidden, heard)), jnp.zeros((voices, hidden + heard))
    rules = {
        "plastic": PerConnection((first, last), (first, last), last),
        "gradient": jnp.log(jnp.float32(0.3)),
        None: None,
    }
    return Learner(first, last, Habits.usual(), rules[rule], discrete, recalls)


def live(
    learner: Learner,
    world: AbstractEnvironment,
    trials: int,
    *,
    life: PRNGKeyArray,
    luck: PRNGKeyArray,
) -> Float[Array, " trial"]:
    """The reward of every trial of a life: `life` draws the world, `luck` the exploration."""

    def trial(carry: tuple, age: Array) -> tuple[tuple, Float[Array, ""]]:
        mind, state, seen, reward = carry
        mind, done = learner.step(mind, jnp.concatenate([seen, reward[None]]))
        action = jnp.argmax(done).astype(jnp.int32) if learner.discrete else done
        state, event = world.step(state, action, key=jax.random.fold_in(at_trials, age))
        return (mind, state, event.observation, event.reward), event.reward

    # Two keys: `fold_in(life, 0)` is the first of `split(life)`, by which a world may be drawn.
    at_birth, at_trials = jax.random.split(life)
    state, event = world.reset(key=at_birth)
    start = learner.init(key=luck), state, event.observation, jnp.zeros(())
    return jax.lax.scan(trial, start, jnp.arange(trials))[1]


def shuffled(learner: Learner, key: PRNGKeyArray) -> Learner:
    """The same coefficients, moved among the connections of each layer, those of one together."""
    if not isinstance(learner.rule, PerConnection):
        raise ValueError(
            f"Only plasticity of single connections can be moved among them, but this learner "
            f'has the rule {learner.rule}. Use `blank(world, 4, "plastic")`.'
        )
    keys = jax.random.split(key)

    def moved(coefficients: Array, layer: int) -> Array:
        order = jax.random.permutation(keys[layer], coefficients.size)
        return jnp.ravel(coefficients)[order].reshape(coefficients.shape)

    c = learner.rule
    both = lambda pair: (moved(pair[0], 0), moved(pair[1], 1))  # noqa: E731
    rule = PerConnection(both(c.rewarded), both(c.plain), moved(c.explored, 1))
    return eqx.tree_at(lambda x: x.rule, learner, rule)
