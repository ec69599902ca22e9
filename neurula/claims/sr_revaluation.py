"""Who changes the mind when rewards or paths change behind one's back.

Successor representation: Dayan (1993), Neural Comput. 5:613; the design, with people: Momennejad et
al. (2017), Nat. Hum. Behav. 1:680; with replay: Russek et al. (2017), PLoS Comput. Biol.
13:e1005768.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..agents import (
    Dyna,
    EpsilonGreedy,
    ModelBased,
    QLearning,
    StateActionSuccessor,
    value_iteration,
)
from ..behaviour import AbstractAgent
from ..environments import Revaluation, revaluation, transitions
from ..evidence import Parity, Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..lifetime import act
from . import insight

CHANGES = ("none", "reward", "transition", "policy")
PROBES = 80  # moments of the first part at which choices are looked at
RATE = 0.3  # of learning, for all; what a model keeps of older counts is the rest
SLIPS = 0.2  # share of random actions
REPLAYS = 10  # remembered steps for each real one
SWEEPS = 3  # of value iteration for each step: ways are two steps long
SPREAD = 2.0  # units of pay by which the ends of a life differ from the design, at most
STILL = 0.25  # a mind that changed by less than this share has not changed
Table = Float[Array, "state action"]


class SrRevaluation(AbstractClaim):
    """Two choices in a row lead to one of four ends; then only the second is met again.

    At first going left is worth 10 and right 5. Later, with episodes that begin after the first
    choice, nothing changes, or the pay of an end, or which ends are reached, or an end that was not
    worth going to pays most. Any change makes right better. The score is how far the first choice
    follows, without being made again: 0 not at all, 1 fully. Pays differ by up to 2 between lives.
    """

    statement: ClassVar[str] = (
        "After a change of rewards a successor map and a model change a first choice that was not "
        "made again and model-free values do not; after a change of transitions only the model "
        "does."
    )
    source: ClassVar[str] = (
        "Model-free RL is fast and inflexible, model-based RL adaptable and hard to learn, the "
        "successor representation between; Momennejad et al. (2017), Nat. Hum. Behav. 1:680"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "interaction"
    arms: ClassVar[dict[str, Arm]] = {
        "successor": Arm("brain", "a map of which states follow each action, times their rewards"),
        "model-free": Arm("control", "Q-learning"),
        "model-based": Arm("control", "counts of transitions, means of rewards, value iteration"),
        "successor, replay": Arm("probe", "the map, learned from ten remembered steps a step too"),
        "model-free, replay": Arm(
            "probe", "Q-learning from ten remembered steps a step too (Dyna)"
        ),
        "misread rewards": Arm("sham", "the map, but rewards are taken for those of other ends"),
    }
    margin: ClassVar[float] = 0.5
    unit: ClassVar[str] = "of a full change of mind"
    refuted_if: ClassVar[str] = (
        "of four differences (after a change of rewards: map over model-free, model over "
        "model-free; after one of transitions: model over map; for the map: rewards over "
        "transitions) any is clearly below 0.5, or a mind that should stay changes by clearly more "
        "than 0.25"
    )
    expected: ClassVar[str] = (
        "Supported: with two steps it is nearly algebra. Bad outcome: a map learned under a policy "
        "with slips follows only in part. Not expected: that models are hard to learn, as tables "
        "are small."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "That people behave so, between a map and a model, needs their choices, which are not "
        "here.",
        "Who replays needs no map: Dyna follows both changes from model-free values, at ten times "
        "the updates.",
        "The map is one of actions. A map of states with one step of looking ahead would follow "
        "a change of transitions that lies one step away.",
        "Speed of learning and cost of decisions are shown beside, not ruled on: tables make "
        "models easy. All learn at the same rate, which nobody tuned.",
        "A detour in a maze stands beside, added after the first run: the block is met alone, and "
        "where the way begins is asked for, but nobody walks it.",
        "A first run with the same pays for all supported it with scores of 0, 0.9 and 1 in every "
        "seed, but outcomes were identical. Pays now differ from life to life, on fresh seeds.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, early=160, late=20, walk=200),
        "quick": Budget(20),
        "full": Budget(100),
    }

    early: int = 800  # steps of the first part: two an episode
    late: int = 100  # steps of the second: one an episode
    walk: int = 4000  # steps in the open maze of the detour
    discount: float = 0.9

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # what can change is decided by what is stored, not by how fast

    def agent(self, arm: str) -> AbstractAgent:
        """Who lives in an arm."""
        policy = EpsilonGreedy(SLIPS)
        if arm == "model-free":
            return QLearning(RATE, self.discount, policy)
        if arm == "model-free, replay":
            return Dyna(RATE, self.discount, policy, planning=REPLAYS)
        if arm == "model-based":
            return ModelBased(self.discount, policy, sweeps=SWEEPS, keep=1 - RATE)
        replays = REPLAYS if "replay" in arm else 0
        return StateActionSuccessor(RATE, self.discount, policy, replays=replays)

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        fresh = jax.random.fold_in(key, 1)  # see the last pitfall
        at_early, at_late, at_sham, at_pays = jax.random.split(fresh, 4)
        agent, pays = self.agent(arm), jax.random.uniform(at_pays, (4,), minval=-1.0) * SPREAD
        own = lambda world: eqx.tree_at(lambda w: w.pays, world, world.pays + pays)  # noqa: E731
        world, worlds = own(revaluation()), jax.vmap(own)(changed())
        right = exact(world, self.discount)

        def look(state: Any) -> dict[str, Array]:
            same = jnp.argmax(table(agent, state)[:3], 1) == jnp.argmax(right[:3], 1)
            return {"right choices": jnp.mean(same.astype(jnp.float32))}

        early = act(agent, world, steps=self.early, probe=look, probes=PROBES, key=at_early)

        def change(world: Revaluation) -> Any:
            first = early.agent_state
            return act(agent, world, steps=self.late, state=first, key=at_late).agent_state

        states = jax.vmap(change)(worlds)
        sham = arm == "misread rewards"
        read = lambda state: table(agent, misread(state, at_sham) if sham else state)  # noqa: E731
        before, after = read(early.agent_state), jax.vmap(read)(states)
        turned = jax.vmap(lambda world: exact(world, self.discount))(worlds)
        full = lean(turned) - lean(right)
        full = full.at[0].set(full[1])  # where nothing changes there is no unit
        minds = (lean(after) - lean(before[None])) / full
        wrong = early.curves["right choices"] < 1
        last = jnp.max(jnp.where(wrong, jnp.arange(1.0, PROBES + 1), 0.0))
        kept = {
            "change of mind": minds,
            "first values": before[0],
            "steps to learn": (last + 1.0) * self.early / PROBES,
        }
        maze = lambda state: table(agent, state, insight.STATES)  # noqa: E731
        steps, to_maze = (self.walk, self.late), jax.random.fold_in(key, 2)
        kept |= insight.minds(agent, maze, steps, self.discount, key=to_maze)
        costs = {"multiplications a choice": jnp.float32(self.thinking(arm))}
        return Outcome(jnp.mean(minds[1:3]), curves=early.curves, kept=kept, costs=costs)

    def thinking(self, arm: str) -> int:
        """Multiplications between seeing a state and choosing, if nothing was worked out before."""
        states, actions = 7, 2
        if "model-free" in arm:
            return 0
        return states**2 * actions * SWEEPS if arm == "model-based" else states * actions

    def evidence(self, outcomes: Outcomes) -> Evidence:
        minds = {arm: np.asarray(o.kept["change of mind"], float) for arm, o in outcomes.items()}
        of = lambda arm, change: minds[arm][:, CHANGES.index(change)]  # noqa: E731
        more = lambda one, other: Superiority(of(*one), of(*other), self.margin)  # noqa: E731

        def still(arm: str, change: str) -> Parity:
            return Parity(np.zeros_like(of(arm, change)), of(arm, change), STILL)

        free, map_, model = "model-free", "successor", "model-based"
        parts: dict[str, Any] = {
            "rewards: map over model-free": more((map_, "reward"), (free, "reward")),
            "rewards: model over model-free": more((model, "reward"), (free, "reward")),
            "transitions: model over map": more((model, "transition"), (map_, "transition")),
            "map: rewards over transitions": more((map_, "reward"), (map_, "transition")),
            "rewards: model-free stays": still(free, "reward"),
            "transitions: model-free stays": still(free, "transition"),
            "transitions: map stays": still(map_, "transition"),
        }
        parts |= {f"no change: {arm} stays": still(arm, "none") for arm in (free, map_, model)}
        secondary = parts | {
            "policy: map stays": still(map_, "policy"),
            "policy: model over map": more((model, "policy"), (map_, "policy")),
            "transitions: replay mends the map": more(
                ("successor, replay", "transition"), (map_, "transition")
            ),
            "rewards: replay mends model-free": more(
                ("model-free, replay", "reward"), (free, "reward")
            ),
        }
        secondary |= insight.comparisons(outcomes, self.margin, STILL)
        return Evidence(weakest(*parts.values()), self.gates(outcomes), secondary)

    def gates(self, outcomes: Outcomes) -> tuple[Gate, ...]:
        """All preferred left at first; rewards read wrongly do not serve."""
        first = {a: np.asarray(o.kept["first values"]) for a, o in outcomes.items()}
        ruled = ("successor", "model-free", "model-based")
        left = {arm: float(np.mean(first[arm][:, 0] > first[arm][:, 1])) for arm in ruled}
        worst = min(ruled, key=left.__getitem__)
        sham = float(np.mean(np.asarray(outcomes["misread rewards"].kept["change of mind"])[:, 1]))
        return (
            Gate("at first all prefer left", left[worst] >= 0.9, f"{worst}: {left[worst]:.0%}"),
            Gate("misread rewards do not change the mind", sham < STILL, f"{sham:.2f}"),
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import seeds

        rows = {}
        for arm in self.arms:
            for i, change in enumerate(CHANGES[1:], 1):
                rows[f"{arm}: {change}"] = np.asarray(outcomes[arm].kept["change of mind"])[:, i]
        return seeds(rows, x_title="change of mind, 1 is full")


def exact(world: Revaluation, discount: float) -> Table:
    """The values of the best policy."""
    return value_iteration(transitions(world), discount)


def changed() -> Revaluation:
    """The second parts, stacked."""
    with jax.ensure_compile_time_eval():
        worlds = [revaluation(change, late=True) for change in CHANGES]
        return jax.tree.map(lambda *parts: jnp.stack(parts), *worlds)


def table(agent: AbstractAgent, state: Any, states: int = 7) -> Table:
    """What an agent thinks every action is worth."""
    if isinstance(agent, StateActionSuccessor):
        return jax.vmap(lambda s: agent.values(state, s))(jnp.arange(states))
    return state.values.q if isinstance(agent, Dyna) else state.q


def lean(values: Float[Array, "*change state 2"]) -> Float[Array, "*change"]:
    """By how much right is thought to be better than left."""
    return values[..., 0, 1] - values[..., 0, 0]


def misread(state: Any, key: PRNGKeyArray) -> Any:
    """The rewards of the four ends, each taken for that of another."""
    turned = jnp.roll(state.weight[3:], jax.random.randint(key, (), 1, 4))
    return eqx.tree_at(lambda s: s.weight, state, state.weight.at[3:].set(turned))
