"""Every kind of evidence against an independent implementation or a closed form."""

import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.duration.survfunc import survdiff
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from neurula.evidence import (
    AgainstNull,
    AtLeast,
    Identity,
    Order,
    Parity,
    Resampled,
    Share,
    Slope,
    Successes,
    Superiority,
    Survival,
    kendall,
    log_error,
    logit,
    mean_over_both,
    mean_over_pairs,
    weakest,
    wilson,
)
from neurula.evidence.intervals import gain
from neurula.evidence.permutations import mean_against, sign_flip

LEVELS = np.array([1.0, 2.0, 4.0, 8.0])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def interval_tests(scores):
    """All kinds that rule by an interval over seeds, with these differences between the arms."""
    zero, lines = np.zeros_like(scores), scores[:, None] * LEVELS
    return [
        Superiority(scores, zero, 0.5),
        Superiority(scores, zero, 0.5, average="interquartile mean"),
        Parity(scores, zero, 0.5),
        Slope(LEVELS, lines, 0.5),
        Slope(LEVELS, lines, 0.5, np.zeros_like(lines)),
        AgainstNull(scores, np.zeros((len(scores), 5)), 0.5),
        Survival(np.exp(-scores), np.exp(zero), 1e9, 0.5),
        Order(LEVELS, lines + np.zeros(4), 0.5),
    ]


# ---- the rule --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimate", "low", "high", "ruling"),
    [
        (1.0, 0.1, 1.9, "supported"),
        (0.5, 0.1, 0.9, "supported"),  # just the margin
        (0.49, 0.1, 0.9, "inconclusive"),  # sure, but perhaps too small
        (0.3, 0.2, 0.4, "refuted"),  # a tiny sure gain refutes a big claim
        (2.0, -0.1, 4.1, "inconclusive"),  # noise is never a success
        (0.0, -0.4, 0.4, "refuted"),
        (-2.0, -3.0, -1.0, "refuted"),
        (1.0, 0.0, 2.0, "inconclusive"),
        (np.nan, -np.inf, np.inf, "inconclusive"),
    ],
)
def test_rule_of_gain(estimate, low, high, ruling):
    assert gain(estimate, low, high, 0.5) == ruling


@pytest.mark.parametrize(
    ("low", "high", "ruling"),
    [
        (-0.4, 0.4, "supported"),
        (-0.5, 0.4, "inconclusive"),
        (-0.9, -0.6, "refuted"),
        (0.6, 0.9, "inconclusive"),  # better than parity is not the bad side
        (-0.6, 0.6, "inconclusive"),
    ],
)
def test_rule_of_parity(low, high, ruling):
    nothing = np.zeros(8)
    assert Parity(nothing, nothing, 0.5).ruling((low + high) / 2, low, high) == ruling


@pytest.mark.parametrize("test", interval_tests(np.linspace(2.0, 3.0, 7)), ids=lambda t: t.kind)
def test_seven_seeds_rule_nothing(test):
    finding = test.find()
    assert (finding.n, finding.ruling) == (7, "inconclusive")
    assert "8 seeds" in test.rule_in_words()


@pytest.mark.parametrize("test", interval_tests(np.linspace(2.0, 3.0, 8)), ids=lambda t: t.kind)
def test_eight_seeds_rule(test):
    assert test.find().ruling == ("inconclusive" if test.kind == "parity" else "supported")


@pytest.mark.parametrize("looks", [1, 2])
def test_looks_share_the_error(looks, rng):
    x, y = rng.normal(size=(2, 9))
    assert Superiority(x, y, 0.1).find(looks=looks).level == pytest.approx(1 - 0.05 / looks)
    assert Parity(x, y, 0.1).find(looks=looks).level == pytest.approx(1 - 0.10 / looks)


# ---- the interval over seeds -----------------------------------------------------------------


@pytest.mark.parametrize("looks", [1, 2])
@pytest.mark.parametrize("n", [2, 8, 39])
def test_student_interval(n, looks, rng):
    x, y = rng.normal(size=(2, n))
    finding = Superiority(x, y, 0.1).find(looks=looks)
    expected = DescrStatsW(x - y).tconfint_mean(0.05 / looks)
    assert (finding.low, finding.high) == pytest.approx(expected)
    assert finding.estimate == pytest.approx((x - y).mean())
    assert finding.effect_size == pytest.approx((x - y).mean() / (x - y).std(ddof=1))


def test_from_forty_seeds_on_the_bootstrap_rules(rng):
    x = rng.exponential(size=40)
    finding = Superiority(x, np.zeros(40), 0.1).find()
    expected = stats.bootstrap((x,), np.mean, method="BCa", n_resamples=50_000, rng=rng)
    assert (finding.low, finding.high) == pytest.approx(expected.confidence_interval, rel=0.02)
    student = DescrStatsW(x).tconfint_mean()
    beside = finding.detail["Student low"], finding.detail["Student high"]
    assert beside == pytest.approx(student)
    below = Superiority(x[:39], np.zeros(39), 0.1).find()
    assert set(below.detail) == {"BCa low", "BCa high"}


@pytest.mark.parametrize("n", [8, 40])
def test_equal_differences_have_an_interval_without_width(n):
    finding = Superiority(np.full(n, 1.0), np.zeros(n), 0.5).find()
    assert (finding.ruling, finding.low, finding.high) == ("supported", 1.0, 1.0)
    assert finding.effect_size is None
    assert Parity(np.zeros(n), np.zeros(n), 0.5).find().ruling == "supported"


@pytest.mark.parametrize("n", [0, 1])
def test_one_seed_has_an_endless_interval(n):
    for test in interval_tests(np.ones(n)):
        finding = test.find()
        assert (finding.n, finding.ruling) == (n, "inconclusive")
        assert finding.p is None or n == 1
        assert (finding.low, finding.high) == (-np.inf, np.inf)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_seeds_that_are_not_finite_are_named(bad):
    scores = np.linspace(2.0, 3.0, 10)
    scores[[3, 7]] = bad
    tests = interval_tests(scores)
    tests[-2:] = [Order(LEVELS, np.where(np.isnan(scores)[:, None], np.nan, LEVELS), 0.5)]
    for test in tests if np.isnan(bad) else tests[:-1]:
        with pytest.raises(ValueError, match=r"seeds \[3, 7\] of 10.*favours the.*nan_to_num"):
            test.find()
    with pytest.raises(ValueError, match=r"seeds \[3, 7\] of 10"):
        Identity(scores, scores, 1.0).find()


def test_time_zero_is_named():
    brain = np.array([1.0] * 9 + [0.0])
    with pytest.raises(ValueError, match=r"seeds \[9\]"):
        Survival(brain, np.ones(10), 5.0, 0.1).find()


# ---- p-values --------------------------------------------------------------------------------


def test_sign_flips_are_exact(rng):
    effects = rng.normal(0.5, 1, size=8)
    flips = np.array(list(itertools.product([-1, 1], repeat=8)))
    expected = (np.abs(flips @ effects) >= abs(effects.sum()) - 1e-12).mean()
    assert sign_flip(effects) == pytest.approx(expected)
    assert sign_flip(np.ones(10)) == pytest.approx(2 / 1024)  # the smallest there is
    assert sign_flip(np.zeros(10)) == 1.0


def test_p_of_two_one_sided_tests(rng):
    for _ in range(20):
        x, y = rng.normal(size=(2, 9))
        test = Parity(x, y, 1.2)
        finding, p = test.find(), ttost_paired(x, y, -1.2, 1.2)[0]
        assert finding.p == pytest.approx(p)
        assert (finding.ruling == "supported") == (p < 0.05)


def test_p_against_a_null_is_exact(rng):
    observed, null = rng.normal(0.4, 1, size=4), rng.normal(size=(4, 5))
    means = np.array([sum(draws) for draws in itertools.product(*null)])
    assert mean_against(observed, null) == pytest.approx((means >= observed.sum()).mean(), abs=0.02)
    assert mean_against(np.full(4, 99.0), null) == pytest.approx(1e-4)
    assert mean_against(np.zeros(4), np.zeros((4, 5))) == 1.0  # ties are no evidence


# ---- each kind -------------------------------------------------------------------------------


def test_interquartile_mean_of_one_task(rng):
    x, y = rng.normal(size=(2, 12))
    test = Superiority(x, y, 0.1, average="interquartile mean")
    finding = test.find()
    assert finding.estimate == pytest.approx(stats.trim_mean(x, 0.25) - stats.trim_mean(y, 0.25))
    low, high = stats.bootstrap(
        (x, y),
        lambda x, y, axis: stats.trim_mean(x, 0.25, axis) - stats.trim_mean(y, 0.25, axis),
        paired=True,
        method="percentile",
        n_resamples=20_000,
        rng=rng,
    ).confidence_interval
    assert (finding.low, finding.high) == pytest.approx((low, high), abs=0.1)
    assert "interquartile mean" in test.rule_in_words()


def test_interquartile_mean_is_resampled_within_strata():
    tasks = np.tile(np.array([0.0, 1.0, 5.0, 50.0]), (10, 1))  # tasks differ, seeds do not
    finding = Superiority(tasks + 1, tasks, 0.1, average="interquartile mean").find()
    assert (finding.n, finding.estimate) == (10, pytest.approx(1.0))
    assert (finding.low, finding.high) == pytest.approx((1.0, 1.0))
    mean = Superiority(tasks + 1, tasks, 0.1).find()
    assert (mean.n, mean.estimate) == (10, pytest.approx(1.0))


def test_slopes_are_least_squares(rng):
    brain, control = rng.normal(size=(2, 9, 4))
    slopes = np.polyfit(LEVELS, (brain - control).T, 1)[0]
    test = Slope(LEVELS, brain, 0.1, control)
    assert test.effects == pytest.approx(slopes)
    assert test.find().low == pytest.approx(DescrStatsW(slopes).tconfint_mean()[0])
    with pytest.raises(ValueError, match=r"two different levels.*over one point.*np\.array"):
        Slope(np.ones(4), brain, 0.1)


def test_kendall_is_tau_b(rng):
    predicted = np.array([1.0, 2.0, 2.0, 3.0, 4.0])
    observed = rng.integers(0, 4, size=(30, 5)).astype(float)
    observed[0] = 1.0
    expected = [stats.kendalltau(predicted, row).statistic for row in observed[1:]]
    assert kendall(predicted, observed) == pytest.approx([0.0, *expected])


def test_order_takes_off_what_choosing_gives(rng):
    """The best of ten bands is in order by chance; shuffled data with the same choice show it."""

    def best_of_ten(n):
        return kendall(LEVELS, rng.normal(size=(n, 10, 4))).max(-1)

    chosen = rng.normal(size=(400, 10, 4))
    observed = chosen[np.arange(400), kendall(LEVELS, chosen).argmax(-1)]
    null = best_of_ten(400 * 50).reshape(400, 50)
    naive, honest = Order(LEVELS, observed, 0.1), Order(LEVELS, observed, 0.1, null)
    assert naive.decide().ruling == "supported"
    assert honest.decide().ruling == "refuted"
    assert mean_against(kendall(LEVELS, observed), null) > 0.01


def test_p_of_order_shuffles_items():
    finding = Order(LEVELS, np.tile(LEVELS, (8, 1)), 0.5).find()
    assert (finding.ruling, finding.p) == ("supported", 1e-4)
    opposite = Order(-LEVELS, np.tile(LEVELS, (8, 1)), 0.5).find()
    assert (opposite.ruling, opposite.p) == ("refuted", 1.0)


def test_against_null_subtracts_each_networks_own(rng):
    base = rng.normal(0, 100, size=9)  # networks differ, their nulls with them
    null = base[:, None] + rng.normal(size=(9, 200))
    finding = AgainstNull(base + 3, null, 1.0).find()
    assert finding.estimate == pytest.approx(3, abs=0.2)
    assert finding.ruling == "supported"
    assert finding.p == pytest.approx(1e-4)


def test_identity_needs_the_mechanism():
    tiny, large = np.full(5, 1e-9), np.full(5, 0.3)
    assert Identity(tiny, large, 1e-6).find().ruling == "supported"
    assert Identity(tiny, np.full(5, np.nan), 1e-6).find().ruling == "supported"  # it blew up
    assert Identity(large, large, 1e-6).find().ruling == "refuted"
    assert Identity(tiny, tiny, 1e-6).find().ruling == "inconclusive"
    one_off = np.array([1e-9, 1e-9, 1e-3, 1e-9, 1e-9])
    assert Identity(one_off, large, 1e-6).find().ruling == "refuted"
    assert Identity(tiny, one_off, 1e-6).find().ruling == "inconclusive"
    assert Identity(np.empty(0), np.empty(0), 1e-6).find().ruling == "inconclusive"


@pytest.mark.parametrize("successes", [0, 3, 19, 20])
def test_share_is_clopper_pearson(successes):
    finding = Share(successes, 20, bound=0.3).find()
    low, high = proportion_confint(successes, 20, method="beta")
    assert (finding.low, finding.high) == pytest.approx((low - 0.3, high - 0.3))
    wilson = proportion_confint(successes, 20, method="wilson")
    beside = finding.detail["Wilson low"], finding.detail["Wilson high"]
    assert beside == pytest.approx(wilson, abs=1e-12)
    assert finding.p == pytest.approx(stats.binomtest(successes, 20, 0.3).pvalue)


@pytest.mark.parametrize("bound", [0.02, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("n", [8, 10, 20, 50])
def test_share_keeps_its_error_at_every_bound(n, bound):
    """By enumeration. Wilson's interval would err in 15 % of cases at n = 8 and a bound of 2 %."""
    chances = stats.binom.pmf(np.arange(n + 1), n, bound)
    above = [Share(k, n, bound).decide().ruling == "supported" for k in range(n + 1)]
    below = [Share(k, n, bound, side="below").decide().ruling == "supported" for k in range(n + 1)]
    assert max(chances @ above, chances @ below) <= 0.025


def test_share_below_mirrors_share_above():
    above, below = Share(3, 20, 0.4, 0.1).find(), Share(17, 20, 0.6, 0.1, side="below").find()
    assert (above.estimate, above.low, above.high) == pytest.approx(
        (below.estimate, below.low, below.high)
    )
    assert above.effect_size == pytest.approx(below.effect_size)
    assert Share(0, 0, 0.5).find().ruling == "inconclusive"
    with pytest.raises(ValueError, match=r"0 to 5 successes, but got 6.*part of a whole.*hits"):
        Share(6, 5, 0.5)


def test_survival_without_failures_is_a_ratio(rng):
    brain, control = rng.lognormal(5, 1, size=(2, 12))
    finding = Survival(brain, control, 1e9, 0.1).find()
    expected = Superiority(-np.log(brain), -np.log(control), 0.1).find()
    assert (finding.low, finding.high, finding.p) == pytest.approx(
        (expected.low, expected.high, expected.p)
    )


def test_survival_counts_failures_as_the_budget(rng):
    brain, control = rng.lognormal(5, 1, size=(2, 12))
    budget = float(np.quantile(control, 0.7))
    once, never = (
        Survival(np.minimum(brain, budget), np.minimum(control, budget), budget, 0.1),
        Survival(np.where(brain < budget, brain, 1e12), control, budget, 0.1),
    )
    assert once.find() == never.find()
    _, p = survdiff(
        np.minimum(np.concatenate([brain, control]), budget),
        np.concatenate([brain, control]) < budget,
        np.repeat([0, 1], 12),
    )
    assert once.find().detail["log-rank p, unpaired"] == pytest.approx(p)


def test_survival_tells_the_ratio_of_medians():
    """Its interval against that over all 5^5 resamples of pairs, instead of some of them."""
    brain, control = np.array([[3.0, 5, 9, 4, 7], [30.0, 21, 80, 99, 14]])
    detail = Survival(brain, control, 60.0, 0.1).find().detail
    assert detail["ratio of medians within the budget"] == 30 / 5
    picked = np.array(list(itertools.product(range(5), repeat=5)))
    ratios = np.median(np.minimum(control, 60)[picked], 1) / np.median(brain[picked], 1)
    found = detail["ratio of medians low"], detail["ratio of medians high"]
    assert found == pytest.approx(np.quantile(ratios, [0.025, 0.975]), rel=0.02)
    thrice = Survival(brain, 3 * brain, 1e9, 0.1).find().detail
    assert thrice["ratio of medians low"] == thrice["ratio of medians high"] == 3


@pytest.mark.parametrize(("successes", "ruling"), [(3, "inconclusive"), (4, "refuted")])
def test_survival_is_not_refuted_where_the_control_fails(successes, ruling):
    times = np.where(np.arange(8) < successes, 50.0, 100.0)
    assert Survival(times, times, 100.0, np.log(2)).find().ruling == ruling
    hopeless = np.full(8, 100.0)
    assert Survival(hopeless, hopeless, 100.0, 0.1).find().ruling == "inconclusive"


def test_resampling_sees_subjects_and_stimuli(rng):
    subjects, stimuli = rng.normal(size=(12, 1)), rng.normal(size=(1, 30))
    widths = []
    for effects in (subjects + 0 * stimuli, 0 * subjects + stimuli, subjects + stimuli):
        finding = Resampled(mean_over_both(effects), 12, 30, 0.1).find()
        assert finding.n == 12
        widths.append((finding.high - finding.low) / 2 / stats.t.ppf(0.975, 11))
    alone = [subjects.std() / 12**0.5, stimuli.std() / 30**0.5]
    assert widths == pytest.approx([*alone, np.hypot(*alone)], rel=0.06)


def test_pairs_of_subjects_are_counted_as_drawn_and_copies_are_no_pairs(rng):
    effects = rng.normal(size=(3, 4, 4))
    effects[:, range(4), range(4)] = 1e6
    who, what = np.array([[2, 0, 1, 1], [0, 4, 0, 0]]), np.array([[1, 2, 0], [1, 1, 1]])
    drawn, shown = [0, 0, 2, 3], [0, 1, 1]
    by_hand = [effects[s, a, b] for s in shown for a in drawn for b in drawn if a != b]
    every = [effects[s, a, b] for s in range(3) for a in range(4) for b in range(4) if a != b]
    found = mean_over_pairs(effects)(who * 1.0, what * 1.0)
    assert found == pytest.approx([np.mean(by_hand), np.mean(every)])


def test_resampling_names_what_is_not_finite(rng):
    effects = rng.normal(size=(9, 20))
    effects[2, 3] = np.nan
    with pytest.raises(ValueError, match=r"every resample.*1000 resamples.*argwhere"):
        Resampled(mean_over_both(effects), 9, 20, 0.1).find()
    assert Resampled(mean_over_both(np.ones((1, 5))), 1, 5, 0.1).find().ruling == "inconclusive"


# ---- scales ----------------------------------------------------------------------------------


def test_scales_of_shares():
    score = np.array([0.0, 0.5, 0.9, 1.0])
    assert logit(score, examples=10**9)[1:3] == pytest.approx([0.0, np.log(9)])
    assert log_error(score, examples=10**9)[1:3] == pytest.approx(np.log([2, 10]))
    assert np.isfinite([logit(score, examples=50), log_error(score, examples=50)]).all()
    assert logit(score, examples=50) == pytest.approx(-logit(1 - score, examples=50))
    for scale in (logit, log_error):
        with pytest.raises(ValueError, match=r"in \[0, 1\].*0 to 97 of 100.*correct / examples"):
            scale(np.array([0.0, 97.0]), examples=100)


def test_a_sentence_is_as_true_as_its_weakest_part():
    same, worse = np.zeros(10), np.full(10, -2.0)
    wide = np.tile([-3.0, 3.0], 5)
    good, open_, bad = (Parity(x, same, 1.0) for x in (same, wide, worse))
    assert [weakest(good, p).decide().ruling for p in (open_, bad)] == ["inconclusive", "refuted"]
    assert weakest(open_, bad, good) is bad
    again = Parity(same, same, 1.0)
    assert weakest(good, again) is good


# ---- successes, and at least some of several --------------------------------------------------


def runs(successes, trials):
    return np.arange(trials) < successes


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_differences_of_shares_are_those_of_newcombe(one, other, low, high):
    """Newcombe (1998), table II, method 10."""
    found = Successes(runs(*one), runs(*other), 0.2).interval(0.95)
    np.testing.assert_allclose([found.low, found.high], [low, high], atol=6e-5)
    expected = proportion_confint(*one, method="wilson")
    np.testing.assert_allclose(wilson(one[0] / one[1], one[1], 0.95), expected, rtol=1e-9)


def test_fisher_stands_beside():
    found = Successes(runs(8, 10), runs(2, 10), 0.2).find()
    assert found.p == pytest.approx(stats.fisher_exact([[8, 2], [2, 8]]).pvalue)
    assert (found.estimate, found.n) == (pytest.approx(0.6), 10)
    with pytest.raises(ValueError, match=r"does not, 0, but there are runs of \[0\.  0\.5\]"):
        Successes(np.array([0.5]), np.array([0.0]), 0.2)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.8, 1.0])
def test_equal_shares_are_rarely_told_apart(share):
    """Over all outcomes of 30 runs an arm, weighed by their chance: at most 3 %, 2.5 % stated."""
    chance = stats.binom.pmf(np.arange(31), 30, share)
    wrong = 0.0
    for a, b in itertools.product(range(31), repeat=2):
        if a > b and chance[a] * chance[b] > 1e-9:
            low = Successes(runs(a, 30), runs(b, 30), 0.0).interval(0.95).low
            wrong += chance[a] * chance[b] * (low > 0)
    assert wrong < 0.03


def sentence(successes, others=(0,)):
    """One sentence: so many of 30 runs succeed, against each of the others."""
    return tuple(Successes(runs(successes, 30), runs(x, 30), 0.2) for x in others)


def test_at_least_two_of_four():
    all_, none, some = sentence(30), sentence(0), sentence(9, (0, 3))
    assert [AtLeast(dict(zip("abcd", s, strict=True)), 2).decide().ruling for s in (
        [all_, none, all_, none], [none, none, none, all_], [some, none, all_, none])
    ] == ["supported", "refuted", "inconclusive"]  # fmt: skip
    found = AtLeast({"a": some, "b": none, "c": all_, "d": none}, 2).find()
    alone = some[1].find(looks=3)  # the harder of its two comparisons, at 1 - 0.05 / 3
    assert (found.estimate, found.low, found.level) == (alone.estimate, alone.low, alone.level)
    assert found.level == pytest.approx(1 - 0.05 / 3)
    told = {f"sentences {r}": found.detail[f"sentences {r}"] for r in ("supported", "refuted")}
    assert told == {"sentences supported": 1.0, "sentences refuted": 2.0}
    words = AtLeast({"net": all_, "maze": none}, 2).rule_in_words()
    assert words.startswith("Of net, maze at least 2 have to be supported, at 95.0% each")
    with pytest.raises(ValueError, match="At least 3 of 2 sentences cannot be asked"):
        AtLeast({"net": all_, "maze": none}, 3)


def test_at_least_two_errs_as_rarely_as_one(rng):
    """One of four is true: any of the other three, with nothing there, would make it two."""
    wrong, trials = 0, 200
    sure = (Superiority(np.full(10, 9.0) + rng.normal(size=10), np.zeros(10), 0.0),)
    for _ in range(trials):
        idle = [(Superiority(rng.normal(size=10), np.zeros(10), 0.0),) for _ in range(3)]
        wrong += (
            AtLeast(dict(zip("abcd", [sure, *idle], strict=True)), 2).decide().ruling == "supported"
        )
    assert stats.binomtest(wrong, trials, 0.025).pvalue > 0.01, wrong
