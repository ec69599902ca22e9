"""Measure, print, and keep the numbers: `python -m benchmarks [name ...]`."""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from . import (
    arena,
    dqn,
    evolution,
    learning,
    maps,
    neat,
    predictive_coding,
    replay,
    representations,
    seeds,
    spiking,
    spiking_learning,
    starting,
    storage_of_wirings,
    successor,
)

BENCHMARKS = {
    "arena: rats with 200 cells against RatInABox, open": arena.against("open"),
    "arena: rats with 200 cells against RatInABox, with 4 walls": arena.against("with 4 walls"),
    "digits MLP against Equinox + Optax": learning.digits_mlp,
    "DQN: cart-pole, 10 seeds, against Stable-Baselines3": dqn.cart_pole,
    "DQN: MinAtar Breakout against Stable-Baselines3": dqn.breakout,
    "evolution: SNES on cart-pole against evosax": evolution.cart_pole,
    "evolution: from start to the first generation": evolution.start,
    "evolution: lives with learning inside": evolution.lives,
    "free graph against hand-written JAX": learning.free_graph,
    "20 seeds": seeds.seeds,
    "maps: grid scores with shuffles against opexebo": maps.against("opexebo"),
    "maps: grid scores with shuffles against spatial-maps": maps.against("spatial_maps"),
    "NEAT: exclusive or, 100 runs, against neat-python": neat.solving("xor"),
    "NEAT: cart-pole, 20 runs, against neat-python": neat.solving("pole"),
    "NEAT: steps of a crowd that balances poles, against neat-python": neat.balancing,
    "NEAT: a generation of 10,000 against TensorNEAT": neat.tensorneat,
    "predictive coding and backprop, 10 paired trials": predictive_coding.paired,
    "predictive coding against fabricpc": predictive_coding.against("fabricpc"),
    "predictive coding against ngclearn": predictive_coding.against("ngclearn"),
    "replay: uniform against flashbax and NumPy": replay.against("uniform"),
    "replay: prioritised against flashbax": replay.against("prioritised"),
    "replay: sequences against flashbax": replay.against("sequences"),
    "representations: bootstrap against rsatoolbox": representations.bootstrap,
    "representations: matrices against rsatoolbox": representations.matrices,
    "representations: 5,000 stimuli": representations.large,
    "spiking: CUBA against Brian2 and NEST": spiking.cuba,
    "spiking: COBA against Brian2 and NEST": spiking.coba,
    "spiking: 32 networks": spiking.many,
    "spiking: 100,000 cells": spiking.large,
    "spiking: from start to result": spiking.start,
    "spiking: learning against snnTorch": spiking_learning.against("snntorch"),
    "spiking: learning against SpikingJelly": spiking_learning.against("spikingjelly"),
    "starting": starting.waits,
    "storage of wirings": storage_of_wirings.sweep,
    "successor map against CoBeL-RL": successor.cobel,
}
PLAIN = {"speed", "turning", "theirs", "rate", "cv", "correlation", "connections"}  # no seconds
RESULTS = Path(__file__).parent / "results.json"


def _show(name: str, result: dict, indent: str = "") -> None:
    if "ratio" in result:
        warm, (low, high) = result["warm_seconds"], result["ratio_range"]
        print(
            f"{indent}{name}: ours {warm['ours']:.4g} s, theirs {warm['theirs']:.4g} s, "
            f"theirs / ours {result['ratio']:.2f} ({low:.2f} to {high:.2f})"
        )
        for what in ("accuracy", "accuracy_gap"):
            for who, value in result.get(what, {}).items():
                print(f"{indent}  {what.replace('_', ' ')}, {who}: {value:.4f}")
        return
    print(f"{indent}{name}")
    for key, value in result.items():
        if isinstance(value, dict):
            _show(key, value, indent + "  ")
        else:
            plain = isinstance(value, str) or key in PLAIN or "," in key or "(" in key
            shown = value if isinstance(value, str) else f"{value:.3g}"
            print(f"{indent}  {key}: {shown}{'' if plain else ' s'}")


def main() -> None:
    """Run the benchmarks whose names contain one of the words given, or all."""
    words = sys.argv[1:]
    chosen = {n: f for n, f in BENCHMARKS.items() if not words or any(w in n for w in words)}
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept = {name: result for name, result in kept.items() if name in BENCHMARKS}
    for name, function in chosen.items():
        result = function()
        if "missing" in result:  # what was measured elsewhere stays
            print(f"{name}: {result['missing']}")
            continue
        kept[name] = result
        _show(name, result)
        kept["machine"] = {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("neurula", "jax", "equinox", "optax", "numpy")},
        }
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
