"""Rate maps of six kinds, and grid cells on a walk: the same here and for every peer."""

import numpy as np
from scipy.ndimage import gaussian_filter

KINDS = ("perfect", "noisy", "masked", "square", "place", "noise")
BINS, WIDTH = 40, 0.025  # bins on a side, m


def hexagonal(x, y, spacing: float, turn: float, shift=(0.0, 0.0)) -> np.ndarray:
    """Three waves at 60 degrees, from -1.5 to 3; `spacing` in the unit of x and y."""
    angles = turn + np.arange(3) * np.pi / 3
    per = 4 * np.pi / (np.sqrt(3) * spacing)
    return sum(
        np.cos(per * ((x - shift[0]) * np.cos(a) + (y - shift[1]) * np.sin(a))) for a in angles
    )


def square(x, y, spacing: float, turn: float = 0.0, shift=(0.0, 0.0)) -> np.ndarray:
    """Two waves at a right angle, from -2 to 2."""
    per, angles = 2 * np.pi / spacing, (turn, turn + np.pi / 2)
    return sum(
        np.cos(per * ((x - shift[0]) * np.cos(a) + (y - shift[1]) * np.sin(a))) for a in angles
    )


def draw(count: int = 200, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """`count` maps of 1 m x 1 m in Hz, and their kinds in turn."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:BINS, :BINS] + 0.5) * WIDTH
    drawn = [_one(KINDS[k % len(KINDS)], x, y, rng) for k in range(count)]
    return np.array(drawn), [KINDS[k % len(KINDS)] for k in range(count)]


def _one(kind: str, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    spacing, turn = rng.uniform(0.25, 0.55), rng.uniform(0, np.pi / 3)
    shift = rng.uniform(0, spacing, 2)
    blurred = gaussian_filter(rng.normal(size=x.shape), rng.uniform(1.5, 3))
    if kind == "square":
        return 2.5 * (2 + square(x, y, spacing, turn, shift))
    if kind == "place":
        away = np.square(x - rng.uniform(0.1, 0.9)) + np.square(y - rng.uniform(0.1, 0.9))
        field = 12 * np.exp(-away / (2 * rng.uniform(0.05, 0.12) ** 2))
        return gaussian_filter(field + 0.2 * rng.random(x.shape), 1.5)
    if kind == "noise":
        return np.maximum(3 + 10 * blurred, 0)
    rates = 10 * (hexagonal(x, y, spacing, turn, shift) + 1.5) / 4.5
    if kind == "perfect":
        return rates
    rates = np.maximum(rates + rng.uniform(4, 20) * blurred, 0)
    if kind == "masked":
        i, j = rng.integers(0, BINS - 10, 2)
        rates[i : i + 8, j : j + 10] = np.nan
    return rates


def walk(seconds: float = 600.0, rate: float = 50.0, seed: int = 0):
    """Positions (m) in 1 m x 1 m and times (s): a smooth velocity, walls that reflect."""
    rng = np.random.default_rng(seed)
    steps = int(seconds * rate)
    speed = gaussian_filter(rng.normal(size=(steps, 2)), (0.5 * rate, 0))
    path = np.cumsum(speed * 0.2 / speed.std() / rate, 0) + 0.5
    return 1 - np.abs(path % 2 - 1), np.arange(steps) / rate


def grid_cells(count: int, positions: np.ndarray, times: np.ndarray, seed: int = 1):
    """Spike times (s) of grid cells, 8 Hz at their peaks, as Poisson spikes; one array each."""
    rng = np.random.default_rng(seed)
    step, found = float(np.median(np.diff(times))), []
    for _ in range(count):
        spacing, turn = rng.uniform(0.3, 0.5), rng.uniform(0, np.pi / 3)
        waves = hexagonal(*positions.T, spacing, turn, rng.uniform(0, spacing, 2))
        fired = rng.poisson(8 * (waves + 1.5) / 4.5 * step)
        found.append(np.repeat(times, fired) + step / 2)
    return found
