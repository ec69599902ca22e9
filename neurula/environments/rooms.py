"""Well-known rooms and mazes, drawn as grid worlds.

Sutton & Barto (2018), Reinforcement Learning, 2nd edition, MIT Press (maze: figure 8.2; cliff:
example 6.6); four rooms: Sutton, Precup & Singh (1999), Artif. Intell. 112:181; detour: Tolman &
Honzik (1930), Univ. Calif. Publ. Psychol. 4:215.
"""

from typing import Literal

from .grid_world import GridWorld

MAZE = """
.......#G
..#....#.
S.#....#.
..#......
.....#...
.........
"""

CLIFF = """
............
............
............
SCCCCCCCCCCG
"""

FOUR_ROOMS = """
#############
#.....#.....#
#.....#.....#
#...........#
#.....#.....#
#.....#.....#
##.####.....#
#.....###.###
#.....#.....#
#.....#.....#
#...........#
#.....#.....#
#############
"""

DETOUR = """
###G.....
###.####.
....####.
.##.####.
....####.
###S.....
"""
BLOCKS = {"near": (3, 3), "far": (1, 3)}  # row, column


def open_field(rows: int = 10, columns: int | None = None, *, slip: float = 0.0) -> GridWorld:
    """A room without walls and without pay, in which episodes begin anywhere and never end."""
    columns = rows if columns is None else columns
    if rows < 1 or columns < 1:
        raise ValueError(
            f"A field has at least one row and column, got {rows} x {columns}: there would be no "
            "cell to be in. Use for example open_field(10)."
        )
    return GridWorld("\n".join(["." * columns] * rows), slip=slip)


def corridor(length: int = 10, *, slip: float = 0.0) -> GridWorld:
    """A start at the left-hand end, a reward of 1 at the other, `length` steps away."""
    if length < 1:
        raise ValueError(
            f"The goal is at least one step away, got length={length}: the episode would be over "
            "before it begins. Use for example corridor(10)."
        )
    return GridWorld("S" + "." * (length - 1) + "G", slip=slip)


def maze(*, slip: float = 0.0) -> GridWorld:
    """The maze of 6 x 9 cells of Dyna: 14 steps from the start to a reward of 1."""
    return GridWorld(MAZE, slip=slip)


def cliff() -> GridWorld:
    """A goal 13 safe steps away along a cliff: steps cost 1, falling costs 100 and leads back."""
    return GridWorld(CLIFF, rewards={"C": -99.0}, falls="C", cost=-1.0)


def detour(block: Literal["none", "near", "far"] = "none") -> GridWorld:
    """Three ways to a reward, of 5, 11 and 15 steps; blocks are counted as cells either way.

    A block that is `near` shuts the first way, so that the second is best. One that is `far` shuts
    the part that the first two share: who has insight takes the third at once.
    """
    lines = [list(line) for line in DETOUR.strip().splitlines()]
    if block not in ("none", *BLOCKS):
        raise ValueError(
            f"A block is 'none', 'near' or 'far', got {block!r}. Write for example detour('near')."
        )
    if block != "none":
        row, column = BLOCKS[block]
        lines[row][column] = "B"
    return GridWorld("\n".join("".join(line) for line in lines))


def four_rooms(
    *, goal: tuple[int, int] | None = (7, 9), pay: float = 1.0, slip: float = 0.0
) -> GridWorld:
    """Four rooms joined by four doors, 104 cells; the goal is in the given row and column."""
    lines = [list(line) for line in FOUR_ROOMS.strip().splitlines()]
    if goal is not None:
        row, column = goal
        if not (0 <= row < 13 and 0 <= column < 13) or lines[row][column] == "#":
            raise ValueError(
                f"A goal is in a free cell, got row and column {goal}, which is a wall or outside "
                "the 13 x 13 cells: nobody could get there. Use for example "
                "four_rooms(goal=(9, 9))."
            )
        lines[row][column] = "G"
    return GridWorld("\n".join("".join(line) for line in lines), rewards={"G": pay}, slip=slip)
