"""Claims made of random numbers, in which the truth is known, for `null-calibration`.

Morris, White & Crowther (2019), Stat. Med. 38:2074 (simulation studies of statistical methods).

A simulation takes a source of noise, the number of seeds, and whether an effect of twice the margin
is planted. Otherwise nothing is there and the margin is 0, so that only the interval keeps the
judge from error. Parity is the other way round: planted are arms that are alike, otherwise the
difference is the margin.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from ..evidence import (
    AgainstNull,
    Identity,
    Order,
    Parity,
    Resampled,
    Share,
    Slope,
    Superiority,
    Survival,
    mean_over_both,
)
from ..experiment import AbstractTest

MARGIN = 0.6  # standard deviations of a paired difference
HALF = 0.5**0.5  # arms with this spread have differences with a spread of 1
LEVELS = np.arange(5.0)
STIMULI = 48
TOLERANCE = 1e-6


@dataclasses.dataclass(frozen=True)
class Noise:
    """Independent numbers with mean 0 and variance 1; "heavy" is Student's t with 3 degrees."""

    rng: np.random.Generator
    tail: str

    def __call__(self, *shape: int) -> np.ndarray:
        if self.tail == "heavy":
            return self.rng.standard_t(3, shape) / 3**0.5
        return self.rng.standard_normal(shape)


Simulation = Callable[[Noise, int, bool], AbstractTest]


def _superiority(noise: Noise, n: int, planted: bool) -> AbstractTest:
    brain, control = noise(2, n) * HALF
    return Superiority(brain + 2 * MARGIN * planted, control, MARGIN * planted)


def _interquartile_mean(noise: Noise, n: int, planted: bool) -> AbstractTest:
    brain, control = noise(2, n) * HALF
    brain += 2 * MARGIN * planted
    return Superiority(brain, control, MARGIN * planted, average="interquartile mean")


def _parity(noise: Noise, n: int, planted: bool) -> AbstractTest:
    brain, control = noise(2, n) * HALF
    return Parity(brain - 2 * MARGIN * (not planted), control, 2 * MARGIN)


def _slope(noise: Noise, n: int, planted: bool) -> AbstractTest:
    spread = HALF * np.sqrt(LEVELS.var() * LEVELS.size)  # slopes differ with a spread of 1
    brain, control = noise(2, n, LEVELS.size) * spread
    return Slope(LEVELS, brain + 2 * MARGIN * planted * LEVELS, MARGIN * planted, control)


def _against_null(noise: Noise, n: int, planted: bool) -> AbstractTest:
    return AgainstNull(noise(n) + 2 * MARGIN * planted, noise(n, 100), MARGIN * planted)


def _order(noise: Noise, n: int, planted: bool) -> AbstractTest:
    lean = {"normal": 0.51, "heavy": 0.38}[noise.tail]  # a mean tau of one half
    observed = noise(n, LEVELS.size) + lean * planted * LEVELS
    return Order(LEVELS, observed, 0.25 * planted)


def _identity(noise: Noise, n: int, planted: bool) -> AbstractTest:
    large, small = 0.1 + np.abs(noise(2, n)), np.abs(noise(2, n)) * TOLERANCE / 1000
    if planted:
        return Identity(small[0], large[0], TOLERANCE)
    return Identity(*(large if noise.rng.random() < 0.5 else small), TOLERANCE)


def _survival(noise: Noise, n: int, planted: bool, end: float = 0.84) -> AbstractTest:
    spread, twofold = np.log(2) / MARGIN * HALF, np.log(2)  # the margin is half the evaluations
    brain, control = np.exp(noise(2, n) * spread)
    budget = float(np.exp(end * spread))  # medians of the control; at 0.84 a fifth of it fails
    return Survival(brain * np.exp(-2 * twofold * planted), control, budget, twofold * planted)


def _half_censored(noise: Noise, n: int, planted: bool) -> AbstractTest:
    return _survival(noise, n, planted, end=0.0)


def _share(noise: Noise, n: int, planted: bool) -> AbstractTest:
    hits = noise.rng.random(n) < (0.8 if planted else 0.3)
    return Share(int(hits.sum()), n, bound=0.3, margin=0.25 * planted)


def _resampled(noise: Noise, n: int, planted: bool) -> AbstractTest:
    effects = noise(n, 1) + noise(1, STIMULI) + noise(n, STIMULI) + 2 * MARGIN * planted
    return Resampled(mean_over_both(effects), n, STIMULI, MARGIN * planted)


def _strained(draw: Callable[[Noise, int], np.ndarray]) -> Simulation:
    """Superiority with differences that are not as Student's t would have them."""

    def simulate(noise: Noise, n: int, planted: bool) -> AbstractTest:
        return Superiority(draw(noise, n) + 2 * MARGIN * planted, np.zeros(n), MARGIN * planted)

    return simulate


def _skewed_parity(noise: Noise, n: int, planted: bool) -> AbstractTest:
    effects = 1 - noise.rng.exponential(size=n) - 2 * MARGIN * (not planted)
    return Parity(effects, np.zeros(n), 2 * MARGIN)


# by arm: what it is in words, and the simulation
KINDS: dict[str, tuple[str, Simulation]] = {
    "superiority": ("paired difference, Student's t", _superiority),
    "interquartile-mean": ("difference of interquartile means, bootstrap", _interquartile_mean),
    "parity": ("two one-sided tests", _parity),
    "slope": ("difference of slopes over five levels", _slope),
    "against-null": ("statistic over 100 draws of each network's own null", _against_null),
    "order": ("Kendall's tau-b of five items", _order),
    "identity": ("without its mechanism, or with a check that passes anything", _identity),
    "survival": ("evaluations to success; a fifth of the control's runs fail", _survival),
    "share": ("share of runs above 0.3", _share),
    "resampled": (f"subjects and {STIMULI} stimuli both drawn anew", _resampled),
}
STRAINS: dict[str, tuple[str, Simulation]] = {
    "skewed": (
        "superiority where rare seeds lose much: an exponential tail",
        _strained(lambda noise, n: 1 - noise.rng.exponential(size=n)),
    ),
    "skewed-parity": ("parity where rare seeds lose much", _skewed_parity),
    "correlated": (
        "superiority where seeds share a fifth of their variance",
        _strained(lambda noise, n: 0.8**0.5 * noise(n) + 0.2**0.5 * noise(1)),
    ),
    "ties": (
        "superiority with differences rounded to whole standard deviations",
        _strained(lambda noise, n: np.round(noise(n))),
    ),
    "outlier": (
        "superiority where one seed spreads ten times as far",
        _strained(lambda noise, n: noise(n) * np.where(np.arange(n) == 0, 10, 1)),
    ),
    "half-censored": ("survival where half of the control's runs fail", _half_censored),
}
