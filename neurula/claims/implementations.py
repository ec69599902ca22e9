"""Eight ways to learn the same thing: other cells, other rules, another wiring.

Feedback alignment: Lillicrap et al. (2016), Nat. Commun. 7:13276. Predictive coding: Whittington &
Bogacz (2017), Neural Comput. 29:1229. Equilibrium propagation: Scellier & Bengio (2017), Front.
Comput. Neurosci. 11:24. Direct feedback: Nøkland (2016), NeurIPS 29. Spikes: Neftci et al. (2019),
IEEE Signal Process. Mag. 36:51.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .. import rules
from ..builders import free, layered
from ..contracts import AbstractBlock, AbstractRule, AbstractTask, Sample, Split
from ..network import Network
from ..neurons import LIF, Rate
from ..symmetric import two_way
from ..tasks import Digits, Squared
from ..tasks.wrapped import AbstractWrapped
from ..wirings import Dense, random
from .staring_cells import TAU, Priced, Staring, behind

BACKPROP, FIXED, CODING, SETTLING = (
    "backprop", "feedback alignment", "predictive coding", "equilibrium propagation",
)  # fmt: skip
SPIKING, BINARY, FREE, DIRECT = "spiking", "threshold cells", "free graph", "direct feedback"
PIXELS, CLASSES = 64, 10
SETTLE, NUDGED, STEPS, HOPS = 30, 15, 20, 4  # steps; of spikes ms
POOL = 64  # graphs, of which every seed draws one


class Aimless(AbstractWrapped):
    """The pictures of another task with answers drawn at random: nothing can be learned."""

    task: AbstractTask

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        sample = self.task.sample(split, key=key)
        answer = jax.random.randint(jax.random.fold_in(key, 1), (), 0, self.shape[2])
        target = jnp.tile(jax.nn.one_hot(answer, self.shape[2])[None], (self.shape[0], 1))
        return eqx.tree_at(lambda sample: sample.target, sample, target)


def taught_by(way: str) -> AbstractRule:
    """The rule by which an implementation learns."""
    by = {
        FIXED: rules.FeedbackAlignment(),
        CODING: rules.PredictiveCoding(20),
        SETTLING: rules.EquilibriumPropagation(0.1, free_steps=SETTLE, nudged_steps=NUDGED),
        DIRECT: rules.DirectFeedbackAlignment(),
    }
    return by.get(way, rules.Backprop())


def shown_to(way: str, noise: float) -> AbstractTask:
    """Digits behind noise, for as long as an implementation has to look."""
    if way in (SETTLING, CODING):
        return Squared(Digits(noise=noise))
    if way in (SPIKING, BINARY):
        return Priced(Digits(noise=noise), 0.0, 0.0)  # operations are free
    return Digits(noise=noise, look=HOPS + 1 if way == FREE else 1)


def implementation(way: str, width: int, gain: float, *, key: PRNGKeyArray) -> AbstractBlock:
    """Two layers of `width` cells that have not learned, or a graph of as many connections."""
    at_cells, at_readout = jax.random.split(key)
    sizes = [PIXELS, width, width, CLASSES]
    if way == FREE:
        with jax.ensure_compile_time_eval():  # graphs are drawn in NumPy
            many = [random(2 * width, 0.25, seed=seed).exists for seed in range(POOL)]
            pool = np.stack([np.asarray(each) for each in many])
        drawn = jnp.asarray(pool)[jax.random.randint(at_readout, (), 0, POOL)]
        graph, hear, speak = (
            Dense(2 * width, 2 * width, drawn),
            range(width),
            range(width, 2 * width),
        )
        return free(
            graph,
            inputs=PIXELS,
            outputs=CLASSES,
            sensory=hear,
            motor=speak,
            gain=gain,
            key=at_cells,
        )
    kinds = {
        BACKPROP: lambda size: Rate("relu", jnp.zeros(size)),
        SPIKING: lambda size: LIF(TAU, bias=jnp.zeros(size)),
        BINARY: lambda size: LIF(0.01, bias=jnp.zeros(size)),
    }
    network = layered(sizes, neuron=kinds.get(way), gain=gain, key=at_cells)
    if way in (SPIKING, BINARY):
        return behind(network, STEPS if way == SPIKING else 1, key=at_readout)
    return two_way(network) if way == SETTLING else network


def listen(
    brain: AbstractBlock, picture: Float[Array, " pixel"], way: str, width: int
) -> tuple[Float[Array, " class"], Float[Array, " cell"]]:
    """What is answered to a picture, and what the cells do that are read out."""
    if isinstance(brain, Staring):
        activity = brain.activity(None, picture)
        answer = brain.answers(activity, brain.steps - 1)[0]
        return answer, jnp.mean(brain.read(activity), axis=0)
    assert isinstance(brain, Network)
    looks = {SETTLING: SETTLE, FREE: HOPS + 1}.get(way, 1)

    def look(state: Any, _: None) -> tuple[Any, tuple[Array, Array]]:
        state, answer, signals = brain.observe(state, picture)
        cells = signals.activity["cells" if way == FREE else "hidden2"]
        return state, (answer, cells[-width:])

    _, (answers, cells) = jax.lax.scan(look, brain.init(), length=looks)
    return answers[-1], cells[-1]


def first_weights(brain: AbstractBlock, width: int) -> Float[Array, "cell pixel"]:
    """What every cell that hears pixels makes of them."""
    network = brain.cells if isinstance(brain, Staring) else brain
    assert isinstance(network, Network)
    return jnp.asarray(network.projections[0].weight)[:width]
