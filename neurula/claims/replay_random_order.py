"""Whether replay helps because it mixes experience, or because it uses experience again.

Lin (1992), Mach. Learn. 8:293; Mnih et al. (2015), Nature 518:529.
"""

from typing import Any, ClassVar, Literal

import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..agents import DQN, Shuffled
from ..agents.brains import Perceptron
from ..behaviour import AbstractAgent
from ..evidence import Parity, Superiority
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..memories import Blocks, Recent, Replay, Uniform
from .games import CATCH, STRETCHES

RANDOM, BLOCKS, LATEST, ONCE = "random", "blocks", "latest, repeated", "latest, once"
EQUAL = 0.05  # scores closer than this are the same


class ReplayRandomOrder(AbstractClaim):
    """Q-learning with a network and a target network in Catch; only the order of replay differs."""

    statement: ClassVar[str] = (
        "With as many memories and as many updates, replay in random order ends with a score that "
        "is at least 0.1 higher than replay of blocks of neighbours in their order."
    )
    source: ClassVar[str] = (
        "Randomly sample and replay: drawing at random breaks correlations, Mnih et al. (2015), "
        "Nature 518:529"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority"
    arms: ClassVar[dict[str, Arm]] = {
        RANDOM: Arm("brain", "32 random transitions of the last 10,000 in an update"),
        BLOCKS: Arm("control", "32 neighbours in time, from a random place in the same memory"),
        LATEST: Arm("control", "every 32 steps, the last 32 transitions, 8 updates in a row"),
        ONCE: Arm("control", "every 32 steps, the last 32 transitions, one update: no reuse"),
        "shuffled": Arm(
            "sham",
            "random order; rewards and ends of episodes are those of other transitions",
        ),
    }
    margin: ClassVar[float] = 0.1
    unit: ClassVar[str] = "score in Catch (0 chance, 1 best)"
    refuted_if: ClassVar[str] = (
        "random order ends with less than 0.1 more than blocks do. Where blocks are within 0.05 "
        "and both are beyond learning from each transition once, reuse is the cause, not the order"
    )
    expected: ClassVar[str] = (
        "Random near 1. Bad outcome: a block of 32 spans three to four games of nine steps, so "
        "that it is mixed enough, and blocks learn as well."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "With a slow target network the contrast shrinks: here it is renewed every 100 updates.",
        "Blocks span the ends of games (transitions never do): games are shorter than blocks.",
        "Recurrent networks need blocks; this one has no loops.",
        "Without reuse there are 8 times fewer updates: that is what reuse means. Its rate is "
        "tuned like all others.",
        "The full budget has more seeds and steps of the same game.",
        "Both arms end near the best that 5 % random actions allow; on tuning seeds both had 0.93.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, steps=60, width=4, batch=4),
        "quick": Budget(20),
        "full": Budget(30, steps=40_000),
    }

    steps: int = 10_000
    width: int = 64  # cells of the hidden layer
    memory: int = 10_000  # transitions
    batch: int = 32  # transitions in an update, and in a block
    every: int = 4  # steps between updates
    target: int = 100  # updates between copies of the network

    def space(self, arm: str) -> dict[str, Range]:
        return {"rate": Range(1e-4, 2e-2)}

    def agent(self, arm: str, rate: Float[Array, ""]) -> AbstractAgent:
        """Who lives."""
        late = arm in (LATEST, ONCE)  # learns when a batch is full
        orders = {BLOCKS: Blocks(self.batch, across=True), LATEST: Recent(), ONCE: Recent()}
        agent = DQN(
            Perceptron((self.width,)),
            optax.adam(rate),
            Replay(self.memory, orders.get(arm, Uniform())),
            batch=self.batch,
            every=self.batch if late else self.every,
            updates=self.batch // self.every if arm == LATEST else 1,
            learning_starts=self.batch,
            target=max(self.target * self.every // self.batch, 1) if arm == ONCE else self.target,
            exploring=self.steps // 5,
        )
        return Shuffled(agent, Replay(self.memory)) if arm == "shuffled" else agent

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        curve = CATCH.play(self.agent(arm, settings["rate"]), self.steps, key=key)
        updates = self.steps // (self.batch if arm == ONCE else self.every)
        costs = {"updates": jnp.float32(updates), "samples": jnp.float32(self.steps)}
        return Outcome(curve[-1], tuning=curve[-1], curves={"score": curve}, costs=costs)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        scores = {arm: np.asarray(o.score, np.float64) for arm, o in outcomes.items()}
        means = {arm: float(score.mean()) for arm, score in scores.items()}

        def beyond(arm: str, other: str) -> Superiority:
            return Superiority(scores[arm], scores[other], self.margin)

        return Evidence(
            beyond(RANDOM, BLOCKS),
            gates=(
                Gate(
                    "Random replay learns the game: 0.5.",
                    means[RANDOM] >= 0.5,
                    f"{means[RANDOM]:.2f}",
                ),
                Gate("Blocks learn something: 0.2.", means[BLOCKS] >= 0.2, f"{means[BLOCKS]:.2f}"),
                Gate(
                    "Nothing is learned from shuffled rewards: below 0.2.",
                    means["shuffled"] < 0.2,
                    f"{means['shuffled']:.2f}",
                ),
            ),
            secondary={
                "blocks within 0.05 of random": Parity(scores[BLOCKS], scores[RANDOM], EQUAL),
                "random beyond the latest, repeated": beyond(RANDOM, LATEST),
                "blocks beyond the latest, repeated": beyond(BLOCKS, LATEST),
                "random beyond no reuse": beyond(RANDOM, ONCE),
                "blocks beyond no reuse": beyond(BLOCKS, ONCE),
                "random beyond shuffled": beyond(RANDOM, "shuffled"),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        lines = {arm: np.asarray(o.curves["score"]) for arm, o in outcomes.items()}
        steps = (np.arange(STRETCHES) + 1) * self.steps // STRETCHES
        return curves(steps, lines, x_title="steps", y_title="score in Catch (0 chance, 1 best)")
