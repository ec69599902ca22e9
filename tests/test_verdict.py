"""What the judge makes of outcomes: rulings, gates, failures, copies, power and records."""

import dataclasses
import json
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from neurula.evidence import Identity, Parity, Share, Superiority
from neurula.experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome
from neurula.verdict import Verdict, holm, judge, seeds_needed


class Toy(AbstractClaim):
    """A claim that is judged by the kind of test that its setting names."""

    statement: ClassVar[str] = "More is more."
    source: ClassVar[str] = "none"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "computation"
    kind: ClassVar[str] = "superiority"
    arms: ClassVar[dict[str, Arm]] = {
        "new": Arm("brain", ""),
        "old": Arm("control", ""),
        "look": Arm("probe", ""),
    }
    margin: ClassVar[float] = 0.5
    unit: ClassVar[str] = "points"
    refuted_if: ClassVar[str] = ""
    expected: ClassVar[str] = ""
    pitfalls: ClassVar[tuple[str, ...]] = ()
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {}
    test: str = "superiority"
    least: float = -100.0

    def space(self, arm):
        return {}

    def run(self, arm, settings, *, key):
        return Outcome(jnp.zeros(()))

    def evidence(self, outcomes):
        new, old, look = (outcomes[arm].score for arm in self.arms)
        gate = Gate("the control learned", bool(old.mean() >= self.least), f"{old.mean():.2f}")
        primary = {
            "superiority": Superiority(new, old, 0.5),
            "parity": Parity(new, old, 0.5),
            "identity": Identity(np.abs(new - old), np.ones_like(new), 10.0),
            "share": Share(int((new > 0).sum()), new.size, 0.5),
        }[self.test]
        return Evidence(primary, (gate,), {"look": Superiority(look, old, 0.5)})

    def figure(self, outcomes):
        return None


def outcome(score, **curves):
    """An outcome of several seeds, as NumPy."""
    traced = Outcome(jnp.asarray(score), curves=jax.tree.map(jnp.asarray, curves))
    return jax.tree.map(np.asarray, traced)


def outcomes(effect=2.0, n=10, **changed):
    rng = np.random.default_rng(0)
    old = rng.normal(size=n)
    found = {
        "new": outcome(old + effect + rng.normal(size=n) / 2, error=rng.normal(size=(n, 20))),
        "old": outcome(old, error=rng.normal(size=(n, 20))),
        "look": outcome(rng.normal(size=n)),
    }
    return {**found, **changed}


def test_clear_cases_are_ruled():
    verdict = judge(Toy(), outcomes(2.0))
    assert (verdict.ruling, verdict.problems, verdict.seeds_needed) == ("supported", (), None)
    assert (verdict.kind, verdict.finding.n) == ("superiority", 10)
    assert verdict.secondary["look"][0] == "superiority"
    assert judge(Toy(), outcomes(-1.0)).ruling == "refuted"


def test_failed_gate_rules_nothing_and_is_named():
    verdict = judge(Toy(least=50.0), outcomes(2.0))
    assert verdict.ruling == "inconclusive"
    assert verdict.finding.ruling == "supported"
    assert verdict.problems[0].startswith("gate failed: the control learned (")
    assert verdict.seeds_needed is None  # more seeds would not mend it


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("effect", [2.0, -1.0])
def test_a_score_that_is_not_finite_rules_nothing(bad, effect):
    found = outcomes(effect)
    score = found["new"].score.copy()
    score[3] = bad
    verdict = judge(Toy(), {**found, "new": outcome(score)})
    assert verdict.ruling == "inconclusive"
    assert verdict.problems == (f"arm 'new', seed 3: the score is {bad}",)
    assert verdict.finding.n == 9  # what the other seeds say is still told


def test_a_crashed_seed_rules_nothing():
    failed = {"old": {4: "out of memory", 1: "killed"}}
    verdict = judge(Toy(), outcomes(2.0), failed=failed)
    assert verdict.ruling == "inconclusive"
    assert verdict.problems == (
        "arm 'old', seed 1: killed",
        "arm 'old', seed 4: out of memory",
    )
    assert verdict.finding.n == 8


def test_nothing_left_to_judge():
    everything = judge(Toy(), outcomes(2.0), failed={"new": dict.fromkeys(range(10), "killed")})
    assert (everything.ruling, everything.finding) == ("inconclusive", None)
    found = outcomes(2.0)
    del found["new"]
    absent = judge(Toy(), found, failed={"new": {0: "killed"}})
    assert (absent.ruling, absent.finding) == ("inconclusive", None)
    assert absent.problems == ("arm 'new', seed 0: killed", "arm 'new' has no outcome at all")
    assert judge(Toy(), {}).ruling == "inconclusive"


def test_probes_judge_nothing():
    score = np.zeros(10)
    score[2] = np.nan
    verdict = judge(Toy(), outcomes(2.0, look=outcome(score)), failed={"look": {5: "killed"}})
    assert (verdict.ruling, verdict.finding.n) == ("supported", 10)
    assert verdict.problems[:2] == (
        "arm 'look', seed 5: killed",
        "arm 'look', seed 2: the score is nan",
    )
    assert verdict.problems[2].startswith("look: Expected a finite number")
    assert verdict.secondary == {}


@pytest.mark.parametrize("test", ["superiority", "parity", "share"])
def test_copies_of_a_seed_are_refused(test):
    found = outcomes(2.0)
    found["old"] = jax.tree.map(lambda rows: rows[[0, 1, 2, 3, 4, 5, 2, 7, 8, 9]], found["old"])
    verdict = judge(Toy(test=test), found)
    assert verdict.ruling == "inconclusive"
    assert "arm 'old': seeds 2 and 6 gave bit-identical outcomes" in verdict.problems[0]


def test_a_fixed_arm_may_have_equal_seeds(monkeypatch):
    """A trained network is one: it is the same for every seed."""
    found = outcomes(2.0)
    found["old"] = jax.tree.map(lambda rows: np.repeat(rows[:1], 10, 0), found["old"])
    assert "bit-identical" in judge(Toy(), found).problems[0]
    fixed = Toy.arms | {"old": dataclasses.replace(Toy.arms["old"], fixed=True)}
    monkeypatch.setattr(Toy, "arms", fixed)
    assert judge(Toy(), found).ruling == "supported"


def test_identity_may_have_equal_seeds():
    found = outcomes(2.0)
    found["old"] = jax.tree.map(lambda rows: np.repeat(rows[:1], 10, 0), found["old"])
    assert judge(Toy(test="superiority"), found).ruling == "inconclusive"
    verdict = judge(Toy(test="identity"), found)
    assert not any("bit-identical" in problem for problem in verdict.problems)


def test_coarse_scores_may_tie():
    score = np.repeat([0.0, 1.0], 5)
    verdict = judge(Toy(), outcomes(new=outcome(score + 3), old=outcome(score)))
    assert verdict.ruling == "supported"
    assert verdict.problems == ("all effects are equal, so the interval has no width",)


def test_too_few_seeds_say_so():
    verdict = judge(Toy(), outcomes(5.0, n=5))
    assert verdict.ruling == "inconclusive"
    assert verdict.problems == ("n = 5: fewer than 8 is too few for any ruling",)
    assert verdict.seeds_needed == 8


def test_looks_reach_the_interval():
    verdict = judge(Toy(), outcomes(2.0), looks=2)
    assert (verdict.looks, verdict.finding.level) == (2, pytest.approx(0.975))


# ---- power ---------------------------------------------------------------------------------------


def spread(n, mean):
    """Differences with this mean and a standard deviation of 1."""
    x = np.random.default_rng(1).normal(size=n)
    return (x - x.mean()) / x.std(ddof=1) + mean


@pytest.mark.parametrize("effect", [0.3, 0.5, 0.55])
def test_seeds_needed_for_superiority(effect):
    test = Superiority(spread(10, effect), np.zeros(10), 0.0)
    expected = TTestPower().solve_power(effect_size=effect, power=0.8, alpha=0.05)
    assert seeds_needed(test, test.find()) == pytest.approx(expected, abs=2.5)


def test_seeds_needed_is_the_power_of_the_judge():
    """By simulation, for parity: two one-sided tests of arms that are alike."""
    test = Parity(spread(10, 0.0), np.zeros(10), 0.5)
    n = seeds_needed(test, test.find())
    rng = np.random.default_rng(0)
    rulings = [Parity(rng.normal(size=n), np.zeros(n), 0.5).decide().ruling for _ in range(1000)]
    assert rulings.count("supported") / 1000 == pytest.approx(0.8, abs=0.05)


def test_seeds_needed_is_honest_about_the_undecidable():
    edge = Superiority(spread(10, 0.5), np.zeros(10), 0.5)  # the effect is just the margin
    assert seeds_needed(edge, edge.find()) is None
    alone = Superiority(np.ones(1), np.zeros(1), 0.5)
    assert seeds_needed(alone, alone.find()) is None
    clear = Superiority(spread(10, 9.0), np.zeros(10), 0.5)
    assert seeds_needed(clear, clear.find()) is None
    blind = Identity(np.zeros(9), np.zeros(9), 1.0)
    assert seeds_needed(blind, blind.find()) is None


# ---- Holm, and what is written down ------------------------------------------------------------


def test_holm_is_statsmodels_holm():
    p = np.random.default_rng(0).uniform(size=12) ** 4
    names = [f"claim {i}" for i in range(12)]
    adjusted = holm(dict(zip(names, p.tolist(), strict=True)))
    assert [adjusted[name] for name in names] == pytest.approx(multipletests(p, method="holm")[1])


def test_holm_counts_claims_without_p():
    assert holm({"a": 0.01, "b": None, "c": 0.02}) == {"a": 0.03, "b": None, "c": 0.04}
    assert holm({"a": None}) == {"a": None}
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


def test_record_is_json():
    record = judge(Toy(), outcomes(2.0, n=1)).as_record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert list(record) == [
        "ruling", "kind", "finding", "gates", "secondary", "problems", "looks", "seeds_needed",
    ]  # fmt: skip
    assert record["finding"]["low"] is None  # endless
    assert record["finding"]["n"] == 1
    assert record["gates"] == [{"says": "the control learned", "held": True, "found": "0.13"}]
    assert record["secondary"]["look"]["kind"] == "superiority"
    missing = Verdict("not testable here", "superiority", problems=("no data",)).as_record()
    assert (missing["finding"], missing["problems"]) == (None, ["no data"])
