"""What comes back from a loop changed tells every synapse the gradient, or nearly so.

Hinton & McClelland (1988), NIPS 0:358; beyond autoencoders O'Reilly (1996), Neural Comput. 8:895.
A sentence of several parts: Berger & Hsu (1996), Stat. Sci. 11:283 (intersection-union test).
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractRule, AbstractTask, Split
from ..evidence import Parity, Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import examine, learn
from ..network import Network
from ..rules import Backprop, OutputOnly, Recirculation, direction
from ..symmetric import autoencoder
from ..tasks import Copied, Digits, Encoder
from ..weights import fan_in

TASKS: dict[str, tuple[AbstractTask, int]] = {  # and the number of hidden cells
    "digits": (Copied(Digits()), 16),
    "8-3-8": (Encoder(8), 3),
    "4-2-4": (Encoder(4), 2),
}
LOOP, BACKPROP, TIED, FLOOR = "recirculation", "backprop", "tied weights", "PCA"
APART, AT_ONCE, FIXED = "never aligned", "no slow change", "fixed code"
ARMS = {
    LOOP: Arm("brain", "changes from two rounds of a loop whose two ways start as mirror images"),
    BACKPROP: Arm("control", "the gradient, from the same first weights"),
    TIED: Arm("control", "the gradient, with the same weights both ways for good"),
    FIXED: Arm("control", "weights to hidden cells stay random, the others follow the gradient"),
    FLOOR: Arm("control", "principal components: linear read-out of so few cells errs no less"),
    APART: Arm("probe", "recirculation, the two ways drawn apart and never aligned by hand"),
    AT_ONCE: Arm("sham", "recirculation with regression 0: nothing old is left in round two"),
}
RATIO, COSINE = 1.1, 0.8  # to backprop's error, and to its direction
LEFT = 0.01  # of the excess error; with less left there is hardly a gradient to follow
ENOUGH = 200  # training pictures on which directions are compared


class RecirculationGradient(AbstractClaim):
    """Networks of linear visible and logistic hidden cells learn to give back what they see.

    Per seed all arms of a task start from the same weights, up to their tuned gain, and see the
    same examples in the same order. All encoders' patterns are examples, digits are held out.
    """

    statement: ClassVar[str] = (
        "Weights that change by presynaptic activity times the change of postsynaptic activity "
        "around a loop follow the gradient of the reconstruction error (cosine at least 0.8) and "
        "end within 10 % of the error that backprop reaches."
    )
    source: ClassVar[str] = "Hinton & McClelland (1988), NIPS 0:358"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "mechanism and parity"
    arms: ClassVar[dict[str, Arm]] = {f"{n}, {t}": a for t in TASKS for n, a in ARMS.items()}
    del arms[f"{FIXED}, 8-3-8"], arms[f"{FIXED}, 4-2-4"]  # where any code will do
    margin: ClassVar[float] = 1.0
    unit: ClassVar[str] = "of what is asked: log ratio of errors / log 1.1, or cosine / 0.8"
    refuted_if: ClassVar[str] = (
        "on any of the three tasks the error is more than 1.1 times that of backprop, or the "
        "cosine between the changes of the weights to hidden cells and the gradient, on average "
        "over learning, is below 0.8. The primary test is that of the part with the weakest "
        "ruling: all have to hold"
    )
    expected: ClassVar[str] = (
        "Supported from mirrored weights. Bad outcome: the two ways drift apart as they learn at "
        "different speeds, and late in learning the cosine falls, or digits stay behind backprop. "
        "Drawn apart, weights start at a cosine of 0."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Where visible cells are linear, any code of 4-2-4 or 8-3-8 leaves the error of the best: "
        "there the end says little, and only digits tell a good code from a bad one.",
        "The weights to visible cells follow the gradient by construction, so that the cosine is "
        "that of the weights to hidden cells.",
        "Changes of the weights to hidden cells are (1 - regression)^2 of the gradient, of those "
        "to visible ones 1 - regression: one rate for both slows the code down.",
        "Near its smallest error a network has no gradient left: learning counts as long as more "
        "than 1 % of the excess over principal components remains.",
        "One hidden layer, linear visible cells and near mirrored weights: the restricted case.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, updates=8, probes=2),
        "quick": Budget(20),
        "full": Budget(20, updates=20_000),
    }

    updates: int = 4000
    """Updates on digits; the encoders get a quarter."""
    batch: int = 32
    """Examples in an update."""
    regression: float = 0.75
    """Share of the old activity that stays in the second round."""
    momentum: float = 0.9
    """Of gradient descent."""
    probes: int = 50
    """Points of the curves, evenly spaced."""

    def space(self, arm: str) -> dict[str, Range]:
        return {} if arm.startswith(FLOOR) else {"rate": Range(5e-3, 5.0), "gain": Range(0.2, 2.0)}

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        name, about = arm.split(", ")
        task, hidden = TASKS[about]
        if name == FLOOR:
            ends = jnp.array([floor(task, 0, "tune"), floor(task, hidden, "tune")])
            return Outcome(-jnp.log(jnp.array(floor(task, hidden, "test"))), curves={"error": ends})
        at_network, at_life = jax.random.split(key)
        brain = first(name, (task.shape[1], hidden), settings["gain"], key=at_network)
        by = {BACKPROP: Backprop(), TIED: Backprop(), FIXED: OutputOnly()}.get(name)
        by = by or Recirculation(0.0 if name == AT_ONCE else self.regression)
        updates = self.updates if about == "digits" else self.updates // 4
        optimiser = optax.sgd(optax.cosine_decay_schedule(settings["rate"], updates), self.momentum)
        if name == TIED:
            optimiser = optax.chain(optax.stateless(shared), optimiser)

        def probe(net: Network) -> dict[str, Float[Array, ""]]:
            error = {"error": -examine(net, task, "tune", key=key)}
            return error | follow(by, net, task) if isinstance(by, Recirculation) else error

        how: dict[str, Any] = {"steps": updates, "batch": self.batch, "key": at_life}
        learned = learn(brain, by, task, optimiser, probe=probe, probes=self.probes, **how)
        once = hidden * task.shape[1] if name == TIED else 0  # weights that are counted twice
        return Outcome(
            score=-jnp.log(-examine(learned.brain, task, "test", key=key)),
            tuning=-jnp.log(learned.curves["error"][-1]),
            curves=learned.curves,
            costs=learned.costs | {"parameters": learned.costs["parameters"] - once},
        )

    def evidence(self, outcomes: Outcomes) -> Evidence:
        def score(name: str, task: str) -> Float[np.ndarray, " seed"]:
            return np.asarray(outcomes[f"{name}, {task}"].score, np.float64)

        def equal(name: str, task: str = "digits", unit: float = 1.0) -> Parity:
            mine, best = score(name, task) / unit, score(BACKPROP, task) / unit
            return Parity(mine, best, np.log(RATIO) / unit)

        def near(name: str, task: str, what: str = "cosine", unit: float = 1.0) -> Superiority:
            found = while_learning(outcomes, name, task, what) / unit
            return Superiority(found, np.zeros_like(found), COSINE / unit)

        def gate(says: str, name: str, to: str, task: str, least: float, most: float) -> Gate:
            ratio = float(np.exp(np.mean(score(to, task) - score(name, task))))
            return Gate(f"{says}, {task}", least <= ratio <= most, f"{ratio:.3f} times")

        ends = [equal(LOOP, task, np.log(RATIO)) for task in TASKS]
        ways = [near(LOOP, task, unit=COSINE) for task in TASKS]
        learns = "backprop errs at most 1.25 times as much as PCA"
        matters = "codes matter: a fixed one errs at least 1.21 times as much as backprop"
        mirror = np.asarray(outcomes[f"{APART}, digits"].curves["mirror"], np.float64)
        aligned = Superiority(mirror[:, -1], np.zeros(len(mirror)), 0.0)
        loops = (LOOP, APART, AT_ONCE)
        return Evidence(
            weakest(*ends, *ways),
            gates=(
                *(gate(learns, BACKPROP, FLOOR, task, 0.0, 1.25) for task in TASKS),
                gate(matters, FIXED, BACKPROP, "digits", RATIO**2, np.inf),
            ),
            secondary={
                **{f"{LOOP} = {BACKPROP}, {task} (log error)": equal(LOOP, task) for task in TASKS},
                **{f"cosine of {n}, {t}": near(n, t) for t in TASKS for n in loops},
                **{f"cosine of all changes, {t}": near(LOOP, t, "cosine of all") for t in TASKS},
                **{f"{n} = {BACKPROP}, digits (log error)": equal(n) for n in (TIED, *loops[1:])},
                f"{APART}: the two ways align, digits (cosine)": aligned,
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        arms = (LOOP, APART, AT_ONCE)
        lines = {name: np.asarray(outcomes[f"{name}, digits"].curves["cosine"]) for name in arms}
        updates = np.arange(1, self.probes + 1) * (self.updates // self.probes)
        return curves(updates, lines, x_title="updates, digits", y_title="cosine to the gradient")


def first(name: str, cells: tuple[int, int], gain: Array, *, key: PRNGKeyArray) -> Network:
    """A network that has not learned; its two ways mirror each other, or are each drawn alone."""
    brain = autoencoder(*cells, key=key)
    up, down = weights(brain)
    if name == APART:
        down = fan_in(brain.projections[1].wiring, key=jax.random.fold_in(key, 1))
    return eqx.tree_at(weights, brain, (gain * up, gain * down))


def weights(network: Network) -> tuple[Any, Any]:
    """To hidden cells, and to visible ones."""
    up, down = network.projections
    return up.weight, down.weight


def shared(change: Any, _: Any = None) -> Any:
    """What is meant for a weight and for its mirror image goes to both, so that they stay one."""
    up, down = weights(change)
    return eqx.tree_at(weights, change, (up + down.T, up.T + down))


def follow(by: AbstractRule, brain: Network, task: AbstractTask) -> dict[str, Float[Array, ""]]:
    """Cosines: of a rule's changes with the gradient, and of the weights of the two ways."""
    key = jax.random.key(0)  # nothing is drawn
    seen = jax.tree.map(lambda x: x[:ENOUGH], task.exam("train", key=key))
    both = [direction(r, None, brain, seen, task.error, key=key)[0] for r in (by, Backprop())]
    up, down = weights(brain)
    return {
        "cosine": cosine(*(weights(change)[0] for change in both)),
        "cosine of all": cosine(*(ravel_pytree(change)[0] for change in both)),
        "mirror": cosine(up, down.T),
    }


def cosine(a: Float[Array, "..."], b: Float[Array, "..."]) -> Float[Array, ""]:
    """The cosine of the angle between two arrays as vectors; 0 where one of them is 0."""
    lengths = jnp.linalg.norm(a.ravel()) * jnp.linalg.norm(b.ravel())
    return jnp.where(lengths > 0, jnp.vdot(a, b) / jnp.where(lengths > 0, lengths, 1.0), 0.0)


def while_learning(
    outcomes: Outcomes, name: str, task: str, what: str
) -> Float[np.ndarray, " seed"]:
    """The mean of a curve from the start until the excess error is all but gone, by seed."""
    curves = outcomes[f"{name}, {task}"].curves
    none, best = np.asarray(outcomes[f"{FLOOR}, {task}"].curves["error"][0], np.float64)
    left = (np.asarray(curves["error"], np.float64) - best) / (none - best)
    left[:, 0] = 1.0  # the first point counts
    learns = np.logical_and.accumulate(left >= LEFT, axis=1)
    return np.mean(np.asarray(curves[what], np.float64), axis=1, where=learns)


def floor(task: AbstractTask, components: int, split: Split) -> float:
    """The error that principal components of the training patterns leave."""
    with jax.ensure_compile_time_eval():  # it is the same for every seed
        exams = [task.exam(part, key=jax.random.key(0)) for part in ("train", split)]
        known, new = (np.asarray(exam.stimuli[:, 0], np.float64) for exam in exams)
    mean = known.mean(0)
    axes = np.linalg.svd(known - mean, full_matrices=False)[2][:components]
    return float(np.sum((new - mean - (new - mean) @ axes.T @ axes) ** 2, axis=1).mean() / 2)
