"""Whether fields of a successor representation crowd around a reward more than visits do.

Place cells at goals: Hollup, Molden, Donnett, Moser & Moser (2001), J. Neurosci. 21:1635; as
prediction: Stachenfeld, Botvinick & Gershman (2017), Nat. Neurosci. 20:1643. A sentence of several
parts: Berger & Hsu (1996), Stat. Sci. 11:283.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..environments import GridWorld
from ..evidence import Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..predictive_map import Successors, learned_successors

SEEKS, NOWHERE, OCCUPANCY, AIMLESS = "seeks", "no reward", "occupancy", "aimless"
SIDE, GOAL = 15, (4, 10)  # cells; row and column of the reward
REACH = 2.5  # cells: who is nearer counts as at the reward
ERRS = 0.3  # chance of a step in any direction
HALF = 0.5  # of a field's peak: what lies below is not of the field
LEAST = 1e-3  # of all fields: a share that is smaller counts as this


class SrRewards(AbstractClaim):
    """A room of 15 x 15 cells with a reward; an episode ends there and the next begins anywhere.

    A field's centre is the centre of mass of what is above half its peak. Each field counts as much
    as its sum over the room; the score is the logarithm of the share that is centred within 2.5
    cells of the reward.
    """

    statement: ClassVar[str] = (
        "Under a policy that seeks a reward, fields of a learned successor representation crowd "
        "around it at least 1.3 times as much as under a random policy, and as occupancy predicts."
    )
    source: ClassVar[str] = (
        "Rewarded locations are represented by a higher number of place cells; Stachenfeld et al. "
        "(2017), Nat. Neurosci. 20:1643; Hollup et al. (2001), J. Neurosci. 21:1635"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "computation"
    kind: ClassVar[str] = "superiority"
    arms: ClassVar[dict[str, Arm]] = {
        SEEKS: Arm(
            "brain", "SR of a policy that walks to the reward, three steps in ten at random"
        ),
        NOWHERE: Arm("control", "SR of a random walk in the room without a reward"),
        OCCUPANCY: Arm("control", "Gaussian cells, centres drawn by where the seeker was"),
        AIMLESS: Arm("sham", "SR of a random walk that ends at the reward: it is there, unsought"),
    }
    margin: ClassVar[float] = float(np.log(1.3))
    unit: ClassVar[str] = "logarithm of the share of fields at the reward (0.26: 1.3 times)"
    refuted_if: ClassVar[str] = (
        "the share at the reward is below 1.3 times that of the random walk, or below 1.3 times "
        "that of cells drawn by occupancy: then visits explain all. The weaker comparison rules"
    )
    expected: ClassVar[str] = (
        "More than under a random walk. Bad outcome, and likely: what an SR adds up is discounted "
        "visits, so that matched occupancy leaves nothing."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "An SR has one cell for every state: there cannot be more cells, only larger fields, and "
        "centres that move. Hence fields count by their sum; plain counts of centres stand beside.",
        "Fields reach backwards from the reward, against the way of travel: centres move away.",
        "The policy is given, not learned, and nobody stays at the reward to eat.",
        "A model against models: no recording says which count is the brain's.",
        "The design was changed on tuning seeds with scores in view.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, steps=2_000),
        "quick": Budget(20),
        "full": Budget(20, steps=400_000),
    }

    steps: int = 40_000
    discount: float = 0.9
    rate: float = 0.05  # of learning

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # discount and rate are the same for all arms

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_life, at_cells = jax.random.split(key)
        seeks, ends = arm in (SEEKS, OCCUPANCY), arm != NOWHERE
        path, follows = lived(self.steps, seeks=seeks, ends=ends, key=at_life)
        visits = jnp.zeros(SIDE**2).at[path].add(1.0) / self.steps
        if arm == OCCUPANCY:
            drawn = jax.random.choice(at_cells, SIDE**2, (SIDE**2,), p=visits)
            fields, centres = gaussians(drawn), spots()[drawn]
            size = jnp.ones(SIDE**2)
        else:
            fields = learned_successors(
                path, SIDE**2, discount=self.discount, rate=self.rate, follows=follows
            )
            centres, size = middles(fields), jnp.sum(fields, axis=0)
        there = at_reward(centres)
        kept = {
            "visits": jnp.log(jnp.maximum(jnp.sum(visits * at_reward(spots())), LEAST)),
            "count": jnp.log(jnp.maximum(jnp.mean(there), LEAST)),
            "map": jnp.sum(fields, 1).reshape(SIDE, SIDE),
            "fields": jnp.zeros(SIDE**2).at[nearest(centres)].add(size).reshape(SIDE, SIDE),
            "episodes": jnp.sum(~follows) / self.steps,
        }
        score = jnp.log(jnp.maximum(jnp.sum(there * size) / jnp.sum(size), LEAST))
        return Outcome(score, kept=kept)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        shares = {arm: np.asarray(outcome.score, np.float64) for arm, outcome in outcomes.items()}
        kept = {
            arm: {name: np.asarray(x, np.float64) for name, x in outcome.kept.items()}
            for arm, outcome in outcomes.items()
        }
        beyond = lambda other: Superiority(shares[SEEKS], shares[other], self.margin)  # noqa: E731
        parts = {f"beyond {arm}": beyond(arm) for arm in (NOWHERE, OCCUPANCY)}
        counts = {
            f"plain count of centres, beyond {arm}": Superiority(
                kept[SEEKS]["count"], kept[arm]["count"], self.margin
            )
            for arm in (NOWHERE, OCCUPANCY)
        }
        sought = kept[SEEKS]["episodes"].mean() / max(kept[AIMLESS]["episodes"].mean(), 1e-9)
        more = "The reward is sought: it is reached at least 3 times as often as by chance."
        return Evidence(
            weakest(*parts.values()),
            gates=(Gate(more, bool(sought >= 3), f"{sought:.1f} times"),),
            secondary={**parts, f"beyond {AIMLESS}": beyond(AIMLESS), **counts},
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import rate_maps

        fields = {arm: np.asarray(o.kept["fields"]).mean(0) for arm, o in outcomes.items()}
        maps = np.stack([100 * one / one.sum() for one in fields.values()])
        return rate_maps(maps[:, ::-1], titles=list(fields), unit="%", columns=4)


def world() -> GridWorld:
    """The room, its reward marked G."""
    rows = [["."] * SIDE for _ in range(SIDE)]
    rows[GOAL[0]][GOAL[1]] = "G"
    return GridWorld("\n".join("".join(row) for row in rows))


def spots() -> Float[Array, "state 2"]:
    """Row and column of every state."""
    return jnp.asarray(world().places, jnp.float32)


def at_reward(centres: Float[Array, "cell 2"]) -> Float[Array, " cell"]:
    """1 for who is at the reward."""
    away = centres - jnp.asarray(GOAL, jnp.float32)[None]
    return (jnp.sum(away**2, axis=1) <= REACH**2).astype(jnp.float32)


def lived(
    steps: int, *, seeks: bool, ends: bool, key: PRNGKeyArray
) -> tuple[Int[Array, " time"], Bool[Array, " time"]]:
    """States that are visited, and whether the next one follows from it or begins anew."""
    room = world()
    goal, size = room.state_at(*GOAL), SIDE**2
    far = np.abs(room.places - np.array(GOAL)).sum(1)
    with jax.ensure_compile_time_eval():
        closer = far[np.asarray(room.neighbours)] < far[:, None]
    even = np.full((size, 4), 0.25)
    aims = np.where(
        closer.any(1, keepdims=True), closer / np.maximum(closer.sum(1)[:, None], 1), even
    )
    chances = ERRS * even + (1 - ERRS) * aims if seeks else even
    until = jnp.asarray(np.cumsum(chances, 1), jnp.float32)
    to = room.neighbours

    def one(state: Array, chance: Array) -> tuple[Array, tuple[Array, Array]]:
        move = jnp.minimum(jnp.sum((until[state] <= chance[0]).astype(jnp.int32)), 3)
        anew = jnp.minimum((chance[1] * size).astype(jnp.int32), size - 1)
        over = (state == goal) & ends
        return jnp.where(over, anew, to[state, move]), (state, ~over)

    chance = jax.random.uniform(key, (steps, 2))
    return jax.lax.scan(one, jnp.zeros((), jnp.int32), chance)[1]


def middles(fields: Successors) -> Float[Array, "cell 2"]:
    """Centres of mass of what is above half the peak of each field."""
    inside = jnp.where(fields >= HALF * jnp.max(fields, 0, keepdims=True), fields, 0.0)
    return (inside / jnp.sum(inside, 0, keepdims=True)).T @ spots()


def nearest(centres: Float[Array, "cell 2"]) -> Int[Array, " cell"]:
    """The states in which centres lie."""
    row, column = jnp.round(centres).astype(jnp.int32).T
    return row * SIDE + column


def gaussians(states: Int[Array, " cell"]) -> Successors:
    """Fields around states, two cells wide."""
    away = jnp.sum((spots()[:, None] - spots()[states][None]) ** 2, axis=-1)
    return jnp.exp(-away / 8)
