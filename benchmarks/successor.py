"""A map of successors, learned on a random walk through an open field, against CoBeL-RL.

100,000 steps through 10 x 10, 20 x 20 and 40 x 40 cells; CoBeL walks fewer, and a step is timed.
Both first learn from one and the same walk, and must give the same map.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import equinox as eqx
import jax
import numpy as np

from neurula import act
from neurula.agents import Successor, Uniform
from neurula.environments import open_field

from .peers.__main__ import python_of

HERE = Path(__file__).parent
STEPS = 100_000
THEIRS = {10: 20_000, 20: 4_000, 40: 400}  # steps that CoBeL is timed over: some seconds each
RATE, DISCOUNT = 0.1, 0.95
SAME = 1e-4  # largest difference of maps, of entries up to 20; ours has 32 bits, theirs 64
TOLD = 2_000  # steps of the common walk


def life(side: int, steps: int):
    """A compiled life on a field: the map at its end, and the walk if it is short."""
    room, agent = open_field(side), Successor(RATE, DISCOUNT, Uniform())
    step = lambda state, world, t: (t.observation, t.action, t.next_observation)  # noqa: E731
    watch = step if steps == TOLD else None
    return eqx.filter_jit(lambda key: act(agent, room, steps=steps, watch=watch, key=key))


def ours(side: int) -> dict:
    """Seconds of a step, the first time (compiled anew or from the cache) and then."""
    live, seconds = life(side, STEPS), []
    for seed in range(6):
        began = time.perf_counter()
        jax.block_until_ready(live(jax.random.key(seed)).agent_state.successor)
        seconds.append((time.perf_counter() - began) / STEPS)
    return {"first": seconds[0], "then": statistics.median(seconds[1:])}


def cobel() -> dict:
    """The benchmark."""
    python = python_of(Path(os.environ.get("NEURULA_PEERS", "")), "cobel")
    if not python.exists():
        return {"missing": "make environments for peers: python -m benchmarks.peers FOLDER"}
    told = {side: life(side, TOLD)(jax.random.key(0)) for side in THEIRS}
    given = {f"walk{side}": np.stack(lived.watched, 1) for side, lived in told.items()}
    given |= {"sides": list(THEIRS), "steps": list(THEIRS.values())}
    with tempfile.TemporaryDirectory() as scratch:
        file, answer = Path(scratch) / "given.npz", Path(scratch) / "answer.npz"
        np.savez(file, rate=RATE, discount=DISCOUNT, **given)
        command = [str(python), str(HERE / "peers" / "on_cobel.py"), str(file), str(answer)]
        environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
        done = subprocess.run(command, check=True, capture_output=True, env=environment)
        theirs, maps = json.loads(done.stdout), dict(np.load(answer))
    result: dict = {"version": theirs["version"]}
    for side, lived in told.items():
        off = float(np.abs(np.asarray(lived.agent_state.successor) - maps[str(side)]).max())
        assert off < SAME, f"maps of {side} x {side} cells differ by {off}"
        mine, other = ours(side), theirs["seconds a step"][str(side)]
        ratio = other / mine["then"]
        result[f"a step, {side} x {side} cells"] = {
            "cold_seconds": {"ours": mine["first"]},
            "warm_seconds": {"ours": mine["then"], "theirs": other},
            "ratio": ratio,
            "ratio_range": [ratio, ratio],
            "largest_difference": off,
        }
    return result
