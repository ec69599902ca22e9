"""Cells that look at a picture while it stays on, what they cost, and how spikes alone teach them.

A leaky readout of spikes: Bellec et al. (2018), NeurIPS 31:787. Competing cells that learn by
spike times: Diehl & Cook (2015), Front. Comput. Neurosci. 9:99.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractBlock, AbstractTask, Sample, Split
from ..network import Network, Population, Projection
from ..neurons import LIF, AdaptiveLIF, Poisson, Rate
from ..plastic import Plastic
from ..response import respond
from ..rules import STDP
from ..weights import fan_in
from ..wirings import Dense, OneToOne

TAU = 20.0  # ms, of the membranes of all cells and of the readout
STRENGTH = 80.0  # sum of the weights from the input that a cell is kept at while it learns
LARGEST = 5.0  # mV, weight
HARDER = 0.05  # mV, by which every spike raises a competing cell's threshold for good
Key = PRNGKeyArray | None


class Staring(AbstractBlock[Key]):
    """One step of this block is a whole presentation: `steps` ms of a picture that stays on.

    Equations: the potential of the readout u_t = a u_{t-1} + (1 - a) s_t with a = exp(-1 ms / TAU)
    is summed over the presentation; the answer is linear in it. For a single step u = s. The last
    output is the number of synaptic operations: one for each connection from real-valued input,
    whose drive is worked out once, and one for each connection of a cell whenever it is active.
    """

    cells: Network  # all cells that hear others are voices; the last of them are read out
    readout: Float[Array, "class cell"]
    bias: Float[Array, " class"]
    steps: int = eqx.field(static=True)
    still: bool = eqx.field(static=True, default=False)  # only the readout learns
    shuffled: bool = eqx.field(static=True, default=False)  # spikes are read at random times

    @property
    def inputs(self) -> dict[str, int]:
        return self.cells.inputs

    @property
    def outputs(self) -> dict[str, int]:
        return {"answer": len(self.bias), "operations": 1}

    def init(self, *, key: Key = None) -> Key:
        return key

    def step(self, state: Key, inputs: Float[Array, " in"]) -> tuple[Key, Float[Array, " out"]]:
        activity = self.activity(state, inputs)
        last = self.steps - 1
        answer = (
            self.at_random(state, activity) if self.shuffled else self.answers(activity, last)[0]
        )
        return state, jnp.append(answer, self.operations(activity))

    def activity(self, key: Key, picture: Float[Array, " in"]) -> Float[Array, "time cell"]:
        """What all cells do while a picture is shown."""
        activity = respond(self.cells, picture[None], hold=self.steps, key=key)
        return jax.lax.stop_gradient(activity) if self.still else activity

    def answers(
        self, activity: Float[Array, "time cell"], since: int = 0
    ) -> Float[Array, "late class"]:
        """What the answer would be if it were due after step `since`, the next, ..., the last."""
        return felt_by(self.steps)[since:] @ self.read(activity) @ self.readout.T + self.bias[None]

    def at_random(self, key: Key, activity: Float[Array, "time cell"]) -> Float[Array, " class"]:
        """The answer where every spike is read at a time of the presentation drawn at random."""
        assert key is not None  # `learn` and `examine` give one
        spikes = self.read(activity)
        felt = felt_by(self.steps)[-1][jax.random.randint(key, spikes.shape, 0, self.steps)]
        return self.readout @ jnp.sum(felt * spikes, axis=0) + self.bias

    def read(self, activity: Float[Array, "time cell"]) -> Float[Array, "time read"]:
        """The activity of the cells that are read out."""
        return activity[:, -self.readout.shape[1] :]

    def operations(self, activity: Float[Array, "time cell"]) -> Float[Array, ""]:
        """Synaptic operations of a presentation."""
        return connections(self.cells, self.cells.senses) + jnp.sum(activity, 0) @ self.fan_out()

    def fan_out(self) -> Float[Array, " cell"]:
        """To how many connections every cell speaks, those to the readout included."""
        sizes = self.cells.outputs
        out = {name: jnp.zeros(size) for name, size in sizes.items()}
        for p in self.cells.projections:
            if p.source in out:
                out[p.source] += p.wiring.back(p.wiring.fill(1.0), jnp.ones(p.wiring.shape[0]))
        every = jnp.concatenate(list(out.values()))
        return every.at[-self.readout.shape[1] :].add(len(self.bias))


class Priced(AbstractTask):
    """Another task, where operations (the last output) beyond `free` add to the error."""

    task: AbstractTask
    free: float
    price: float  # nats per operation

    @property
    def shape(self) -> tuple[int, int, int]:
        time, inputs, outputs = self.task.shape
        return time, inputs, outputs + 1

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self.task.sample(split, key=key)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self.task.exam(split, key=key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        answers, operations = outputs[:, :-1], outputs[:, -1]
        return self.task.error(answers, sample) + self.price * jnp.mean(
            jax.nn.relu(operations - self.free)
        )

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return self.task.score(outputs[:, :-1], sample)


def felt_by(steps: int) -> Float[Array, "shown time"]:
    """What a spike at a time has added to the sum of the readout's potential at a later one."""
    if steps == 1:
        return jnp.ones((1, 1))
    time = jnp.arange(steps, dtype=jnp.float32)
    since = time[:, None] - time[None, :]
    return jnp.where(since >= 0, 1 - jnp.exp(-(since + 1) / TAU), 0.0)


def connections(network: Network, sources: Sequence[str]) -> Float[Array, ""]:
    """How many connections leave the named populations."""
    wirings = [p.wiring for p in network.projections if p.source in sources]
    return sum((jnp.sum(wiring.fill(1.0)) for wiring in wirings), jnp.zeros(()))


def behind(network: Network, steps: int, *, key: PRNGKeyArray, **how: bool) -> Staring:
    """The cells of a layered network, with a readout of their last layer that is linear."""
    hidden = [name for name in network.populations if name not in ("input", "output")]
    cells = Network(
        {name: network.populations[name] for name in ("input", *hidden)},
        network.projections[:-1],
        senses=["input"],
        voices=hidden,
    )
    last = network.projections[-1].wiring
    return Staring(cells, fan_in(last, key=key), jnp.zeros(last.shape[0]), steps, **how)


def competing(
    size: tuple[int, int],
    peak: Float[Array, ""],
    inhibition: Float[Array, ""],
    *,
    key: PRNGKeyArray,
) -> Network:
    """Cells that hear pixels, spikes at up to `peak` Hz, and silence each other, by so many mV."""
    cells, pixels = size
    wiring, rivals = Dense(cells, pixels), Dense(cells, cells, ~jnp.eye(cells, dtype=bool))
    first = even(jax.random.uniform(key, wiring.shape))
    harder = AdaptiveLIF(TAU, refractory=0.0, beta=HARDER, tau_adaptation=1e9)
    return Network(
        {
            "pixels": Population(pixels, Rate("identity")),
            "input": Population(pixels, Poisson()),
            "hidden1": Population(cells, harder),
        },
        [
            Projection("pixels", "input", OneToOne(pixels), jnp.full(pixels, peak), "rate", 0),
            Projection("input", "hidden1", wiring, first, delay=0),
            Projection("hidden1", "hidden1", rivals, rivals.fill(-inhibition)),
        ],
        senses=["pixels"],
        voices=["input", "hidden1"],
    )


def even(weight: Float[Array, "post pre"]) -> Float[Array, "post pre"]:
    """The same weights, scaled so that all cells hear as much."""
    return weight * STRENGTH / jnp.sum(weight, axis=1, keepdims=True)


def raised(
    network: Network,
    pictures: Float[Array, "picture pixel"],
    pace: Float[Array, ""],
    steps: int,
    *,
    key: PRNGKeyArray,
) -> Network:
    """Competing cells after STDP on pictures, seen for `steps` ms each, and without it from now on.

    Between pictures cells come to rest and weights are scaled; thresholds stay as they are.
    """
    plastic = Plastic(network, STDP(0.05, 0.0525, largest=LARGEST), pace, only=("input->hidden1",))

    def look(carry: Any, seen: Any) -> tuple[Any, None]:
        weight, harder = carry
        picture, at_noise = seen
        state = plastic.init(key=at_noise)
        there = lambda s: (s.weights[1], s.cells.cells["hidden1"][2])  # noqa: E731
        state = eqx.tree_at(there, state, carry)
        state, _ = jax.lax.scan(
            lambda s, _: (plastic.step(s, picture)[0], None), state, length=steps
        )
        weight, harder = there(state)
        return (even(weight), harder), None

    keys = jax.random.split(key, len(pictures))
    start = network.projections[1].weight, jnp.zeros(network.populations["hidden1"].size)
    (weight, harder), _ = jax.lax.scan(look, start, (pictures, keys))
    return settled(network, weight, harder)


def settled(
    network: Network, weight: Float[Array, "post pre"], harder: Float[Array, " post"]
) -> Network:
    """The same cells with the same threshold for all, and weights that are weaker instead.

    Potentials start and are reset at 0, so that they and their threshold scale alike.
    """
    scale = (1 / (1 + HARDER * harder))[:, None]
    white, up, rivals = network.projections
    joins = [white]
    for p, now in ((up, weight), (rivals, rivals.weight)):
        joins.append(eqx.tree_at(lambda p: p.weight, p, now * scale))
    cells = network.populations | {"hidden1": Population(len(harder), LIF(TAU))}
    return Network(cells, joins, senses=network.senses, voices=network.voices)
