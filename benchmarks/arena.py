"""Rats with place and grid cells, 600 s at 10 ms, against RatInABox: equal statistics first.

The peer runs in an environment of its own: see `python -m benchmarks.peers`. Its time is counted up
from 60 s of one animal.
"""

import os
import statistics
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from neurula.agents import Forager
from neurula.cells import GridCells, PlaceCells, follow
from neurula.environments import Arena, Whereabouts
from neurula.measures import rate_map, visits
from neurula.wandering import wander

from .fit_forager import distance, gait
from .peers.__main__ import python_of

HERE = Path(__file__).parent
SECONDS, DT = 600.0, 0.01  # s
FEW, LONG = 60.0, 240.0  # s: the peer with cells, timed, and then alone, for its gait
WALLS = (
    ((0.5, 0.0), (0.5, 0.35)), ((0.5, 1.0), (0.5, 0.65)),
    ((0.0, 0.5), (0.35, 0.5)), ((1.0, 0.5), (0.65, 0.5)),
)  # fmt: skip
ROOMS = {"open": (), "with 4 walls": WALLS}
MODULES, MANY = 4, 64
# As the peer's defaults: Rayleigh speeds, turns the same at all speeds. But its speeds are slower
# than what it draws them from: a wall takes some, and the next speed follows from what is left.
# Ours do not remember walls, so all are 7 % slower; and nothing pushes away from walls, as in an
# open room the peer spends as much time near them as anywhere. Fitted to four other paths of its
# own, each of which is 0.04 to 0.07 away from the rest in speed: 240 s are few.
PEER_LIKE = Forager(0.105, 2.0, 0.7, np.deg2rad(120.0), 0.08, 0.0, 0.0, 0.1)
SPREAD = 0.12  # m, of place fields
ALIKE = {"speed": 0.1, "turning": 0.1}  # largest Kolmogorov-Smirnov distance


def cells(arena: Arena) -> tuple[PlaceCells, GridCells]:
    """100 place cells on a lattice, walls hide what is behind them; 4 x 25 smooth grid cells."""
    rng = np.random.default_rng(0)
    line = (np.arange(10) + 0.5) / 10
    centres = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) + rng.uniform(
        -0.02, 0.02, (100, 2)
    )
    place = PlaceCells(jnp.float32(centres), arena, SPREAD, 1.0, distance="line of sight")
    spacing = 0.3 * 1.42 ** np.arange(MODULES)
    offset = rng.uniform(0, 1, (MODULES, 25, 2)) * spacing[:, None, None]
    turn = rng.uniform(0, np.pi / 3, MODULES)
    grid = GridCells(jnp.float32(offset), jnp.float32(spacing), jnp.float32(turn), 1.0, -0.5)
    return place, grid


@partial(jax.jit, static_argnums=0)
def one(arena: Arena, key) -> tuple:
    """One animal: its path, and the rates of its 200 cells at every step."""
    _, path = wander(arena, seconds=SECONDS, forager=PEER_LIKE, key=key)
    place, grid = cells(arena)
    return path, follow(place, path), follow(grid, path)


@partial(jax.jit, static_argnums=0)
def many(arena: Arena, keys) -> tuple:
    """Many animals at once walk side by side; then the rates of each, one after the other."""
    walk = lambda key: wander(arena, seconds=SECONDS, forager=PEER_LIKE, key=key)[1]  # noqa: E731
    paths = jax.vmap(walk)(keys)
    place, grid = cells(arena)
    return paths, jax.lax.map(lambda path: (follow(place, path), follow(grid, path)), paths)


def _peer(room: str, given: dict) -> dict | None:
    folder = os.environ.get("NEURULA_PEERS", "")
    python = python_of(Path(folder), "ratinabox")
    if not folder or not python.exists():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        file, result = Path(scratch) / "given.npz", Path(scratch) / "result.npz"
        np.savez(file, walls=np.array(ROOMS[room]).reshape(-1, 2, 2), **given)
        command = [str(python), str(HERE / "peers" / "on_ratinabox.py"), str(file), str(result)]
        subprocess.run(command, check=True, capture_output=True, cwd=scratch)
        with np.load(result) as found:
            return dict(found)


def equal(arena: Arena, theirs: dict) -> dict[str, float]:
    """How near both are: gaits, coverage, and maps of the peer's path. Raises where they differ."""
    place, grid = cells(arena)
    taken = [jax.vmap(partial(wander, arena, seconds=SECONDS, forager=PEER_LIKE))]
    ours = np.asarray(taken[0](key=jax.random.split(jax.random.key(1), 4))[1].position)
    size = arena.corners[2]
    mine = [gait(each, DT, size) for each in ours]
    other = gait(theirs["positions"], DT, size)
    found = {
        name: distance(np.concatenate([getattr(g, name) for g in mine]), getattr(other, name))
        for name in ALIKE
    }
    boxes = lambda places: len(np.unique((places * 10).astype(int) @ [10, 1])) / 100  # noqa: E731
    found["coverage, ours"] = float(np.mean([boxes(each) for each in ours]))
    found["coverage, theirs"] = boxes(theirs["positions"])
    path = jnp.float32(theirs["positions"][:6000])
    here = Whereabouts(path, jnp.zeros(len(path)), path)
    times = np.arange(len(path)) * DT
    seen = visits(np.asarray(path, float), times, bin_width=0.05, extent=(0, 1, 0, 1))
    rates = np.concatenate([np.asarray(follow(each, here)) for each in (place, grid)], 1)
    maps, others = (rate_map(seen, rates=r, sigma=0.0) for r in (rates, theirs["rates"]))
    there = np.isfinite(maps[0])
    alike = [np.corrcoef(a[there], b[there])[0, 1] for a, b in zip(maps, others, strict=True)
             if a[there].std() > 1e-6]  # fmt: skip
    found["least correlation of maps"] = float(min(alike))
    sizes = [float(np.mean((m[:, there] > 0.5).mean(1))) for m in (maps, others)]
    found["share of the floor above half the peak, ours"], found["theirs"] = sizes
    assert found["least correlation of maps"] > 0.99, found
    assert all(found[name] < limit for name, limit in ALIKE.items()), found
    return found


def _against(room: str) -> dict:
    """One animal and 64 of them."""
    arena = Arena(walls=ROOMS[room], dt=DT)
    place, grid = cells(arena)
    lengths = {"seconds": FEW, "dt": DT, "long": LONG, "spread": SPREAD}
    given = {"centres": place.centres, "offset": grid.offset, "spacing": grid.spacing}
    given |= {"orientation": grid.orientation, **lengths}
    theirs = _peer(room, {name: np.asarray(x, float) for name, x in given.items()})
    if theirs is None:
        return {"missing": "make environments for peers: python -m benchmarks.peers FOLDER"}
    same = equal(arena, theirs)
    whole = float(theirs["seconds"]) * SECONDS / FEW
    keys = jax.random.split(jax.random.key(0), MANY)
    return {
        "version": str(theirs["version"]),
        "equal": same,
        "one animal": _timed(lambda: one(arena, keys[0]), whole, 5),
        "64 animals": _timed(lambda: many(arena, keys), MANY * whole, 2),
    }


def _timed(ours, theirs: float, repeats: int) -> dict:
    seconds = []
    for _ in range(repeats + 1):  # the first compiles
        began = time.perf_counter()
        jax.block_until_ready(ours())
        seconds.append(time.perf_counter() - began)
    warm = statistics.median(seconds[1:])
    return {
        "cold_seconds": seconds[0],
        "warm_seconds": {"ours": warm, "theirs": theirs},
        "ratio": theirs / warm,
        "ratio_range": [theirs / max(seconds[1:]), theirs / min(seconds[1:])],
    }


def against(room: str):
    """One comparison, to be run later."""
    return partial(_against, room)
