"""A trial of predictive coding by ngclearn: the same weights, examples and step sizes as ours.

Its cells predict the potentials of the next layer, ours the activity; both lower a squared error.
"""

import logging
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from ngclearn import Context, MethodProcess
from ngclearn.components import GaussianErrorCell, HebbianSynapse, RateCell, StaticSynapse
from ngclearn.utils.distribution_generator import DistributionGenerator
from ngcsimlib.global_state import stateManager

from .predictive_coding import BATCH, INFERENCE, LEARNING, RATE, SIZES, places

LAYERS = range(1, len(SIZES))


def trial() -> Callable[[Any, Any, Any], Any]:
    """A function that trains a network; a whole update is one compiled program."""
    logging.disable(logging.WARNING)
    nothing, one = DistributionGenerator.constant(value=0.0), {"batch_size": BATCH}
    with Context("benchmark"):
        senses = RateCell("z0", SIZES[0], 0.0, act_fx="identity", **one)
        hidden = {
            i: RateCell(f"z{i}", SIZES[i], 1 / RATE, act_fx="sigmoid", **one) for i in LAYERS[:-1]
        }
        missed = {i: GaussianErrorCell(f"e{i}", SIZES[i], **one) for i in LAYERS}
        how = {"weight_init": nothing, "bias_init": nothing, "w_bound": 0.0, "sign_value": -1.0}
        up = {
            i: HebbianSynapse(
                f"W{i}", SIZES[i - 1 : i + 1], eta=LEARNING, optim_type="adam", **how, **one
            )
            for i in LAYERS
        }
        down = {
            i: StaticSynapse(f"E{i}", SIZES[i - 1 : i + 1][::-1], weight_init=nothing, **one)
            for i in LAYERS[1:]
        }
        for i in LAYERS:
            below = senses if i == 1 else hidden[i - 1]
            below.zF >> up[i].inputs
            below.zF >> up[i].pre
            up[i].outputs >> missed[i].mu
            missed[i].dmu >> up[i].post
        for i, cells in hidden.items():
            cells.z >> missed[i].target
            missed[i].dtarget >> cells.j_td
            missed[i + 1].dmu >> down[i + 1].inputs
            down[i + 1].outputs >> cells.j
        judge, move, learn = (MethodProcess(name) for name in ("judge", "move", "learn"))
        for part in (*up.values(), *missed.values()):
            judge >> part.advance_state
        for part in (*down.values(), *hidden.values()):
            move >> part.advance_state
        for part in up.values():
            learn >> part.evolve
    judge_, move_, learn_ = (_pure(process) for process in (judge, move, learn))
    top, rest = LAYERS[-1], dict(stateManager.state)

    def update(state: dict, x: Any, y: Any) -> dict:
        state = state | {senses.zF.root: x, missed[top].target.root: y}
        below = x
        for i in LAYERS:
            potential = below @ state[up[i].weights.root] + state[up[i].biases.root]
            if i != top:
                state |= {down[i + 1].weights.root: state[up[i + 1].weights.root].T}
                below = jax.nn.sigmoid(potential)
                state |= {hidden[i].z.root: potential, hidden[i].zF.root: below}
        state = judge_(state)
        state, _ = jax.lax.scan(lambda s, _: (judge_(move_(s)), None), state, length=INFERENCE)
        return learn_(state)

    compiled = jax.jit(update)
    keys = [up[i].weights.root for i in LAYERS], [up[i].biases.root for i in LAYERS]

    def run(network: Any, stimuli: Any, targets: Any) -> Any:
        ours = {k: p.weight.T for k, p in zip(keys[0], network.projections, strict=True)}
        state = rest | ours
        for x, y in zip(stimuli, targets, strict=True):
            state = compiled(state, x, y)
        weights, biases = [state[k].T for k in keys[0]], [state[k].ravel() for k in keys[1]]
        return eqx.tree_at(places, network, [*weights, *biases])

    return run


def _pure(process: MethodProcess) -> Callable[[dict], dict]:
    """A process as a function of the state, steps of 1 ms long."""
    words = {"t": 0.0, "dt": 1.0}
    given = [words[word] for word in process.get_keywords()]
    return lambda state: process.run.compiled(state, given)[0]
