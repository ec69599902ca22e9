"""Whether thinking back from a reward, step by step, is the way to credit what led to it.

Backward replay: Lin (1992), Mach. Learn. 8:293; in rats: Foster & Wilson (2006), Nature 440:680;
the task: Schaul et al. (2016), ICLR, arXiv:1511.05952; the best order: Mattar & Daw (2018), Nat.
Neurosci. 21:1609.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..agents import EpsilonGreedy, backup_value, policy_chain, value_iteration
from ..environments import BlindCliffwalk, Transitions, transitions
from ..evidence import Parity, Slope
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range

LENGTHS = (2, 4, 6, 8, 10, 12, 14)  # states on the way
LONGEST = LENGTHS[-1]
CLOSE = 0.1  # of the smallest value on the way: the error at which it counts as learned
SLOW = 0.25  # of the error, in the arms that learn slowly
SLIPS = 0.1  # share of random actions in the policy whose gain is asked for
Table = Float[Array, "state 2"]
Count = Int[Array, ""]


class Way(eqx.Module):
    """One length: the exact world, padded to the longest, and what is remembered of it.

    The memory holds each of the 2 x length transitions once: the sequence that led to the reward,
    and the wrong step from each of its states.
    """

    world: Transitions
    next_state: Int[Array, "state 2"]
    right: Int[Array, " state"]  # the action that leads on
    length: Int[Array, ""]


class ReplayRewardSequences(AbstractClaim):
    """Tabular Q-learning from memory alone on the Blind Cliffwalk; updates are counted.

    Arms differ in which remembered transition is learned from next. Values begin at 0. It is
    learned when no value of any action is off by more than a tenth of the smallest on the way.
    Scores are minus log updates, averaged over lengths.
    """

    statement: ClassVar[str] = (
        "Replaying a remembered sequence backwards from its reward finds the values of a way of "
        "length L in a number of updates that grows as L, against L squared or so for the same "
        "steps in random order: the exponents differ by 0.8 or more."
    )
    source: ClassVar[str] = (
        "Action sequences that led to reward or punishment are internally re-enacted; Lin (1992), "
        "Mach. Learn. 8:293"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority of scaling"
    arms: ClassVar[dict[str, Arm]] = {
        "reverse": Arm("brain", "the rewarded sequence from its end, again and again", fixed=True),
        "uniform": Arm("control", "any step of the same rewarded sequence"),
        "uniform, all": Arm("control", "any remembered step, the wrong ones included"),
        "forward": Arm("control", "the rewarded sequence from its beginning on", fixed=True),
        "prioritised": Arm("control", "of all steps that with the largest error", fixed=True),
        "gain": Arm("probe", "of all remembered steps that of most use: gain x need", fixed=True),
        "reward shuffled": Arm("sham", "reverse, but the reward is remembered at another step"),
        "reverse, slow": Arm("probe", "reverse, a quarter of the error at a time", fixed=True),
        "uniform, slow": Arm("probe", "uniform, a quarter of the error at a time"),
    }
    margin: ClassVar[float] = 0.8
    unit: ClassVar[str] = "exponents: slopes of log updates on log length"
    refuted_if: ClassVar[str] = (
        "the exponent of random order exceeds that of reverse order by clearly less than 0.8"
    )
    expected: ClassVar[str] = (
        "Supported by little more than counting, with exponents 1 and 2. Bad outcomes: choosing "
        "the largest error, which needs no sequences, does as well; and reverse order loses its "
        "advantage when a single update does not suffice."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Nearly algebra: with a rate of 1 and no chance each of L values must be set once, in "
        "order. What may surprise are the arms beside it.",
        "A rate of 1 suits worlds without chance. The slow arms show what is left with 0.25.",
        "Who prioritises here knows all errors afresh at every update, and who goes by gain the "
        "whole world: both look at all of memory, which is not counted.",
        "With the memory of Schaul et al., all 2^L sequences of actions, random order needs "
        "exponentially many updates; here every step is remembered once, which favours it.",
        "Tables only: with shared weights neighbours in a sequence are not independent examples, "
        "and pure reverse order may do harm. Not shown here.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, most=300),
        "quick": Budget(20),
        "full": Budget(100),
    }

    discount: float = 0.99
    most: int = 20_000  # updates; who has not learned by then is counted with these
    sham_most: int = 2_000  # updates for the sham, which will hardly learn

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # a rate of 1 is the best there is for all, as nothing happens by chance

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        keys = jax.random.split(key, len(LENGTHS))
        updates, learned = jax.vmap(lambda way, k: self.learn(arm, way, k))(ways(), keys)
        logs = jnp.log(updates.astype(jnp.float32))
        lengths = jnp.log(jnp.array(LENGTHS, jnp.float32))
        centred = lengths - jnp.mean(lengths)
        slope = jnp.sum(centred * logs) / jnp.sum(centred**2)
        kept = {"updates": updates, "learned": learned, "exponent": slope}
        return Outcome(
            -jnp.mean(logs), kept=kept, costs={"updates": jnp.sum(updates).astype(jnp.float32)}
        )

    def learn(self, arm: str, way: Way, key: PRNGKeyArray) -> tuple[Count, Array]:
        """How many updates one arm needs on one way, and whether it got there."""
        at_shuffle, at_life = jax.random.split(key)
        exact = value_iteration(way.world, self.discount)
        smallest = jnp.float32(self.discount) ** (way.length - 1).astype(jnp.float32)
        rate, most = (SLOW if "slow" in arm else 1.0), self.most
        reward = way.world.reward
        if arm == "reward shuffled":
            most = min(most, self.sham_most)
            reward = shuffled(way, at_shuffle)

        def going(carry: tuple[Table, Count]) -> Array:
            off = jnp.max(jnp.abs(carry[0] - exact))
            return (off > CLOSE * smallest) & (carry[1] < most)

        def update(carry: tuple[Table, Count]) -> tuple[Table, Count]:
            q, n = carry
            worth = jnp.where(way.world.terminal, 0.0, jnp.max(q, axis=1))
            targets = reward + jnp.float32(self.discount) * worth[way.next_state]
            pair = self.pick(arm, way, q, targets, n, jax.random.fold_in(at_life, n))
            return q.at[pair].add(rate * (targets[pair] - q[pair])), n + 1

        start = (jnp.zeros_like(exact), jnp.zeros((), jnp.int32))
        q, updates = jax.lax.while_loop(going, update, start)
        return updates, ~going((q, jnp.zeros((), jnp.int32)))

    def pick(
        self, arm: str, way: Way, q: Table, targets: Table, n: Count, key: PRNGKeyArray
    ) -> tuple[Array, Array]:
        """The state and action to learn from next."""
        real = (jnp.arange(LONGEST + 1) < way.length)[:, None]
        if arm == "prioritised":
            return best(jnp.where(real, jnp.abs(targets - q), -1.0))
        if arm == "gain":
            policy = EpsilonGreedy(SLIPS)
            chain = policy_chain(way.world, jax.vmap(policy.probabilities)(q))
            here = jnp.zeros((), jnp.int32)
            value = backup_value(q, targets, policy, chain, here, discount=self.discount)
            return best(jnp.where(real, value, -jnp.inf))
        if arm == "uniform, all":
            drawn = jax.random.randint(key, (), 0, 2 * way.length)
            return drawn // 2, drawn % 2
        if "uniform" in arm:
            state = jax.random.randint(key, (), 0, way.length)
        elif arm == "forward":
            state = n % way.length
        else:
            state = way.length - 1 - n % way.length
        return state, way.right[state]

    def evidence(self, outcomes: Outcomes) -> Evidence:
        logs = {arm: -np.log(np.asarray(o.kept["updates"], float)) for arm, o in outcomes.items()}
        levels = np.log(np.array(LENGTHS, float))

        def steeper(control: str, brain: str = "reverse") -> Slope:
            return Slope(levels, logs[brain], self.margin, logs[control])

        share = {arm: float(np.mean(o.kept["learned"])) for arm, o in outcomes.items()}
        sham = share.pop("reward shuffled")
        worst = min(share, key=share.__getitem__)
        slow = np.asarray(outcomes["reverse, slow"].kept["exponent"], float)
        return Evidence(
            steeper("uniform"),
            (
                Gate(
                    "all but the sham learn every length",
                    share[worst] == 1,
                    f"{worst}: {share[worst]:.0%}",
                ),
                Gate("the sham does not", sham <= 0.05, f"{sham:.0%} of lengths and seeds"),
            ),
            {
                "against any remembered step": steeper("uniform, all"),
                "against forward order": steeper("forward"),
                "against the largest error first": steeper("prioritised"),
                "slow: against random order": steeper("uniform, slow", "reverse, slow"),
                "slow reverse has exponent 1": Parity(np.ones_like(slow), slow, 0.2),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        shown = {a: np.asarray(o.kept["updates"]) for a, o in outcomes.items() if "shuf" not in a}
        picture = curves(
            np.array(LENGTHS),
            shown,
            x_title="length of the way, steps",
            y_title="updates",
            log_y=True,
        )
        return picture.update_xaxes(type="log", tickvals=list(LENGTHS))


def ways() -> Way:
    """All lengths, stacked."""
    with jax.ensure_compile_time_eval():
        made = [way(length) for length in LENGTHS]
        return jax.tree.map(lambda *parts: jnp.stack(parts), *made)


def way(length: int) -> Way:
    """One length, padded with states that nobody comes to."""
    exact = transitions(BlindCliffwalk(length))
    extra = LONGEST - length
    pad = lambda x, axes: jnp.pad(x, [(0, extra if i in axes else 0) for i in range(x.ndim)])  # noqa: E731
    world = Transitions(
        pad(exact.probability, (0, 2)),
        pad(exact.reward, (0,)),
        pad(exact.starts, (0,)),
        jnp.arange(LONGEST + 1) >= length,
    )
    to = jnp.argmax(world.probability, axis=2).astype(jnp.int32)
    leads = to == jnp.arange(1, LONGEST + 2)[:, None]
    # The last right action and its wrong one both end; the right one is paid.
    right = jnp.argmax(jnp.where(world.reward > 0, 2, leads.astype(jnp.int32)), axis=1)
    return Way(world, to, right, jnp.int32(length))


def shuffled(way: Way, key: PRNGKeyArray) -> Table:
    """The rewards of the sequence, with that of its last step at one of the others."""
    state = jax.random.randint(key, (), 0, way.length - 1)
    return jnp.zeros_like(way.world.reward).at[state, way.right[state]].set(1.0)


def best(table: Table) -> tuple[Array, Array]:
    """State and action of the largest entry."""
    place = jnp.argmax(table)
    return place // 2, place % 2
