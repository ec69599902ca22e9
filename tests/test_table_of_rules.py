"""The table of rules is complete, says what rules say, and shows what was measured."""

import json
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
HOME = ROOT / "examples" / "table_of_rules"
sys.path.insert(0, str(HOME))
from drawn import page  # noqa: E402
from measured import RATES, SEEDS, Cell, shelf  # noqa: E402
from networks import COLUMNS, choose, plain, versions  # noqa: E402

KEPT = json.loads((HOME / "results.json").read_text())


def test_every_rule_of_the_shelf_has_its_row():
    assert set(KEPT) == set(shelf())
    assert all(set(row) == set(COLUMNS) for row in KEPT.values())


@pytest.mark.parametrize("name", shelf())
def test_what_cannot_be_is_what_the_rule_refuses_today(name):
    for column, cell in KEPT[name].items():
        version, why = choose(shelf()[name], column)
        assert cell.get("network") == version
        assert cell.get("cannot", "") == why


def test_the_page_shows_what_was_measured():
    assert (ROOT / "docs" / "table_of_rules.md").read_text() == page(KEPT), (
        "draw it again: python examples/table_of_rules --draw"
    )


@pytest.mark.parametrize("column", COLUMNS)
def test_measured_cells_are_whole(column):
    found = [row[column] for row in KEPT.values() if "cannot" not in row[column]]
    assert len(found) >= 10
    for cell in found:
        assert len(cell["test"]) == SEEDS
        assert all(0 <= x <= 1 for x in cell["test"])
        assert cell["rate"] in RATES
        assert cell["multiplications"] > 0
    best = KEPT["Backprop"][column]
    assert np.mean(best["test"]) > 0.9
    np.testing.assert_allclose(best["angles"], 0, atol=0.1)


def test_ways_back_mirror_the_ways_ahead():
    for column in COLUMNS:
        network = versions(column)["two-way"](jax.random.key(0))
        inputs = plain(column, jax.random.key(0)).inputs
        assert network.inputs == inputs
        pairs = {(p.source, p.target) for p in network.projections if p.source != "input"}
        assert {(b, a) for a, b in pairs} == pairs


def test_costs_of_backprop_are_those_by_hand():
    costs = Cell(shelf()["Backprop"], "shallow", "as it is").costs()
    weights = 64 * 64 + 64 * 10
    assert costs["messages"] == 10  # the hidden layer's own errors go no further
    by_hand = weights + weights + 64 * 10  # forwards, changes, backwards
    assert costs["multiplications"] == pytest.approx(by_hand, rel=0.1)
