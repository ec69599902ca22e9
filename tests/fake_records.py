"""Records as a run leaves them, with made-up numbers: every kind of ruling and of trouble."""

import dataclasses
import json
from typing import Any

import numpy as np

from neurula import pictures
from neurula.evidence import AbstractIntervalTest, Parity, Superiority

NASTY = '<img src=x onerror="window.pwned=1">\'&</script><script>window.pwned=1</script>'
SEEDS = 12


def all_records() -> list[dict[str, Any]]:
    """One record of every kind."""
    return [supported(), refuted(), inconclusive(), not_testable(), variant(), smoke(), nasty()]


def plain(value: Any) -> Any:
    """JSON values; what is not finite becomes null."""
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(one) for one in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value


def finding(test: AbstractIntervalTest) -> dict[str, Any]:
    """What a test says, as it stands in a record."""
    return {**dataclasses.asdict(test.find()), "kind": test.kind}


def arm(final: float, rate: float, seed: int, *, spread: float = 0.4) -> dict[str, Any]:
    """Scores and curves of an arm whose accuracy rises to about `final`, in percent."""
    rng, time = np.random.default_rng(seed), np.arange(50)
    score = final + spread * rng.normal(size=SEEDS)
    rise = 1 - np.exp(-time / rate)
    noise = rng.normal(size=(SEEDS, 50)) * 3
    return {
        "settings": {"rate": round(10 ** rng.uniform(-3, -1), 5)},
        "score": score,
        "tuning": score + 0.3,
        "curves": {"test accuracy (%)": 10 + (score[:, None] - 10) * rise + noise * (1.1 - rise)},
        "costs": {"parameters": 13002, "updates": 1900, "samples": 121600, "flops": 3.1e10 + final},
        "seconds": 8.2 + rate,
        "failed": {},
    }


def record(claim: str, statement: str, **changes: Any) -> dict[str, Any]:
    """A record with the common parts filled in."""
    whole = {
        "format": 1,
        "claim": claim,
        "card": {
            "statement": statement,
            "source": "Lillicrap et al. (2016), Nature Communications 7:13276",
            "level": "algorithm",
            "kind": "superiority",
            "margin": 1.0,
            "unit": "points of accuracy",
            "refuted_if": "the interval lies below one point",
            "expected": "a small advantage, or none at all with many labels",
            "pitfalls": ["Learning rates differ between arms: tuning one of them less is a cheat."],
            "data": ["digits"],
            "rule": None,
            "arms": {},
        },
        "run": {
            "budget": "quick", "seeds": list(range(SEEDS)), "changed": {}, "variant": False,
            "settings": {"width": 64, "depth": 3, "epochs": 40}, "key": "sha256:0f3a", "cores": 2,
            "command": f"neurula run {claim}", "started": "2026-01-31T12:00:00+00:00",
            "seconds": 93.4, "device": "cpu", "versions": {"neurula": "0.1.0", "jax": "0.10.1"},
        },
        "arms": {},
        "tuning": None,
        "verdict": {
            "ruling": "supported", "finding": None, "kind": "superiority", "gates": [],
            "secondary": {}, "problems": [], "looks": 1, "seeds_needed": None,
        },
        "figure": None,
    }  # fmt: skip
    for part, change in changes.items():
        whole[part] = {**whole[part], **change} if isinstance(whole[part], dict) else change
    return json.loads(json.dumps(plain(whole), allow_nan=False))


def _judged(test: AbstractIntervalTest, **more: Any) -> dict[str, Any]:
    found = finding(test)
    return {"ruling": found["ruling"], "finding": found, "kind": test.kind, **more}


def supported() -> dict[str, Any]:
    """A parity with five arms, tuned, with a picture and secondary findings."""
    arms = {
        "feedback alignment": arm(96.4, 8, 1),
        "backprop": arm(96.6, 6, 2),
        "sign-symmetric feedback": arm(96.5, 7, 3),
        "output layer only": arm(90.2, 5, 4),
        "feedback redrawn at every step": arm(88.9, 16, 5),
    }
    test = Parity(arms["feedback alignment"]["score"], arms["backprop"]["score"], 1.0)
    bite = Superiority(arms["backprop"]["score"], arms["output layer only"]["score"], 3.0)
    field = np.random.default_rng(0).normal(size=(10, 8, 8))
    picture = pictures.images(field, titles=[f"cell {i}" for i in range(10)], diverging=True)
    log = [
        {"arm": a, "settings": {"rate": 0.01 * i}, "score": 90 + i} for a in arms for i in (1, 2)
    ]
    return record(
        "feedback-alignment",
        "Fixed random feedback learns as well as backprop through three layers.",
        card={
            "kind": "parity",
            "rule": test.rule_in_words(),
            "arms": {
                "feedback alignment": {"role": "brain", "says": "errors return by random weights"},
                "backprop": {"role": "control", "says": "errors return by the forward weights"},
                "sign-symmetric feedback": {"role": "probe", "says": "only the signs are shared"},
                "output layer only": {"role": "control", "says": "hidden layers never change"},
                "feedback redrawn at every step": {
                    "role": "sham",
                    "says": "no consistent feedback",
                },
            },
        },
        arms=arms,
        tuning={"trials": 2, "seeds": [1000, 1001], "log": log},
        verdict=_judged(
            test,
            gates=[
                {"says": "output layer only is worse by 3 points", "held": True, "found": "6.4"},
                {"says": "backprop learned", "held": True, "found": "96.6 %"},
            ],
            secondary={"backprop over output layer only": finding(bite)},
        ),
        figure=json.loads(picture.to_json()),
    )


def refuted() -> dict[str, Any]:
    """A superiority that is not there."""
    arms = {"free graph": arm(93.1, 12, 6), "layers": arm(96.2, 6, 7), "shuffled": arm(91.0, 9, 8)}
    test = Superiority(arms["free graph"]["score"], arms["layers"]["score"], 2.0)
    return record(
        "free-graph",
        "A free graph of cells learns digits better than layers of the same size.",
        card={
            "margin": 2.0,
            "rule": test.rule_in_words(),
            "arms": {
                "free graph": {"role": "brain", "says": "random loops among 128 cells"},
                "layers": {"role": "control", "says": "two layers with as many connections"},
                "shuffled": {"role": "sham", "says": "the graph, redrawn at every step"},
            },
        },
        arms=arms,
        verdict=_judged(test),
    )


def inconclusive() -> dict[str, Any]:
    """A gate failed, one seed crashed, another gave no number."""
    arms = {"stares": arm(81.0, 14, 9, spread=3), "glances": arm(79.0, 12, 10, spread=3)}
    finished = [s for s in range(SEEDS) if s not in (3, 7)]
    test = Superiority(*(arms[name]["score"][finished] for name in arms), 2.0)
    for lost in (3, 7):
        arms["stares"]["score"][lost] = np.nan
        arms["stares"]["curves"]["test accuracy (%)"][lost] = np.nan
    arms["stares"]["failed"] = {"3": "FloatingPointError: invalid value in step 12"}
    return record(
        "stare-longer",
        "Staring longer at a noisy picture raises accuracy.",
        card={
            "margin": 2.0,
            "level": "computation",
            "rule": test.rule_in_words(),
            "arms": {
                "stares": {"role": "brain", "says": "twenty steps of a leaky network"},
                "glances": {"role": "control", "says": "one step of the same network"},
            },
        },
        arms=arms,
        verdict=_judged(
            test,
            gates=[{"says": "the control learned", "held": False, "found": "79 %, not 85 %"}],
            problems=["arm 'stares', seed 3: FloatingPointError: invalid value in step 12"],
        )
        | {"ruling": "inconclusive"},
    )


def not_testable() -> dict[str, Any]:
    """The data are missing."""
    return record(
        "primate-order",
        "Layers of a network map in order onto areas of the visual stream.",
        card={"kind": "order", "margin": 0.3, "unit": "Kendall's tau", "data": ["brain92"]},
        run={"seeds": [], "seconds": 0.0},
        verdict={
            "ruling": "not testable here",
            "kind": "order",
            "problems": ["It needs the data brain92. To get them: neurula data get brain92"],
        },
    )


def variant() -> dict[str, Any]:
    """The first claim with a setting changed."""
    whole = supported()
    whole["run"] |= {"variant": True, "changed": {"width": 32}, "settings": {"width": 32}}
    whole["run"]["command"] = "neurula run feedback-alignment --width 32"
    whole["figure"] = None
    return whole


def smoke() -> dict[str, Any]:
    """Two seeds for a few seconds."""
    whole = refuted()
    whole["run"] |= {"budget": "smoke", "seeds": [0, 1], "seconds": 2.1}
    for each in whole["arms"].values():
        each["score"] = each["score"][:2]
        each["curves"] = {name: rows[:2] for name, rows in each["curves"].items()}
    return whole


def nasty() -> dict[str, Any]:
    """A claim of a user's own whose every name is an attack, or at least very long."""
    arms = {NASTY: arm(50.0, 5, 11), "=HYPERLINK(1)": arm(49.0, 5, 12), "x" * 90: arm(49, 4, 13)}
    arms["=HYPERLINK(1)"]["curves"] = {"one point": np.ones((SEEDS, 1)), "per seed": np.ones(SEEDS)}
    test = Superiority(arms[NASTY]["score"], arms["=HYPERLINK(1)"]["score"], 0.0)
    picture = pictures.seeds({NASTY: np.asarray(arms[NASTY]["score"])}, x_title=NASTY)
    return record(
        f"my_package.claims:{NASTY}",
        NASTY,
        card={
            "source": NASTY, "level": NASTY, "unit": NASTY, "refuted_if": NASTY, "expected": NASTY,
            "pitfalls": [NASTY], "data": [NASTY], "rule": NASTY, "kind": NASTY, "margin": 0.0,
            "arms": {name: {"role": NASTY, "says": NASTY} for name in arms},
        },
        run={"command": NASTY, "settings": {NASTY: NASTY}, "versions": {NASTY: NASTY}},
        arms=arms,
        verdict=_judged(
            test,
            gates=[{"says": NASTY, "held": True, "found": NASTY}],
            problems=[NASTY],
            secondary={NASTY: finding(test)},
        ),
        figure=json.loads(picture.to_json()),
    )  # fmt: skip
