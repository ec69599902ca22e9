"""Who takes the third way at once, when a block far ahead shuts the first and the second.

Tolman & Honzik (1930), Univ. Calif. Publ. Psychol. 4:215 (rats do); with maps and models: Russek,
Momennejad, Botvinick, Gershman & Daw (2017), PLoS Comput. Biol. 13:e1005768.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..agents import value_iteration
from ..behaviour import AbstractAgent
from ..environments import GridWorld, TimeLimit, detour, transitions
from ..environments.rooms import BLOCKS
from ..evidence import Parity, Superiority
from ..experiment import AbstractTest, Outcomes
from ..lifetime import act

UP, RIGHT, LEFT = 0, 1, 3
# Where an animal meets the block, below it; where it chooses, and what it should choose then.
MEETS = {"near": (4, 3), "far": (2, 3)}
CHOOSES = {"near": ((4, 3), LEFT), "far": ((5, 3), RIGHT)}
STATES = len(detour().places)
Table = Callable[[Any], Float[Array, "state 4"]]


def minds(
    agent: AbstractAgent, table: Table, steps: tuple[int, int], discount: float, *,
    key: PRNGKeyArray,
) -> dict[str, Float[Array, ""]]:  # fmt: skip
    """How far the choice follows each block, 0 not at all and 1 fully, without being made again.

    So many steps are lived in the open maze from anywhere, then so many single ones from the cell
    before the block. A block that is near is met where the choice is made, one that is far where
    no choice helps any more. `table(state of the agent)` gives its values.
    """
    at_early, at_late = jax.random.split(key)
    anywhere = GridWorld(str(detour()).replace("S", "."))
    early, late = steps
    before = act(agent, anywhere, steps=early, key=at_early).agent_state
    found = {}
    for block, place in MEETS.items():
        world = met(block, place)
        after = act(agent, TimeLimit(world, 1), steps=late, state=before, key=at_late).agent_state
        where, better = CHOOSES[block]
        here = world.state_at(*where)
        lean = lambda values, s=here, a=better: values[s, a] - values[s, UP]  # noqa: E731
        exact = [value_iteration(transitions(w), discount) for w in (anywhere, world)]
        turned = lean(table(after)) - lean(table(before))
        found[f"detour, {block}"] = turned / (lean(exact[1]) - lean(exact[0]))
    return found


def comparisons(outcomes: Outcomes, margin: float, still: float) -> dict[str, AbstractTest]:
    """A block far ahead is foreseen by the model alone; one that is met turns everybody."""
    of = lambda arm, block: np.asarray(outcomes[arm].kept[f"detour, {block}"], float)  # noqa: E731
    none = np.zeros_like(of("successor", "far"))
    told: dict[str, AbstractTest] = {}
    for arm in ("successor", "model-free"):
        lead = Superiority(of("model-based", "far"), of(arm, "far"), margin)
        told[f"detour, far: model over {arm}"] = lead
        told[f"detour, far: {arm} stays"] = Parity(none, of(arm, "far"), still)
    for arm in ("successor", "model-free", "model-based"):
        told[f"detour, near: {arm} turns"] = Superiority(of(arm, "near"), none, margin)
    return told


def met(block: str, place: tuple[int, int]) -> GridWorld:
    """The maze with a block, in which every life begins below it."""
    lines = [list(line) for line in str(detour()).replace("S", ".").splitlines()]
    for (row, column), letter in ((BLOCKS[block], "B"), (place, "S")):
        lines[row][column] = letter
    return GridWorld("\n".join("".join(line) for line in lines))
