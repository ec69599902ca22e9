"""Whether a second network keeps Q-learning from promising itself too much.

van Hasselt (2010), NeurIPS 23:2613; van Hasselt, Guez & Silver (2016), AAAI 30:2094; Sutton & Barto
(2018), Reinforcement Learning, 2nd edition, example 6.7.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..agents import DQN
from ..agents.brains import Perceptron
from ..environments import Catch
from ..evidence import Superiority
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..lifetime import act
from ..memories import Replay
from .maximisation_bias import LEAST, lefts

SINGLE, FROZEN, DOUBLE, BOTH, SHAM = "single", "frozen", "double", "both", "copied at once"
LESS = 0.3  # share by which the gap is to shrink
BOUND = 10.0  # rewards: ten times the most that a game without noise can pay


class DualDqn(AbstractClaim):
    """Catch with noisy rewards, for networks; the problem of example 6.7, for tables."""

    statement: ClassVar[str] = (
        "Where rewards are noisy, double estimation makes the gap between the return that a "
        "Q-network predicts and the one that it gets at least 30 % smaller, at equal updates, on "
        "average of networks with and without a frozen copy."
    )
    source: ClassVar[str] = (
        "Consolidation of experience, novel and routine circuits, and the dual deep Q-network: van "
        "Hasselt, Guez & Silver (2016), AAAI 30:2094"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority + mechanism"
    arms: ClassVar[dict[str, Arm]] = {
        DOUBLE: Arm("brain", "two networks, a coin says which learns; each judges the other"),
        BOTH: Arm("brain", "one network chooses, its frozen copy judges"),
        SINGLE: Arm("control", "one network chooses and judges"),
        FROZEN: Arm("control", "a frozen copy, renewed every 100 updates, chooses and judges"),
        SHAM: Arm("sham", "one chooses, its copy judges, renewed at every update: the same one"),
    }
    margin: ClassVar[float] = 0.0
    unit: ClassVar[str] = "rewards, of the gap beyond 30 % less (mean with and without frozen copy)"
    refuted_if: ClassVar[str] = "double estimation makes the gap less than 30 % smaller"
    expected: ClassVar[str] = (
        "In Atari the median score rose from 93.5 to 114.7 %. In the table of example 6.7 the "
        "wrong choice is made far more often with single estimation. Bad outcome: in games of "
        "nine steps networks over-estimate little, or the twins learn half as fast."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Novel and routine circuits as two Q-networks is an analogy without a source; this tests "
        "the engineering only.",
        "Without noise small games show no over-estimation: here the reward has noise of 1.",
        "The sign of a gap is dropped seed by seed: an under-estimate of equal size is as wrong.",
        "Divergence (a value beyond 10, learned at a rate of 0.03) only describes: "
        "where nobody diverges nothing could be compared.",
        "The mean of both was fixed as the test, and the sentence said with and without until the "
        "result was seen: without a frozen copy alone it is not shown.",
        "That a frozen copy lowers divergence is not tested: nobody diverged.",
        "Twins share the updates, so each gets half of them.",
        "The full budget has more seeds and steps of the same game.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, steps=60, width=4, batch=4, games=4, runs=2, episodes=10),
        "quick": Budget(20),
        "full": Budget(30, steps=40_000, runs=1000),
    }

    steps: int = 10_000
    noise: float = 1.0  # standard deviation of the reward of a game
    width: int = 64  # cells of the hidden layer
    memory: int = 10_000  # transitions
    batch: int = 32  # transitions in an update
    every: int = 4  # steps between updates
    target: int = 100  # updates between copies
    discount: float = 0.99  # per step
    stress: float = 0.03  # rate of learning at which divergence is counted
    games: int = 200  # by which a gap is measured
    runs: int = 100  # tables a seed; with 20 seeds 2,000
    episodes: int = 300  # of a table

    def space(self, arm: str) -> dict[str, Range]:
        return {"rate": Range(3e-4, 1e-2)}

    def agent(self, arm: str, rate: Float[Array, ""]) -> DQN:
        """Who learns. Errors are squared, so that values aim at means."""
        targets = {SINGLE: None, DOUBLE: None, SHAM: 1}
        return DQN(
            Perceptron((self.width,)),
            optax.adam(rate),
            Replay(self.memory),
            batch=self.batch,
            every=self.every,
            learning_starts=self.batch,
            target=targets.get(arm, self.target),
            double=arm in (DOUBLE, BOTH, SHAM),
            discount=self.discount,
            exploring=self.steps // 5,
            huber=None,
        )

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_life, at_exam, at_table = jax.random.split(key, 3)

        def life(rate: Float[Array, ""]) -> tuple[Array, Array, Array]:
            agent = self.agent(arm, rate)
            world = Catch(noise=self.noise)
            state = act(agent, world, steps=self.steps, key=at_life).agent_state
            return self.exam(agent, state, key=at_exam)

        rates = jnp.stack([settings["rate"], jnp.float32(self.stress)])
        predicted, got, largest = jax.vmap(life)(rates)
        wrong = lefts(
            double=arm in (DOUBLE, BOTH, SHAM),
            renew={SINGLE: 1, DOUBLE: None, SHAM: 1}.get(arm, LEAST),
            runs=self.runs,
            episodes=self.episodes,
            key=at_table,
        )
        gap = predicted[0] - got[0]
        kept = {"gap": gap, "got": got[0], "diverged": jnp.float32(~(largest[1] < BOUND))}
        updates = jnp.float32(self.steps // self.every)
        costs = {"updates": updates, "samples": jnp.float32(self.steps)}
        return Outcome(
            -jnp.abs(gap), tuning=got[0], curves={"lefts": wrong}, costs=costs, kept=kept
        )

    def exam(
        self, agent: Any, state: Any, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
        """What an agent with `values` predicts and gets: means over moments of games without noise.

        And the largest value, of either sign, that was predicted.
        """
        world = Catch()
        fades = self.discount ** jnp.arange(world.rows - 1, dtype=jnp.float32)[::-1]

        def play(k: PRNGKeyArray) -> tuple[Array, Array, Array]:
            def step(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Any]:
                place, seen = carry
                values = agent.values(state, seen)
                action = values.argmax().astype(jnp.int32)
                place, event = world.step(place, action, key=k)
                return (place, event.observation), (values, event.reward)

            place, event = world.reset(key=k)
            start = place, event.observation
            _, (values, reward) = jax.lax.scan(step, start, None, length=world.rows - 1)
            return values.max(1).mean(), (fades * reward[-1]).mean(), jnp.abs(values).max()

        predicted, got, largest = jax.vmap(play)(jax.random.split(key, self.games))
        return predicted.mean(), got.mean(), largest.max()

    def evidence(self, outcomes: Outcomes) -> Evidence:
        kept = {
            arm: {k: np.asarray(v, np.float64) for k, v in o.kept.items()}
            for arm, o in outcomes.items()
        }
        gaps = {arm: np.abs(each["gap"]) for arm, each in kept.items()}
        wrong = {
            arm: 100 * np.asarray(o.curves["lefts"], np.float64).mean(1)
            for arm, o in outcomes.items()
        }

        def smaller(doubles: list[str], singles: list[str]) -> Superiority:
            mine, others = (np.mean([gaps[x] for x in arms], axis=0) for arms in (doubles, singles))
            return Superiority(-mine, -(1 - LESS) * others, self.margin)

        got = {arm: each["got"].mean() for arm, each in kept.items()}
        signed = {arm: each["gap"].mean() for arm, each in kept.items()}
        over = min(signed[SINGLE], signed[FROZEN])
        least = min(got, key=got.__getitem__)
        safe = {arm: 1 - each["diverged"] for arm, each in kept.items()}
        return Evidence(
            smaller([DOUBLE, BOTH], [SINGLE, FROZEN]),
            gates=(
                Gate(
                    "All learn the game: 0.5.", bool(got[least] >= 0.5), f"{least} {got[least]:.2f}"
                ),
                Gate(
                    "Single estimation promises too much: by 0.02.",
                    bool(over >= 0.02),
                    f"{over:.3f}",
                ),
            ),
            secondary={
                "without frozen copy: gap of double, beyond 30 % less": smaller([DOUBLE], [SINGLE]),
                "with frozen copy: gap of both, beyond 30 % less": smaller([BOTH], [FROZEN]),
                "frozen copy alone: gap, beyond 30 % less": smaller([FROZEN], [SINGLE]),
                "copied at once: gap, beyond 30 % less": smaller([SHAM], [SINGLE]),
                "tables: wrong choices avoided by double, points": Superiority(
                    -wrong[DOUBLE], -wrong[SINGLE], 5.0
                ),
                "share of lives that do not diverge, frozen beyond single": Superiority(
                    safe[FROZEN], safe[SINGLE], 0.1
                ),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        lines = {arm: 100 * np.asarray(o.curves["lefts"]) for arm, o in outcomes.items()}
        episodes = np.arange(self.episodes) + 1
        return curves(episodes, lines, x_title="episodes", y_title="wrong choices, % of tables")
