"""The networks of Brette et al. (2007) fire as they do on Brian2 and NEST.

What these simulators did with the same connections and first states is kept in the results of the
benchmarks.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import neurula as nl

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks import brette  # noqa: E402

KEPT = json.loads((ROOT / "benchmarks" / "results.json").read_text())


@pytest.fixture(scope="module", params=["cuba", "coba"])
def lived(request):
    """One second of a network, and what other simulators found."""
    drawn = brette.draw(request.param, seed=0)
    network, state = brette.network(drawn)
    found = nl.simulate(network, steps=drawn["steps"], state=state, engine="events")
    excitatory, inhibitory = (found.spikes[name] for name in ("excitatory", "inhibitory"))
    times = np.concatenate([excitatory.times, inhibitory.times])
    steps = np.round(times / brette.DT).astype(int)
    who = np.concatenate([excitatory.cells, inhibitory.cells + drawn["cells"] * 4 // 5])
    ours = brette.activity(steps, who, drawn["cells"], drawn["steps"])
    theirs = KEPT[f"spiking: {request.param.upper()} against Brian2 and NEST"]["activity"]
    return request.param, ours, {name: x for name, x in theirs.items() if name != "ours"}


def test_rates_and_irregularity_are_those_of_other_simulators(lived):
    _, ours, theirs = lived
    assert {"Brian2 C++ standalone", "NEST, 2 threads"} <= set(theirs)
    for activity in theirs.values():
        assert ours["rate"] == pytest.approx(activity["rate"], rel=0.1)
        assert ours["cv"] == pytest.approx(activity["cv"], rel=0.1)
        assert ours["correlation"] == pytest.approx(activity["correlation"], abs=0.005)


def test_activity_is_sustained_and_asynchronous(lived):
    kind, ours, _ = lived
    low, high = {"cuba": (4.5, 6.5), "coba": (10.0, 30.0)}[kind]  # Hz
    assert low < ours["rate"] < high
    assert abs(ours["correlation"]) < 0.02
