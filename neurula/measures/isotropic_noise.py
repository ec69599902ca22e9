"""What a measure of a map gives by chance: noise with the map's spectrum, the same all around.

Phases alone cannot be the null of a grid score: a map with other phases has the same
autocorrelogram. What makes a map hexagonal is the direction of its waves, so that is drawn anew:
Gaussian noise whose power depends on the length of a wave alone. Krupic, Burgess & O'Keefe (2012),
Science 337:853, found spatially periodic cells that are no grids in this way.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from .time_shifts import Shuffled

Maps = Float[np.ndarray, "cell row column"]


def isotropic_noise(
    maps: Maps, surrogates: int, *, rng: np.random.Generator
) -> Float[np.ndarray, "surrogate cell row column"]:
    """Noise with the mean, the variance and, ring by ring, the power spectrum of each map.

    Maps that are never negative are silent somewhere as a rule: their noise is cut below so that
    as many bins are silent, and scaled to the same mean. Raises `ValueError` for maps with NaN.
    """
    if not np.isfinite(maps).all():
        raise ValueError(
            f"Expected maps without gaps, but {np.sum(~np.isfinite(maps))} of {maps.size} bins are "
            "NaN or infinite: a spectrum needs all of them. Fill unvisited bins or crop the maps."
        )
    rows, columns = maps.shape[1:]
    y, x = np.fft.fftfreq(rows) * rows, np.fft.rfftfreq(columns) * columns
    ring = np.rint(np.hypot(y[:, None] / rows, x[None, :] / columns) * max(rows, columns))
    ring = ring.astype(int)
    mean = maps.mean((1, 2), keepdims=True)
    power = np.abs(np.fft.rfft2(maps - mean)) ** 2
    twice = np.where((x > 0) & (x < columns / 2), 2.0, 1.0)[None, :] * np.ones((rows, 1))
    size = np.bincount(ring.ravel(), twice.ravel())
    around = [np.bincount(ring.ravel(), (p * twice).ravel()) / size for p in power]
    amplitude = np.sqrt(np.stack(around))[:, ring]
    drawn = np.fft.rfft2(rng.standard_normal((surrogates, *maps.shape)))
    noise = np.fft.irfft2(drawn * amplitude, (rows, columns))
    spread = noise.std((2, 3), keepdims=True)
    noise = noise / np.where(spread > 0, spread, 1) * maps.std((1, 2), keepdims=True)
    return _silenced(noise, maps) if (maps >= 0).all() else noise + mean


def _silenced(noise: np.ndarray, maps: Maps) -> np.ndarray:
    """As many silent bins, and the same mean, as in each map."""
    flat = np.sort(noise.reshape(*noise.shape[:2], -1), -1)
    silent = np.sum(maps == 0, (1, 2))
    which = np.maximum(silent - 1, 0)[None, :, None]
    floor = np.take_along_axis(flat, np.broadcast_to(which, (*noise.shape[:2], 1)), -1)
    risen = np.maximum(noise - floor[..., None], 0)
    mean = risen.mean((2, 3), keepdims=True)
    return risen * (maps.mean((1, 2))[None, :, None, None] / np.where(mean > 0, mean, 1))


def against_noise(
    measure: Callable[[np.ndarray], np.ndarray],
    maps: Maps,
    *,
    surrogates: int = 99,
    percentile: float = 99.0,
    rng: np.random.Generator,
) -> Shuffled:
    """A measure of maps, with its distribution over isotropic noise made from each map.

    `measure` takes maps (map, row, column) to one number each, such as `grid_score`. With 99
    surrogates a map whose measure is above all of them has p = 0.01.
    """
    noise = np.stack([isotropic_noise(m[None], surrogates, rng=rng)[:, 0] for m in maps])
    made = measure(noise.reshape(-1, *maps.shape[1:])).reshape(len(maps), surrogates)
    bound = [np.nanpercentile(m, percentile) if np.isfinite(m).any() else np.nan for m in made]
    return Shuffled(measure(maps), made, np.asarray(bound))
