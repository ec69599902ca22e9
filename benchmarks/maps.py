"""From spikes to grid scores with shuffles, against opexebo and spatial-maps: equal scores first.

Peers run in environments of their own: see `python -m benchmarks.peers`. And
`python -m benchmarks.maps` writes what they answer for a few maps, for the tests.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from neurula.measures import grid_score, shifted_maps, spatial_information, visits

from . import drawn_maps
from .peers.__main__ import python_of

HERE = Path(__file__).parent
ANSWERS = HERE / "map_answers.json"
ENVIRONMENTS = {
    "opexebo": "opexebo",
    "spatial_maps": "spatial_maps",
    "neural_playground": "spatial_maps",
}
CELLS, SHUFFLES = 200, 100
FEW = {"opexebo": (3, 8), "spatial_maps": (5, 20)}  # cells and shuffles that a peer does
CLOSE = 1e-3


def _peer(name: str, **given) -> dict | None:
    folder = os.environ.get("NEURULA_PEERS", "")
    python = python_of(Path(folder), ENVIRONMENTS[name])
    if not folder or not python.exists():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        file, result = Path(scratch) / "given.npz", Path(scratch) / "result.json"
        np.savez(file, **given)
        command = [str(python), str(HERE / "peers" / "on_maps.py"), str(file), str(result), name]
        subprocess.run(command, check=True, capture_output=True, cwd=scratch)
        return json.loads(result.read_text())


def _equal(name: str, maps: np.ndarray, theirs: dict) -> float:
    ours, other = grid_score(maps, definition=name), np.array(theirs["scores"])
    np.testing.assert_allclose(ours, other, atol=CLOSE, rtol=0)
    if name == "spatial_maps":  # opexebo's information clips the logarithm
        even = [spatial_information(one, np.isfinite(one) * 1.0).per_spike for one in maps]
        np.testing.assert_allclose(even, theirs["information"], atol=CLOSE, rtol=0)
    return float(np.nanmax(np.abs(ours - other)))


def _lived(name: str, path, spikes: list) -> list[float]:
    """Seconds for each cell with its shuffles: map, autocorrelogram, score and information."""
    seconds, rng = [], np.random.default_rng(0)
    began = time.perf_counter()
    for maps in shifted_maps(path, spikes=spikes, shuffles=SHUFFLES, rng=rng):
        grid_score(maps, definition=name)
        spatial_information(maps, path.seconds)
        seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
    return seconds


def _against(name: str) -> dict:
    """200 cells with 100 shuffles each; a peer's time is counted up from fewer, as `FEW` says."""
    maps, _ = drawn_maps.draw()
    positions, times = drawn_maps.walk()
    spikes = drawn_maps.grid_cells(CELLS, positions, times)
    path = visits(positions, times, extent=(0, 1, 0, 1))
    cells, shuffles = FEW[name]
    few = spikes[:cells]
    given = {"maps": maps, "positions": positions, "times": times, "shuffles": shuffles}
    given |= {"edges": path.x_edges, "spikes": np.concatenate(few), "counts": [*map(len, few)]}
    _lived(name, path, spikes[:2])  # compiles
    before = _lived(name, path, spikes[: CELLS // 2])
    theirs = _peer(name, **given)
    if theirs is None:
        return {"missing": "make environments for peers: python -m benchmarks.peers FOLDER"}
    apart = _equal(name, maps, theirs)
    ours = [before, _lived(name, path, spikes[CELLS // 2 :])]
    whole = [CELLS * statistics.mean(half) for half in ours]
    other = CELLS * (SHUFFLES + 1) * np.array(theirs["seconds"]).reshape(cells, -1).mean(1)
    return {
        "version": theirs["version"],
        "maps that the peer did (the rest is counted up)": cells * shuffles,
        "largest difference of 200 scores": apart,
        "warm_seconds": {"ours": sum(map(sum, ours)), "theirs": float(other.mean())},
        "ratio": float(other.mean()) / sum(map(sum, ours)),
        "ratio_range": [float(other.min()) / max(whole), float(other.max()) / min(whole)],
    }


def answers() -> dict:
    """What each peer says of the first 24 maps."""
    maps = drawn_maps.draw(24)[0]
    found = {name: _peer(name, maps=maps) for name in ENVIRONMENTS}
    return {name: {k: v for k, v in each.items() if v} for name, each in found.items() if each}


def against(name: str):
    """One comparison, to be run later."""
    return partial(_against, name)


if __name__ == "__main__":
    ANSWERS.write_text(json.dumps(answers(), indent=1) + "\n")
