"""Maps and grid scores by others: for given maps, and timed from spikes to scores.

    python on_maps.py given.npz result.json (opexebo | spatial_maps | neural_playground)

pip install opexebo==0.7.2 "numpy==2.2.*"; elsewhere pip install spatial-maps==0.2.1 scikit-image
colorama pyyaml, and there also: pip install --no-deps neuralplayground==0.0.9
"""

import importlib.metadata
import json
import sys
import time
import types
import warnings

import numpy as np

warnings.simplefilter("ignore")
WIDTH, SIGMA = 0.025, 2.0  # m, bins


def with_opexebo():
    """Scores of a map, and all that is done with a shuffle; lengths in cm."""
    import opexebo.analysis as made

    def score(rates):
        return made.grid_score(made.autocorrelation(rates))[0], np.nan

    def live(positions, times, spikes, edges):
        cm = 100 * positions.T
        options = {"bin_edges": (100 * edges, 100 * edges), "limits": (0, 100, 0, 100)}
        seconds = made.spatial_occupancy(times, cm, 100, **options)[0]

        def shuffle(moved):
            which = np.searchsorted(times, moved, side="right") - 1
            told = np.vstack([moved, cm[:, which]])
            raw = made.rate_map(seconds, told, 100, **options)
            smooth = made_smooth(raw, SIGMA)
            made.rate_map_stats(smooth, seconds)
            made.grid_score(made.autocorrelation(smooth.filled(np.nan)))

        return shuffle

    from opexebo.general import smooth as made_smooth

    return score, live


def with_spatial_maps():
    """Likewise; lengths in m."""
    from spatial_maps import SpatialMap, gridness
    from spatial_maps.stats import information_rate, information_specificity

    def score(rates):
        share = np.isfinite(rates) / np.isfinite(rates).sum()
        return gridness(rates), information_specificity(rates, share)

    def live(positions, times, spikes, edges):
        made = SpatialMap(smoothing=SIGMA * WIDTH, box_size=[1.0, 1.0], bin_size=WIDTH)
        made.xbins = made.ybins = edges  # its own have a bin more, by rounding
        x, y = positions.T
        share = np.histogram2d(x, y, (edges, edges))[0] / len(x)

        def shuffle(moved):
            rates = made.rate_map(x, y, times, moved)
            information_rate(rates, share), information_specificity(rates, share)
            return gridness(rates)

        return shuffle

    return score, live


def with_neural_playground():
    """Scores only. Its drawing, which wants more packages, is left out."""
    for name in ("plotting", "plotting.plot_utils"):
        sys.modules[f"neuralplayground.{name}"] = types.ModuleType(name)
    sys.modules["neuralplayground.plotting.plot_utils"].make_plot_rate_map = None
    from neuralplayground.comparison.metrics import GridScorer

    def score(rates):
        return GridScorer(len(rates)).get_scores(rates.copy())[1]["gridscore"], np.nan

    return score, None


def main() -> None:
    """Score, time, and write."""
    given, peer = dict(np.load(sys.argv[1])), sys.argv[3]
    score, live = globals()[f"with_{peer}"]()
    scores = np.array([score(rates) for rates in given["maps"]], float)
    name = {"neural_playground": "neuralplayground"}.get(peer, peer)
    found = {"version": importlib.metadata.version(name)}
    found |= {"scores": scores[:, 0].tolist(), "information": scores[:, 1].tolist()}
    if "times" in given:
        positions, times, edges = given["positions"], given["times"], given["edges"]
        rng, end = np.random.default_rng(0), times[-1] + times[1] - times[0]
        spikes = np.split(given["spikes"], np.cumsum(given["counts"])[:-1])
        seconds = []
        for each in spikes:
            shuffle = live(positions, times, each, edges)
            for _ in range(int(given["shuffles"])):
                began = time.perf_counter()
                shuffle(np.sort((each + rng.uniform(20, end - 20)) % end))
                seconds.append(time.perf_counter() - began)
        found["seconds"] = seconds
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
