"""Follow the gradient forward in time: what a synapse did, times what the readout got wrong.

Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein & Maass (2020), Nat. Commun. 11:3625; feedback
that learns, Kolen & Pollack (1994), IEEE Int. Conf. Neural Networks 3:1375.
"""

import math
from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractRule, Activities, Activity, Error, Sample, Weight, Weights
from ..network import Network, Population, Projection, Signals, trainable
from ..neurons import Leaky, Rate
from ..weights import fan_in
from .detour import demand_network
from .eligibility import Mark, advance, fresh, meet, parameters, slopes
from .local import single_delay_problem

Marks = dict[str, Mark]  # by projection, and by population and number of a neuron's array


class EProp(AbstractRule[Weights]):
    """Eligibility propagation for cells, spiking or graded, that a linear readout listens to.

    Equations: d E / d W_ji is replaced by sum_t L_j(t) F(e_ji)(t). The eligibility e_ji = (d z_j /
    d h_j) eps_ji is how the cell's activity follows the weight through the cell's own state h_j
    alone: eps_ji(t) = (d h_j(t) / d h_j(t-1)) eps_ji(t-1) + d h_j(t) / d W_ji. F smooths as the
    readout does. L_j = sum_k B_jk dE/dy_k(t), with the readout's outputs y_k. Biases and other
    arrays of neurons follow alike; cells that hear no projection, inputs, keep theirs.

    With symmetric feedback and no connections among the cells this is the gradient; with them it
    leaves out all paths from one cell's spikes to another's. No error travels back in time: memory
    does not grow with it, apart from the readout's outputs, which are played twice because an
    `error` may look at all of them. Traces take a number per state, weight and example.

    `feedback` B is the readout's weights ("symmetric"), "random", or "adaptive": it starts random
    and descends as the weights do, by `rate`, while both decay; with `optax.sgd(rate)` their
    difference shrinks by rate * decay an update.
    """

    feedback: Literal["symmetric", "random", "adaptive"] = eqx.field(
        static=True, default="symmetric"
    )
    gain: float = 1.0  # of random feedback, in units of first forward weights
    rate: float = 0.01  # of adaptive feedback
    decay: float = 0.01  # of adaptive feedback and of the weights that it is to mirror
    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def __check_init__(self):
        kinds = ("symmetric", "random", "adaptive")
        if self.feedback not in kinds:
            raise ValueError(
                f"EProp takes feedback {', '.join(kinds)}, but got {self.feedback!r}. It says "
                'where teaching signals get their weights. Write `EProp("random")`.'
            )

    def init(self, brain: Network, *, key: PRNGKeyArray) -> Weights:
        demand_network(self, brain, problem)
        if self.feedback == "symmetric":
            return {}
        read = [p for p in brain.projections if p.target in brain.voices]
        keys = jax.random.split(key, len(read))
        pairs = zip(read, keys, strict=True)
        return {p.name: fan_in(p.wiring, gain=self.gain, key=k) for p, k in pairs}

    def propose(
        self, state: Weights, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Network, Weights]:
        start = brain.init(key=key)
        outputs = jax.lax.scan(lambda s, now: brain.step(s, now), start, sample.stimuli)[1]
        wrong = jax.grad(error)(outputs, sample)

        def live(carry, now):
            cells, marks = carry
            stimulus, wrong = now
            after, _, signals = brain.observe(cells, stimulus)
            taught = teaching(brain, state, wrong)
            return (after, mark_all(brain, marks, cells.cells, signals, taught)), None

        (_, marks), _ = jax.lax.scan(live, (start, unmarked(brain)), (sample.stimuli, wrong))
        found = collect(brain, marks)
        if self.feedback != "adaptive":
            return found, {}
        notes = {p.name: p.weight for p in found.projections if p.name in state}
        decayed = tuple(
            eqx.tree_at(lambda p: p.weight, d, d.weight + self.decay * p.weight)
            if p.name in state
            else d
            for p, d in zip(brain.projections, found.projections, strict=True)
        )
        return eqx.tree_at(lambda net: net.projections, found, decayed), notes

    def remember(self, state: Weights, notes: Weights) -> Weights:
        if self.feedback != "adaptive":
            return state
        return {name: b - self.rate * (notes[name] + self.decay * b) for name, b in state.items()}


def learners(network: Network) -> list[str]:
    """Populations that have anything to learn: all that hear a projection, or are read out."""
    heard = {p.target for p in network.projections} | set(network.voices)
    return [name for name in network.populations if name in heard]


def kernel(network: Network) -> tuple[float, float]:
    """What a readout keeps of its potential in a step, and what it adds of its drive."""
    cell = network.populations[network.voices[0]].neuron
    if not isinstance(cell, Leaky):
        return 0.0, 1.0
    stay = math.exp(-network.dt / cell.tau)
    return stay, 1 - stay


def teaching(network: Network, feedback: Weights, wrong: Float[Array, " out"]) -> Activities:
    """The learning signal of every population that learns."""
    sizes = network.outputs.values()
    ends = [sum([*sizes][: i + 1]) for i in range(len(sizes))]
    signals = dict(zip(network.voices, jnp.split(wrong, ends[:-1]), strict=True))
    taught: Activities = dict(signals)
    for p in network.projections:
        if p.target in signals and p.source not in signals:
            back = p.wiring.back(feedback.get(p.name, p.weight), signals[p.target])
            taught[p.source] = taught[p.source] + back if p.source in taught else back
    return taught


def unmarked(network: Network) -> Marks:
    """No eligibility yet, anywhere."""
    marks: Marks = {}
    smooths = kernel(network)[0] > 0
    for name in learners(network):
        population = network.populations[name]
        state = jax.eval_shape(lambda p=population: p.neuron.init(p.size))
        leaves = sum(jnp.issubdtype(x.dtype, jnp.inexact) for x in jax.tree.leaves(state))
        how = {"smoothed": smooths and name not in network.voices}
        for p in network.projections:
            if p.target == name:
                places = jax.eval_shape(p.wiring.spread, p.weight).shape
                marks[p.name] = fresh(leaves, places, **how)
        for i in range(len(parameters(population.neuron))):
            marks[f"{name}.{i}"] = fresh(leaves, (population.size,), **how)
    return marks


def mark_all(
    network: Network, marks: Marks, cells: dict, signals: Signals, taught: Activities
) -> Marks:
    """Let every place that learns live through one step."""
    after: Marks = {}
    for name in learners(network):
        neuron, at = network.populations[name].neuron, taught[name]
        slope = slopes(neuron, cells[name], signals.drive[name], network.dt)
        for p in network.projections:
            if p.target == name:
                port = neuron.ports.index(p.port)
                met = meet(p, slope, port, signals.pre[p.name], at)
                after[p.name] = advance(marks[p.name], *met, kernel(network))
        for i, pushed in enumerate(slope.parameters):
            mark = marks[f"{name}.{i}"]
            after[f"{name}.{i}"] = advance(mark, slope.state, pushed, at, kernel(network))
    return after


def collect(network: Network, marks: Marks) -> Network:
    """A direction from what was summed at every place."""

    def of_projection(p: Projection, still: Projection) -> Projection:
        if p.name not in marks:
            return still
        change = jax.linear_transpose(p.wiring.spread, p.weight)(marks[p.name].total)[0]
        return eqx.tree_at(lambda p: p.weight, still, change)

    def of_population(name: str, population: Population, still: Population) -> Population:
        arrays = parameters(population.neuron)
        if name not in learners(network) or not arrays:
            return still
        totals = [marks[f"{name}.{i}"].total for i in range(len(arrays))]
        changes = [_shared(x, total) for x, total in zip(arrays, totals, strict=True)]
        shape = jax.tree.structure(still.neuron)
        return eqx.tree_at(lambda p: p.neuron, still, shape.unflatten(changes))

    still = jax.tree.map(jnp.zeros_like, trainable(network))
    pairs = zip(network.projections, still.projections, strict=True)
    cells = {
        name: of_population(name, population, still.populations[name])
        for name, population in network.populations.items()
    }
    both = tuple(of_projection(p, s) for p, s in pairs), cells
    return eqx.tree_at(lambda net: (net.projections, net.populations), still, both)


def _shared(array: Array, total: Activity) -> Weight:
    """What cells want of an array, which they may share."""
    spread = lambda x: jnp.broadcast_to(x, total.shape)  # noqa: E731
    return jax.linear_transpose(spread, array)(total)[0]


def problem(network: Network) -> str | None:
    """Why e-prop cannot teach a network."""
    if late := single_delay_problem(network):
        return late
    if lasting := [p.name for p in network.projections if p.synapse is not None]:
        return (
            f"follows weights into cells, not into synapses with a memory, and {lasting} have "
            "one. Leave it out, and give the cells a longer `tau`; or use `Backprop()`."
        )
    if chancy := [name for name in learners(network) if network.populations[name].neuron.noisy]:
        return (
            f"needs cells whose step has a slope, but those of {chancy} fire by chance. Use "
            "`neurons.LIF()` and give noise as a stimulus."
        )
    return _readout_problem(network)


def _readout_problem(network: Network) -> str | None:
    cells = {name: network.populations[name].neuron for name in network.voices}
    straight = all(
        isinstance(cell, Rate | Leaky)
        and cell.nonlinearity == "identity"
        and isinstance(getattr(cell, "tau", 1.0), int | float)
        for cell in cells.values()
    )
    if not straight or len({getattr(cell, "tau", 0.0) for cell in cells.values()}) > 1:
        return (
            f"reads its teaching off a linear readout with one fixed time constant, but the output "
            f'is {cells}. Use `Rate("identity")` or `Leaky("identity", 20.0)` for it.'
        )
    read = [p for p in network.projections if p.target in network.voices]
    if late := [p.name for p in read if p.delay > 0]:
        return f"teaches at the time of the answer, but {late} are late. Give them `delay=0`."
    heard = {p.target for p in network.projections} - set(network.voices)
    if deaf := sorted(heard - {p.source for p in read}):
        return (
            f"sends teaching from the readout straight to the cells that it listens to, and it "
            f"does not listen to {deaf}. Add projections from {deaf} to {list(network.voices)} "
            "with `delay=0`, or use `Backprop()`."
        )
    return None
