"""Silent and exploded networks are told apart from living ones, in the run and in the report."""

import re

import jax.numpy as jnp
import pytest

from neurula import report_words as words
from neurula.health import advice, health


def test_shares_of_cells_that_never_fire_and_never_stop():
    found = health(jnp.array([0.0, 0.0, 0.1, 0.5, 0.45]))
    assert float(found["silent"]) == pytest.approx(0.4)
    assert float(found["saturated"]) == pytest.approx(0.4)


def test_living_cells_call_for_no_advice():
    assert advice(0.5, 0.05, "cells") == ()


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ((1.0, 0.0), "All 3 cells are silent. Give them more input"),
        ((0.95, 0.0), "95 % of the 3 cells never fire"),
        ((0.0, 0.2), "20 % of the 3 cells fire at nearly every step.*Weaken excitation"),
    ],
)
def test_what_looks_wrong_is_said_with_the_usual_remedies(shares, says):
    (told,) = advice(*shares, "3 cells")
    assert re.search(says, told)


def test_the_report_names_the_arm_and_the_worst_seed():
    health_by_arm = {
        "quiet": {"silent": [0.2, 1.0, None], "saturated": [0.0, 0.0, None]},
        "fine": {"silent": [0.2, 0.1, 0.0], "saturated": [0.0, 0.0, 0.0]},
        "graded": {},
    }
    record = {
        "run": {"seeds": [0, 1, 2]},
        "arms": {arm: {"health": shares} for arm, shares in health_by_arm.items()},
    }
    (line,) = words.activity(record)
    assert line.startswith("quiet, worst in seed 1: All cells are silent.")
