"""The event engine against Brian2 and NEST: the same connections, equal activity first.

Peers run in environments of their own: see `python -m benchmarks.peers`.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

import neurula as nl

from . import brette
from .peers.__main__ import python_of

HERE = Path(__file__).parent
PEERS = {  # script and its last argument
    "Brian2 C++ standalone": ("brian2", "on_brian2.py", "standalone"),
    "Brian2 Cython": ("brian2", "on_brian2.py", "cython"),
    "NEST, 2 threads": ("nest", "on_nest.py", "2"),
}
CLOSE = {"rate": 0.1, "cv": 0.1}  # relative; chaos parts single runs after a tenth of a second


def _spikes(lived: Any, split: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = lived.spikes["excitatory"], lived.spikes["inhibitory"]
    steps = np.concatenate([first.times, second.times]) / brette.DT
    return np.round(steps).astype(int), np.concatenate([first.cells, second.cells + split])


def _peer(name: str, file: Path) -> dict | None:
    folder = os.environ.get("NEURULA_PEERS", "")
    peer, script, argument = PEERS[name]
    python = python_of(Path(folder), peer)
    if not folder or not python.exists():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "result.json"
        command = [str(python), str(HERE / "peers" / script), str(file), str(result), argument]
        subprocess.run(command, check=True, capture_output=True, cwd=scratch)
        return json.loads(result.read_text())


def _timed(network: Any, state: Any, steps: int, repeats: int = 7) -> list[float]:
    """Seconds in which a network that is laid out and compiled lives `steps` steps."""
    from neurula.engine.running import Run

    seconds = []
    for _ in range(repeats):
        run = Run(network, state, None, {}, steps)
        began = time.perf_counter()
        run.advance(steps)
        seconds.append(time.perf_counter() - began)
    return seconds


def against_simulators(kind: str) -> dict:
    """One second of CUBA or COBA here and elsewhere; each peer between two of our runs."""
    drawn = brette.draw(kind, seed=0)
    network, state = brette.network(drawn)
    lived = nl.simulate(network, steps=drawn["steps"], state=state, engine="events")
    ours = brette.activity(*_spikes(lived, drawn["cells"] * 4 // 5), drawn["cells"], drawn["steps"])
    found: dict[str, Any] = {"activity": {"ours": ours}}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "network.npz"
        np.savez(file, **drawn)
        for name in PEERS:
            before = _timed(network, state, drawn["steps"])
            theirs = _peer(name, file)
            if theirs is None:
                continue
            after = _timed(network, state, drawn["steps"])
            listed = np.asarray(theirs["steps"]), np.asarray(theirs["who"])
            activity = brette.activity(*listed, drawn["cells"], drawn["steps"])
            for what, share in CLOSE.items():
                assert abs(activity[what] / ours[what] - 1) < share, (name, what, activity, ours)
            found["activity"][name] = activity
            found[name] = _ratio(before + after, theirs) | {"first_seconds": theirs["first"]}
    if len(found) == 1:
        return {"missing": "make environments for peers: python -m benchmarks.peers FOLDER"}
    return found


def _ratio(ours: list[float], theirs: dict) -> dict:
    warm = {"ours": statistics.median(ours), "theirs": statistics.median(theirs["seconds"])}
    low, high = min(theirs["seconds"]) / max(ours), max(theirs["seconds"]) / min(ours)
    return {
        "version": theirs["version"],
        "warm_seconds": warm,
        "ratio": warm["theirs"] / warm["ours"],
        "ratio_range": [low, high],
    }


def many() -> dict:
    """32 CUBA networks with seeds of their own: how many times one network's time they take."""
    pairs = [brette.network(brette.draw("cuba", seed)) for seed in range(32)]
    networks, states = zip(*pairs, strict=True)
    live = partial(nl.simulate_many, networks, steps=10_000, states=states)
    alone = partial(nl.simulate, networks[0], steps=10_000, state=states[0], engine="events")
    one, all_ = _seconds(alone), _seconds(live)
    together, single = live(), alone()
    np.testing.assert_array_equal(
        together[0].spikes["excitatory"].times, single.spikes["excitatory"].times
    )
    return {"one": one, "all 32": all_, "times one (20 allowed)": all_ / one}


def _seconds(function: Callable[[], Any]) -> float:
    function()
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def large() -> dict:
    """100,000 cells with 10 million connections: memory, and time for each synaptic event.

    Runs in a process of its own, so that the memory is its own.
    """
    code = "from benchmarks.spiking import grown; import json; print(json.dumps(grown()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def grown() -> dict:
    """What `large` measures. Weights shrink with the number of connections a cell has."""
    small = _event_time(brette.draw("cuba", 0, steps=5000))
    drawn = brette.draw("cuba", 0, cells=100_000, steps=2000, degree=100)
    for port in brette.PORTS:
        drawn[f"weight_{port}"] = drawn[f"weight_{port}"] * 80 / 100
    big = _event_time(drawn)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {
        "connections": sum(drawn[f"source_{port}"].size for port in brette.PORTS),
        "peak memory, GiB (2 allowed)": peak,
        "ns for an event, 4,000 cells": small,
        "ns for an event, 100,000 cells": big,
        "times the small network (3 allowed)": big / small,
    }


def _event_time(drawn: dict) -> float:
    network, state = brette.network(drawn)
    seconds = statistics.median(_timed(network, state, drawn["steps"], repeats=3))
    lived = nl.simulate(network, steps=drawn["steps"], state=state, engine="events")
    spikes = sum(found.cells.size for found in lived.spikes.values())
    connections = sum(drawn[f"source_{port}"].size for port in brette.PORTS)
    return 1e9 * seconds / (spikes * connections / drawn["cells"])


def start() -> dict:
    """From the start of a process to CUBA's result: nothing compiled before, then from files."""
    code = (
        "from benchmarks import brette; import neurula as nl;"
        "n, s = brette.network(brette.draw('cuba', 0));"
        "nl.simulate(n, steps=10000, state=s, engine='events')"
    )
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {"NEURULA_CACHE": scratch}
        for name in ("cold (5 allowed)", "from files (2.5 allowed)"):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
            found[name] = time.perf_counter() - began
    return found


cuba = partial(against_simulators, "cuba")
coba = partial(against_simulators, "coba")
jax.config.update("jax_platforms", "cpu")
