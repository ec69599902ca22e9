"""Fit the forager to two real rats, and say how near it comes: `python -m benchmarks.fit_forager`.

Needs `neurula data get trajectories`. About ten minutes.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from neurula import data
from neurula.agents import Forager
from neurula.environments import Arena, rectangle
from neurula.wandering import wander

BLUR = 0.1  # s, standard deviation: tracking noise below that is not the animal's
MOVING = 0.03  # m/s; the direction of who is slower is noise
FIELDS = "scale", "shape", "speed_time", "turning", "turning_time", "steadiness", "push", "reach"
START = 0.12, 1.5, 0.45, 4.0, 0.05, 0.5, 0.08, 0.06
ARENAS = {"sargolini": rectangle(1.0, 1.0), "tanni": rectangle(3.5, 2.5)}  # m
WALKS, SECONDS = 2, 600.0
TIMES = 0.2  # what a ratio of times by e counts, in KS distances: they are known less well


class Gait(NamedTuple):
    """How an animal moved, from its blurred path."""

    speed: np.ndarray  # m/s
    turning: np.ndarray  # rad/s, while moving
    wall: np.ndarray  # m, from the nearest side of the arena
    speed_time: float  # s, until the autocorrelation has fallen to 1 / e
    turning_time: float  # s


def gait(positions: np.ndarray, dt: float, size: tuple[float, float]) -> Gait:
    """What a path sampled every `dt` seconds in an arena of `size` (m) shows."""
    from scipy.ndimage import gaussian_filter1d

    path = gaussian_filter1d(np.asarray(positions, float), BLUR / dt, axis=0)
    velocity = np.diff(path, axis=0) / dt
    speed = np.hypot(*velocity.T)
    heading = np.arctan2(*velocity.T[::-1])
    turn = (np.diff(heading) + np.pi) % (2 * np.pi) - np.pi
    moving = np.minimum(speed[1:], speed[:-1]) > MOVING
    wall = np.minimum(path, np.array(size) - path).min(1)
    turning = turn / dt
    times = _time(speed, dt), _time(np.where(moving, turning, 0), dt)
    return Gait(speed, turning[moving], wall, *times)


def _time(values: np.ndarray, dt: float) -> float:
    """Until the autocorrelation has fallen to 1 / e, straight between lags."""
    values = values - values.mean()
    before = 1.0
    for lag in range(1, len(values) // 2):
        now = (values[:-lag] * values[lag:]).mean() / values.var()
        if now < np.exp(-1):
            return dt * (lag - 1 + (before - np.exp(-1)) / (before - now))
        before = now
    return dt * len(values)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Kolmogorov's and Smirnov's: the largest gap between two cumulative distributions."""
    both = np.sort(np.concatenate([a, b]))
    shares = [np.searchsorted(np.sort(each), both, side="right") / len(each) for each in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


def apart(found: Gait, real: Gait) -> dict[str, float]:
    """KS distances, and ratios of times as logarithms."""
    gaps = {name: distance(getattr(found, name), getattr(real, name)) for name in Gait._fields[:3]}
    for name in Gait._fields[3:]:
        gaps[name] = abs(float(np.log(getattr(found, name) / getattr(real, name))))
    return gaps


def track(name: str, dt: float = 0.02) -> np.ndarray:
    """A real path, sampled every `dt` seconds, from a corner at 0, 0 (m)."""
    found = data.load("trajectories")
    times, positions = found[f"{name}_time"], found[f"{name}_position"]
    steps = np.arange(times[0], times[-1], dt)
    return np.stack([np.interp(steps, times, positions[:, k]) for k in (0, 1)], 1)


def walked(arena: Arena, values, keys) -> Gait:
    """The gait of a forager with these values, over several walks."""
    forager = Forager(**dict(zip(FIELDS, map(jnp.float32, values), strict=True)))
    size = arena.corners[2]
    walks = [wander(arena, seconds=SECONDS, forager=forager, key=key)[1] for key in keys]
    gaits = [gait(np.asarray(walk.position), arena.dt, size) for walk in walks]
    joined = [np.concatenate([getattr(one, name) for one in gaits]) for name in Gait._fields[:3]]
    times = [float(np.mean([getattr(one, name) for one in gaits])) for name in Gait._fields[3:]]
    return Gait(*joined, *times)


def fit(name: str) -> None:
    """Search, then print values, and distances on walks that the search has not seen."""
    from scipy.optimize import minimize

    arena = Arena(ARENAS[name], fastest=3.0)
    real = gait(track(name), arena.dt, arena.corners[2])
    keys, fresh = jax.random.split(jax.random.key(0), WALKS), jax.random.split(jax.random.key(1), 8)

    def cost(logarithms: np.ndarray) -> float:
        gaps = apart(walked(arena, np.exp(logarithms), keys), real)
        return sum((TIMES if name.endswith("time") else 1) * gap for name, gap in gaps.items())

    options = {"maxfev": 200, "xatol": 0.01, "fatol": 0.002, "adaptive": True}
    start = np.log(START)
    simplex = np.vstack([start, start + 0.3 * np.eye(len(start))])
    options["initial_simplex"] = simplex
    found = minimize(cost, start, method="Nelder-Mead", options=options)
    values = np.exp(found.x)
    print(name, {f: float(f"{v:.3g}") for f, v in zip(FIELDS, values, strict=True)})
    left = apart(walked(arena, values, fresh), real)
    print("  apart, on fresh walks:", {k: round(v, 3) for k, v in left.items()})
    plain = np.array(values)
    plain[1], plain[5] = 2.0, 0.0  # as George et al.: Rayleigh speeds, turns the same at all speeds
    plain[0] *= np.mean(real.speed) / np.mean(walked(arena, plain, fresh[:1]).speed)
    left = apart(walked(arena, plain, fresh), real)
    print("  with shape 2 and steadiness 0:", {k: round(v, 3) for k, v in left.items()})


if __name__ == "__main__":
    for each in ARENAS:
        fit(each)
