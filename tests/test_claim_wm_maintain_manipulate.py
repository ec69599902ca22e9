"""The pieces of the experiment: arms of equal size, its tasks, and costs worked out by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.wm_maintain_manipulate import TASKS, WmMaintainManipulate
from neurula.experiment import Outcome

CLAIM = WmMaintainManipulate()


def test_arms_have_equal_parameters():
    sizes = {}
    for arm in CLAIM.arms:
        made = eqx.filter_eval_shape(lambda k, a=arm: CLAIM.brain(a, key=k), jax.random.key(0))
        leaves = [x for x in jax.tree.leaves(made) if isinstance(x, jax.ShapeDtypeStruct)]
        sizes[arm] = sum(leaf.size for leaf in leaves)
    assert min(sizes.values()) >= CLAIM.parameters
    assert max(sizes.values()) <= 1.1 * CLAIM.parameters, sizes


def test_tasks_are_in_the_order_of_their_names():
    tasks = CLAIM.task(0).tasks
    assert [getattr(task, "order", None) for task in tasks[:3]] == [
        "forward",
        "backward",
        "updated",
    ]
    assert tasks[3].task.back == 2
    assert [type(task).__name__ for task in tasks[3:]] == ["Spaced", "TwelveAX"]
    assert len(tasks) == len(TASKS)


def made(odds):
    """Outcomes with these log odds at repeating, reversing and updating, the same in all seeds."""
    outcomes = {}
    for arm in CLAIM.arms:
        here = np.array([*odds.get(arm, (1.0, 1.0, 1.0)), 0.0, 0.0])
        right = 1 / (1 + np.exp(-here))
        wobble = 1e-4 * np.arange(8)[:, None]
        outcomes[arm] = Outcome(
            score=jnp.zeros(8), kept={"accuracy": jnp.asarray(right[None] - wobble)}
        )
    return outcomes


def test_the_effect_is_what_manipulating_costs_without_gates_less_that_with_them():
    """Gates lose (0.2 + 0.4) / 2 and 0.1; Elman loses 1.5, the leaky network 2."""
    odds = {
        "LSTM": (2.0, 1.8, 1.6), "GRU": (2.0, 1.9, 1.9),
        "Elman": (2.0, 1.0, 0.0), "leaky": (2.0, 0.0, 0.0),
    }  # fmt: skip
    found = CLAIM.evidence(made(odds))
    assert all(gate.held for gate in found.gates)
    elman = found.secondary["cost, gates beyond Elman"].find().estimate
    leaky = found.secondary["cost, gates beyond leaky"].find().estimate
    assert elman == pytest.approx(1.5 - 0.2, abs=0.03)  # half an error is added to both sides
    assert leaky == pytest.approx(2.0 - 0.2, abs=0.03)
    assert found.primary.find().ruling == "supported"
    same = CLAIM.evidence(made({**odds, "Elman": (2.0, 1.8, 1.8)})).primary.find()
    assert same.estimate == pytest.approx(0.0, abs=0.03)
    assert same.ruling == "refuted"


def test_no_room_or_unlike_difficulty_stops_a_ruling():
    perfect = CLAIM.evidence(made({"Elman": (9.0, 9.0, 9.0)})).gates
    assert not perfect[0].held
    unlike = CLAIM.evidence(made({"LSTM": (0.1, 0.0, 0.0), "Elman": (3.0, 3.0, 3.0)})).gates
    assert [gate.held for gate in unlike] == [True, False]
