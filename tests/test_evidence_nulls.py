"""How often shares of successes are told apart where nothing is there, and found where it is.

By enumeration of all outcomes where it can be done, else by simulation within a binomial interval.
"""

import itertools

import numpy as np
import pytest
from scipy import stats

from neurula.claims.null_calibration import LIMIT, POWER
from neurula.evidence import AtLeast, Successes

MARGIN = 0.2  # a share of runs


def runs(successes, trials):
    return np.arange(trials) < successes


def supported(one, other, trials, margin):
    """The chance that shares `one` and `other`, in so many runs an arm, are ruled 'supported'."""
    chances = [
        stats.binom.pmf(np.arange(n + 1), n, p) for n, p in zip(trials, (one, other), strict=True)
    ]
    found = 0.0
    for a, b in itertools.product(range(trials[0] + 1), range(trials[1] + 1)):
        if a * trials[1] > b * trials[0] and chances[0][a] * chances[1][b] > 1e-7:
            ruled = Successes(runs(a, trials[0]), runs(b, trials[1]), margin).decide().ruling
            found += chances[0][a] * chances[1][b] * (ruled == "supported")
    return found


@pytest.mark.parametrize("trials", [(8, 8), (10, 10), (20, 20), (10, 20)])
def test_equal_shares_of_few_runs_stay_within_the_judges_limit(trials):
    """At worst 3.8 %, with 8 runs an arm; the interval states 2.5 %, the judge promises 6 %."""
    worst = max(supported(share, share, trials, 0.0) for share in (0.1, 0.3, 0.5, 0.7, 0.9))
    assert worst <= 0.04 < LIMIT


@pytest.mark.parametrize("trials", [(10, 10), (20, 20)])
def test_a_large_difference_of_shares_is_found(trials):
    assert supported(0.95, 0.15, trials, MARGIN) >= POWER


def sentences(rng, true, n):
    """Four sentences of two comparisons each, of which so many are true."""
    found = {}
    for index in range(4):
        brain = rng.random(n) < (0.9 if index < true else 0.4)
        others = [rng.random(n) < (0.1 if index < true else 0.4) for _ in range(2)]
        found[f"problem {index}"] = tuple(Successes(brain, other, 0.0) for other in others)
    return found


def rulings(rng, true, trials, n=20):
    return sum(
        AtLeast(sentences(rng, true, n), 2).decide().ruling == "supported" for _ in range(trials)
    )


def test_at_least_two_of_four_sentences_about_shares():
    """With one true sentence a second would be an error; with three, two are found."""
    rng, trials = np.random.default_rng(0), 400
    wrong = rulings(rng, 1, trials)
    assert stats.binomtest(wrong, trials, 0.025).proportion_ci(0.99).low <= 0.025, wrong
    right = rulings(rng, 3, trials // 4)
    assert stats.binomtest(right, trials // 4).proportion_ci(0.99).low >= POWER, right
