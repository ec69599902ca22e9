"""A training step of spiking networks by surrogate gradients, against snnTorch and SpikingJelly.

784-1000-10 cells, 25 steps, 128 examples (snnTorch's tutorial 5), and 512 cells behind 512 x 512
weights for 500 steps with 16 examples (Open Neuromorphic's benchmark), forward and backward.
"""

import json
import math
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from neurula import Network, Population, Projection, layered, respond
from neurula.neurons import LIF, Leaky, Rate
from neurula.tasks import Digits
from neurula.weights import fan_in
from neurula.wirings import Dense

from .peers.__main__ import python_of

HERE = Path(__file__).parent
STEPS, BATCH, UPDATES, TAU = 25, 128, 60, -1 / math.log(0.95)  # TAU in steps
CLOSE = 0.05  # of accuracy after UPDATES


def data() -> dict[str, Any]:
    """Digits of 28 x 28 pixels for every update, and waves for the single layer."""
    rng, digits = np.random.default_rng(0), Digits()
    train, test = (digits.exam(split, key=jax.random.key(0)) for split in ("train", "test"))
    places = (np.arange(28) * 8 // 28)[:, None] * 8 + np.arange(28) * 8 // 28
    images = np.asarray(train.stimuli[:, 0])[:, places.ravel()]
    classes = np.asarray(train.target[:, 0].argmax(1))
    drawn = rng.integers(0, len(images), (UPDATES, BATCH))
    return {
        "steps": STEPS,
        "images": images[drawn].astype(np.float32),
        "classes": classes[drawn].astype(np.int64),
        "test_images": np.asarray(test.stimuli[:, 0])[:, places.ravel()].astype(np.float32),
        "test_classes": np.asarray(test.target[:, 0].argmax(1)),
        "waves": rng.random((500, 16, 512), np.float32) * 4,
    }


def two_layers() -> Network:
    """784-1000-10: integrate-and-fire cells, and outputs that say their potential."""
    net = layered(
        [784, 1000, 10],
        neuron=lambda n: LIF(TAU, bias=jnp.zeros(n)),
        gain=6.0,
        key=jax.random.key(0),
    )
    reader = Leaky("identity", TAU, jnp.zeros(10))
    return eqx.tree_at(lambda n: n.populations["output"].neuron, net, reader)


def one_layer() -> Network:
    """512 cells behind 512 x 512 weights."""
    wiring = Dense(512, 512)
    cells = {"input": Population(512, Rate("identity")), "cells": Population(512, LIF(TAU))}
    weight = fan_in(wiring, key=jax.random.key(1))
    joined = Projection("input", "cells", wiring, weight, delay=0)
    return Network(cells, [joined], senses=["input"], voices=["cells"])


def train(given: dict) -> dict:
    """Seconds of a training step, and the share of test digits read afterwards."""
    net, optimiser = two_layers(), optax.adam(5e-4)

    def play(net, x):
        return jax.vmap(lambda one: respond(net, one[None], hold=STEPS))(x)

    def loss(net, x, y):
        potentials = play(net, x)
        each = optax.softmax_cross_entropy_with_integer_labels(potentials, y[:, None])
        return each.sum(1).mean()

    @eqx.filter_jit
    def update(net, state, x, y):
        change, state = optimiser.update(eqx.filter_grad(loss)(net, x, y), state)
        return eqx.apply_updates(net, change), state

    state, seconds = optimiser.init(eqx.filter(net, eqx.is_inexact_array)), []
    for x, y in zip(given["images"], given["classes"], strict=True):
        began = time.perf_counter()
        net, state = jax.block_until_ready(update(net, state, x, y))
        seconds.append(time.perf_counter() - began)
    said = np.asarray(eqx.filter_jit(play)(net, given["test_images"]).sum(1).argmax(1))
    return {"seconds": seconds[3:], "accuracy": float(np.mean(said == given["test_classes"]))}


def play(given: dict) -> dict:
    """Seconds forward, and forward and backward, through one layer."""
    net, x = one_layer(), jnp.asarray(given["waves"].swapaxes(0, 1))
    total = lambda net, x: jax.vmap(lambda s: respond(net, s))(x).sum()  # noqa: E731
    forward = eqx.filter_jit(total)
    both = eqx.filter_jit(eqx.filter_value_and_grad(total))

    def median(function: Any) -> float:
        seconds = []
        for _ in range(8):
            began = time.perf_counter()
            jax.block_until_ready(function(net, x))
            seconds.append(time.perf_counter() - began)
        return statistics.median(seconds[1:])

    return {"forward": median(forward), "both": median(both)}


def against(peer: str) -> Any:
    """The benchmark against one peer."""

    def run() -> dict:
        python = python_of(Path(os.environ.get("NEURULA_PEERS", "")), "torch")
        if not python.exists():
            return {"missing": "make environments for peers: python -m benchmarks.peers FOLDER"}
        given = data()
        with tempfile.TemporaryDirectory() as scratch:
            file, result = Path(scratch) / "data.npz", Path(scratch) / "result.json"
            np.savez(file, **given)
            command = [
                str(python),
                str(HERE / "peers" / "on_torch.py"),
                str(file),
                str(result),
                peer,
            ]
            subprocess.run(command, check=True, capture_output=True)
            theirs = json.loads(result.read_text())
        trained, played = train(given), play(given)
        assert trained["accuracy"] > theirs["train"]["accuracy"] - CLOSE, (trained, theirs)
        ours = statistics.median(trained["seconds"])
        return {
            "version": theirs["version"],
            "training step, 784-1000-10": _ratio(
                ours, statistics.median(theirs["train"]["seconds"])
            )
            | {"accuracy": {"ours": trained["accuracy"], "theirs": theirs["train"]["accuracy"]}},
            "512 cells, forward": _ratio(played["forward"], theirs["play"]["forward"]),
            "512 cells, forward and backward": _ratio(played["both"], theirs["play"]["both"]),
        }

    return run


def _ratio(ours: float, theirs: float) -> dict:
    return {
        "warm_seconds": {"ours": ours, "theirs": theirs},
        "ratio": theirs / ours,
        "ratio_range": [theirs / ours] * 2,
    }
