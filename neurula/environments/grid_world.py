"""Rooms, corridors and mazes of square cells, drawn as text.

Sutton & Barto (2018), Reinforcement Learning, 2nd edition, MIT Press, chapters 3 to 8.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..behaviour import Discrete
from .finite import AbstractFiniteWorld, Outcomes, State

WALL, BARRIER, START, FREE = "#", "B", "S", "."
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left; rows are counted from the top


class GridWorld(AbstractFiniteWorld):
    """Cells of a drawing, numbered in reading order; actions 0 up, 1 right, 2 down, 3 left.

    `.` a free cell, `#` a wall, `S` a start (several: all equally likely; none: anywhere), `B` a
    barrier: a cell that is counted but cannot be entered, so that a room with and without it has
    the same states. Every other letter must be named in `rewards`. Arriving pays `cost` plus what
    `rewards` says of the cell's letter; cells in `ends` end the episode, cells in `falls` lead back
    to the start. A move into a wall stays. With probability `slip` the move is one of the four,
    drawn uniformly.
    """

    drawing: tuple[str, ...] = eqx.field(static=True)
    rewards: tuple[tuple[str, float], ...] = eqx.field(static=True)
    ends: str = eqx.field(static=True)
    falls: str = eqx.field(static=True)
    cost: float = eqx.field(static=True)
    slip: float = eqx.field(static=True)

    def __init__(
        self,
        drawing: str,
        *,
        rewards: Mapping[str, float] | None = None,
        ends: str = "G",
        falls: str = "",
        cost: float = 0.0,
        slip: float = 0.0,
    ):
        """Raises `ValueError` for a drawing in which nobody can live, or no goal be reached."""
        self.drawing = tuple(line.strip() for line in drawing.strip().splitlines())
        self.rewards = tuple(sorted({"G": 1.0}.items() if rewards is None else rewards.items()))
        self.ends, self.falls, self.cost, self.slip = ends, falls, cost, slip
        _check(self)

    @property
    def actions(self) -> Discrete:
        return Discrete(4)

    @property
    def observations(self) -> Discrete:
        return Discrete(len(self.places))

    @property
    def places(self) -> np.ndarray:
        """Row and column of every state, counted from the top left: (state, 2)."""
        return np.argwhere(np.array([list(line) for line in self.drawing]) != WALL)

    @property
    def letters(self) -> list[str]:
        """What is drawn in every state."""
        return [self.drawing[row][column] for row, column in self.places]

    def state_at(self, row: int, column: int) -> int:
        """The number of the state in a cell. Raises `ValueError` for walls and beyond the edge."""
        found = np.flatnonzero((self.places == (row, column)).all(1))
        if not found.size:
            raise ValueError(
                f"There is no cell in row {row}, column {column} of\n{self}\nRows and columns "
                "count from 0 at the top left; walls have no state. Choose one of `places`."
            )
        return int(found[0])

    @property
    def neighbours(self) -> Int[Array, "state 4"]:
        """Where each move leads from each state, walls and barriers heeded."""
        return jnp.asarray(_neighbours(self), jnp.int32)

    @property
    def starts(self) -> Float[Array, " state"]:
        return jnp.asarray(_starts(self), jnp.float32)

    @property
    def terminal(self) -> Bool[Array, " state"]:
        return jnp.asarray([letter in self.ends for letter in self.letters])

    @property
    def pays(self) -> Float[Array, " state"]:
        """The reward of arriving at each state."""
        known = dict(self.rewards)
        return jnp.asarray([self.cost + known.get(x, 0.0) for x in self.letters], jnp.float32)

    def outcomes(self, state: State, action: Array) -> Outcomes:
        to = self.neighbours[state]
        if self.slip == 0.0:
            to, chance = to[action][None], jnp.ones(1)
        else:
            chance = jnp.full(4, self.slip / 4).at[action].add(1 - self.slip)
        fallen = jnp.asarray([letter in self.falls for letter in self.letters])[to]
        first = int(np.argmax(_starts(self)))
        return Outcomes(chance, jnp.where(fallen, first, to).astype(jnp.int32), self.pays[to])

    def __str__(self) -> str:
        return "\n".join(self.drawing)


def _neighbours(world: GridWorld) -> np.ndarray:
    places = [tuple(place) for place in world.places.tolist()]
    number = {place: state for state, place in enumerate(places)}
    letters = world.letters
    to = np.zeros((len(places), 4), int)
    for state, (row, column) in enumerate(places):
        for move, (down, right) in enumerate(MOVES):
            there = number.get((row + down, column + right), state)
            to[state, move] = state if letters[there] == BARRIER else there
    return to


def _starts(world: GridWorld) -> np.ndarray:
    letters = np.array(world.letters)
    here = letters == START
    if not here.any():
        shut = [*world.ends, *world.falls, BARRIER]
        here = ~np.isin(letters, shut)
    return here / max(here.sum(), 1)


def _check(world: GridWorld) -> None:
    """Refuse drawings in which nobody can live."""
    widths = {len(line) for line in world.drawing}
    if not widths:
        raise ValueError(
            "A drawing has at least one line, got none: nobody could live there. Draw for example "
            "GridWorld('S..G')."
        )
    if len(widths) != 1:
        raise ValueError(
            f"The lines of a drawing are equally long, got {sorted(widths)} characters: cells are "
            "neighbours by row and column. Fill the short lines with '#'."
        )
    numbers = {**dict(world.rewards), "cost": world.cost}
    if odd := {x: n for x, n in numbers.items() if not _pays(x, n)}:
        raise ValueError(
            f"Rewards are finite numbers by single letters other than '#', got {odd}: nothing "
            "could be learned from them. Use for example rewards={'G': 1.0}, cost=-0.1."
        )
    known = {letter for letter, _ in world.rewards} | set(world.ends) | set(world.falls)
    strange = set("".join(world.drawing)) - known - {WALL, BARRIER, START, FREE}
    if strange:
        raise ValueError(
            f"Nothing says what {sorted(strange)} in the drawing means, expected '.', '#', 'S', "
            f"'B' or one of {sorted(known)}. Name it in `rewards`, for example "
            f"GridWorld(drawing, rewards={{{min(strange)!r}: 1.0}})."
        )
    if not 0 <= world.slip <= 1:
        raise ValueError(
            f"`slip` is a probability from 0 to 1, got {world.slip}: moves would have negative "
            "chances. Use for example slip=0.1."
        )
    if not _starts(world).any():
        raise ValueError(
            f"A room needs a free cell to begin in, got none in\n{world}\nNobody could live there. "
            "Draw a '.' or an 'S'."
        )
    if world.falls and (n := int((_starts(world) > 0).sum())) != 1:
        raise ValueError(
            f"Whoever falls goes back to the one start, got {n} starts: it would be unclear where "
            "to. Draw exactly one 'S'."
        )
    _check_reach(world)


def _pays(letter: str, number: Any) -> bool:
    """Whether it can be a letter of a drawing, or the cost, and a reward."""
    finite = isinstance(number, float | int | np.number) and bool(np.isfinite(number))
    return finite and letter != WALL and (len(letter) == 1 or letter == "cost")


def _check_reach(world: GridWorld) -> None:
    """Refuse goals that cannot be reached from some start."""
    to, letters = _neighbours(world), world.letters
    before: list[list[int]] = [[] for _ in letters]  # whoever ends or falls goes no farther
    for state, letter in enumerate(letters):
        for there in () if letter in world.ends + world.falls else set(to[state].tolist()):
            before[there].append(state)
    paid = world.ends + "".join(letter for letter, _ in world.rewards)
    for goal in (state for state, letter in enumerate(letters) if letter in paid):
        lost = set(np.flatnonzero(_starts(world)).tolist()) - _leading(goal, before)
        if lost:
            where, begin = (tuple(world.places[s].tolist()) for s in (goal, min(lost)))
            raise ValueError(
                f"The {letters[goal]!r} in row and column {where} cannot be reached from "
                f"the start in {begin}: nothing could be learned about it.\n{world}\nOpen a wall, "
                "or draw an 'S' on the right side of it."
            )


def _leading(goal: int, before: list[list[int]]) -> set[int]:
    """All states from which a goal can be reached."""
    seen, queue = {goal}, deque([goal])
    while queue:
        for state in set(before[queue.popleft()]) - seen:
            seen.add(state)
            queue.append(state)
    return seen
