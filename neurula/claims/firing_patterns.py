"""Seven kinds of cell from one pair of equations, told apart by nothing but their spikes.

Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569.
"""

import dataclasses
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..evidence import Identity
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Outcome, Outcomes, Range
from ..measures import adaptation_index, first_burst, pauses, spike_times, variation
from ..network import Network, Population
from ..neurons import Izhikevich
from ..response import respond

PATTERNS = (
    "regular spiking",
    "intrinsically bursting",
    "chattering",
    "fast spiking",
    "low-threshold spiking",
    "thalamo-cortical",
    "resonator",
)
STEPS = (0.1, 0.5)  # ms, of integration
QUIET = 100.0  # ms before a stimulus
CURRENT, WEAK, SPREAD = 10.0, 2.0, 0.1  # mV/ms; both are drawn from within this share of them
HELD = (-87.0, 2.0)  # mV, how low cells are held before their release, and how far around
CLOSE, LONGER = (
    10.0,
    3.0,
)  # ms between the spikes of a burst; what a pause is to the interval before
PULSE = 2.0  # ms
RHYTHM = (10.0, 20.0, 30.0, 40.0, 50.0)  # ms between pulses
ALMOST = 0.95  # of the least pulse that alone makes a cell fire
PULSES = np.geomspace(0.5, 60.0, 256)  # mV/ms: where that is looked for
LGN = 4.0  # ms between the spikes of bursts of the thalamus in the living animal
Stimuli = Float[np.ndarray, "time cell"]


class FiringPatterns(AbstractClaim):
    """Each cell gets a strong and a weak step, a release from hyperpolarisation, and pulses.

    A discrepancy is how many of fourteen cells, seven patterns at two time steps, do not meet the
    criteria of their own pattern and of no other.
    """

    statement: ClassVar[str] = (
        "With the published parameters Izhikevich's equations fire in seven patterns, each told by "
        "its spikes: regular, fast and low-threshold spiking, bursting, chattering, resonating, "
        "thalamo-cortical; at steps of 0.1 and of 0.5 ms alike."
    )
    source: ClassVar[str] = "Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "implementation"
    kind: ClassVar[str] = "mechanism (acceptance test)"
    arms: ClassVar[dict[str, Arm]] = {
        "published": Arm("brain", "the seven published sets of a, b, c, d"),
        "mixed": Arm("sham", "each parameter shuffled among the seven sets, by itself"),
        "one reset": Arm("control", "the published a and b, but c = -65 mV and d = 2 for all"),
        "fine": Arm("probe", "the published sets, integrated in steps ten times smaller"),
    }
    margin: ClassVar[float] = 0.5
    unit: ClassVar[str] = "cells of fourteen in a wrong class"
    refuted_if: ClassVar[str] = "any pattern is in a wrong class, at either step, for any seed"
    expected: ClassVar[str] = (
        "Supported at 0.1 ms. Bad outcome: at 0.5 ms spikes overshoot their peak before they are "
        "cut, which changes u, so that cells that fire fast change class."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "The two half steps of Euler's method are part of the model: at 0.5 ms it is another one.",
        "The paper describes patterns in words. What is close, a pause or fast was set here, after "
        "a look at the seven cells with nominal stimuli and with those of tuning seeds.",
        "That look showed first rebound intervals of 4 to 5 ms, where recordings of thalamic "
        "cells demand 4; so bursts are the same for all cells here, and that test stands beside.",
        "To look like a kind of cell is not to work like one.",
        "Seen in the full run: 2 of 40 seeds put one of the fourteen cells in a wrong class, none "
        "in steps ten times smaller. Ten seeds of the quick run are too few to meet one.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, duration=300.0),
        "quick": Budget(10),
        "full": Budget(40),
    }
    batched: ClassVar[bool] = False  # spikes are sorted by NumPy

    duration: float = 500.0  # ms, of a step of current

    def space(self, arm: str) -> dict[str, Range]:
        return {}

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_stimuli, at_mix = jax.random.split(key)
        draws = np.asarray(jax.random.uniform(at_stimuli, (3,), minval=-1.0, maxval=1.0))
        parameters = published()
        if arm == "mixed":
            parameters = np.asarray(jax.random.permutation(at_mix, parameters, 0, independent=True))
        if arm == "one reset":
            parameters[:, 2:] = -65.0, 2.0
        found = [self.examined(parameters, draws, dt / 10 if arm == "fine" else dt) for dt in STEPS]
        wrong = [
            [kinds(cell) != [name] for name, cell in zip(PATTERNS, at, strict=True)] for at in found
        ]
        kept = {
            name: jnp.array([[getattr(cell, name) for cell in at] for at in found], jnp.float32)
            for name in Features.__dataclass_fields__
        }
        kept["wrong"] = jnp.array(wrong)
        return Outcome(-jnp.float32(np.sum(wrong)), kept=kept)

    def examined(
        self, parameters: Float[np.ndarray, "cell 4"], draws: np.ndarray, dt: float
    ) -> "list[Features]":
        """Give every cell all stimuli and describe its spikes."""
        quiet, on = round(QUIET / dt), round(self.duration / dt)
        levels = np.repeat(np.array([CURRENT, WEAK]) * (1 + SPREAD * draws[:2]), len(parameters))
        steps = np.concatenate([np.zeros((quiet, len(levels))), np.tile(levels, (on, 1))])
        spikes = played(np.tile(parameters, (2, 1)), steps, dt)[quiet:].T
        held = HELD[0] + HELD[1] * draws[2]
        hold = -(0.04 * held**2 + 5 * held + 140) + parameters[:, 1] * held
        down = np.concatenate([np.tile(hold, (5 * quiet, 1)), np.zeros((3 * quiet, len(hold)))])
        released = played(parameters, down, dt)[5 * quiet :].T
        rhythms = resonance(parameters, dt)
        described = zip(*np.split(spikes, 2), released, rhythms, strict=True)
        return [describe(*each, dt=dt, duration=self.duration) for each in described]

    def evidence(self, outcomes: Outcomes) -> Evidence:
        wrong = {arm: -np.asarray(each.score, np.float64) for arm, each in outcomes.items()}
        place = PATTERNS.index("thalamo-cortical"), PATTERNS.index("low-threshold spiking")
        first = np.asarray(outcomes["published"].kept["rebound_interval"], np.float64).max(1)
        removed = np.minimum(wrong["mixed"], wrong["one reset"])
        return Evidence(
            Identity(wrong["published"], removed, self.margin),
            secondary={
                "in steps ten times smaller": Identity(wrong["fine"], removed, self.margin),
                "rebound bursts as in the living thalamus: first interval of at most 4 ms": (
                    Identity(first[:, place[0]], first[:, place[1]], LGN)
                ),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import traces

        dt, quiet = STEPS[0], round(QUIET / STEPS[0])
        stimulus = np.r_[np.zeros(quiet), np.full(3 * quiet, CURRENT)]
        potentials, spikes = {}, {}
        for name in PATTERNS:
            cell, current = Izhikevich.named(name), jnp.asarray(stimulus[:, None], jnp.float32)
            step = lambda s, now: cell.step(s, now[None], None, dt=dt)  # noqa: B023, E731
            watch = lambda s, now: (step(s, now)[0], (s[0], step(s, now)[1]))  # noqa: B023, E731
            potential, fired = jax.lax.scan(watch, cell.init(1), current)[1]
            potentials[name], spikes[name] = potential[:, 0], fired[:, 0]
        return traces(potentials, spikes, dt=dt, peak=30.0)


@dataclasses.dataclass(frozen=True)
class Features:
    """What an observer sees of a cell that cannot look inside."""

    rate: float  # Hz, during the strong step
    variation: float  # of the intervals
    adaptation: float  # index, per interval
    pauses: int  # bursts that end in a pause
    sustained: bool  # fires in the last fifth of the step too
    low_threshold: bool  # fires at the weak step
    rebound: int  # spikes of the burst after release; 0: silent
    rebound_interval: float  # ms, the first one; infinite: none
    resonates: bool


def describe(
    strong: np.ndarray,
    weak: np.ndarray,
    released: np.ndarray,
    resonates: bool,
    *,
    dt: float,
    duration: float,
) -> Features:
    """The features of one cell from its spike trains, (time,) each."""
    times, back = spike_times(strong, dt=dt), spike_times(released, dt=dt)
    return Features(
        rate=1000 * len(times) / duration,
        variation=variation(times),
        adaptation=adaptation_index(times),
        pauses=pauses(times, close=CLOSE, longer=LONGER),
        sustained=bool(len(times) and times[-1] > 0.8 * duration),
        low_threshold=bool(weak.any()),
        rebound=first_burst(back, close=CLOSE),
        rebound_interval=float(back[1] - back[0]) if len(back) > 1 else float("inf"),
        resonates=resonates,
    )


def kinds(cell: Features) -> list[str]:
    """All patterns whose criteria a cell meets, after the descriptions of Izhikevich (2003)."""
    simple = not cell.resonates and cell.sustained and cell.pauses == 0
    relay = cell.rebound >= 3
    slows = cell.adaptation >= 0.01
    criteria = {
        "regular spiking": simple and slows and not relay and not cell.low_threshold,
        "intrinsically bursting": not cell.resonates and cell.sustained and cell.pauses == 1,
        "chattering": not cell.resonates and cell.pauses >= 3 and cell.variation > 1,
        "fast spiking": simple and not slows and not relay and cell.rate >= 50,
        "low-threshold spiking": simple and slows and not relay and cell.low_threshold,
        "thalamo-cortical": simple and relay,
        "resonator": cell.resonates,
    }
    return [name for name, met in criteria.items() if met]


def published() -> Float[np.ndarray, "cell 4"]:
    """The published a, b, c and d of all patterns."""
    cells = [Izhikevich.named(name) for name in PATTERNS]
    return np.array([(cell.a, cell.b, cell.c, cell.d) for cell in cells], np.float32)


def played(parameters: Float[np.ndarray, "cell 4"], stimuli: Stimuli, dt: float) -> np.ndarray:
    """Spikes of cells with these parameters that do not talk to each other, (time, cell)."""
    a, b, c, d = jnp.asarray(parameters, jnp.float32).T
    cells = Population(len(parameters), Izhikevich(a, b, c, d))
    network = Network({"cells": cells}, [], senses=["cells"], voices=["cells"], dt=dt)
    return np.asarray(_respond(network, jnp.asarray(stimuli, jnp.float32)))


@eqx.filter_jit
def _respond(network: Network, stimuli: Float[Array, "time cell"]) -> Float[Array, "time cell"]:
    return respond(network, stimuli)


def resonance(parameters: Float[np.ndarray, "cell 4"], dt: float) -> list[bool]:
    """Whether pulses too weak to fire a cell alone fire it at a rhythm, but not at a faster one."""
    cells, pulse = len(parameters), round(PULSE / dt)
    each = np.repeat(parameters, len(PULSES), axis=0)
    lone = np.zeros((round(50 / dt), len(each)))
    lone[:pulse] = np.tile(PULSES, cells)
    fires = played(each, lone, dt).any(0).reshape(cells, -1)
    weak = ALMOST * PULSES[np.where(fires.any(1), fires.argmax(1), -1)]
    time = np.arange(round(6 * RHYTHM[-1] / dt)) * dt
    on = np.stack([(time % gap < PULSE) & (time < 6 * gap) for gap in RHYTHM], axis=1)
    train = (on[:, None, :] * weak[None, :, None]).reshape(len(time), -1)
    heard = played(np.repeat(parameters, len(RHYTHM), axis=0), train, dt).any(0)
    by_gap = heard.reshape(cells, -1)
    later = ~by_gap[:, :-1] & by_gap[:, 1:]
    return [bool(cell.any()) for cell in later]
