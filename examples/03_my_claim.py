"""A claim of your own, about a part of your own: `neurula run examples/03_my_claim.py`."""

from typing import ClassVar

import jax
import optax

from neurula import examine, layered, learn, rules, tasks
from neurula.contracts import AbstractRateNeuron
from neurula.evidence import Superiority
from neurula.experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Range
from neurula.neurons import Rate


class Sine(AbstractRateNeuron[None]):
    """The part on trial. Equations: a = sin(I). Units: none. Source: yours."""

    emits, ports, noisy = "rates", ("current",), False

    def init(self, size):
        return None

    def activation(self, potential):
        return jax.numpy.sin(potential)

    def step(self, state, drive, noise, *, dt):
        return None, self.activation(drive[0])


class SineBeatsTanh(AbstractClaim):
    """Two networks that differ in their hidden cells only."""

    statement = "Sine cells read noisy digits better than tanh cells."
    source, level, kind = "this example", "implementation", "superiority"
    arms: ClassVar = {"sine": Arm("brain", "sine cells"), "tanh": Arm("control", "tanh cells")}
    margin, unit = 0.02, "share of correct answers"
    refuted_if = "sine cells gain less than two points"
    expected, pitfalls, data = "no gain", ("The rate is tuned for both arms.",), ("digits",)
    budgets: ClassVar = {"smoke": Budget(2, steps=5), "quick": Budget(10), "full": Budget(20)}
    steps: int = 300

    def space(self, arm):
        return {"rate": Range(1e-4, 1e-1)}

    def run(self, arm, settings, *, key):
        task, cell = tasks.Digits(noise=0.5), {"sine": Sine(), "tanh": Rate("tanh")}[arm]
        network = layered([64, 64, 10], neuron=lambda size: cell, key=key)
        optimiser = optax.adam(settings["rate"])
        done = learn(network, rules.Backprop(), task, optimiser, steps=self.steps, key=key)
        grades = {s: examine(done.brain, task, s, key=key) for s in ("tune", "test")}
        return Outcome(grades["test"], grades["tune"], costs=done.costs)

    def evidence(self, outcomes):
        sine, tanh = outcomes["sine"].score, outcomes["tanh"].score
        learned = Gate("the control learns", tanh.mean() > 0.5, f"accuracy {tanh.mean():.2f}")
        return Evidence(Superiority(sine, tanh, self.margin), gates=(learned,))

    def figure(self, outcomes):
        return None
