"""Strengthen what goes together in the world, weaken what goes together in dreams.

Ackley, Hinton & Sejnowski (1985), Cogn. Sci. 9:147; contrastive divergence: Hinton (2002), Neural
Comput. 14:1771.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..contracts import Error, Sample
from ..network import Network
from ..symmetric import images
from .detour import demand_network
from .gradient import AbstractGradientRule, freeze

States = Float[Array, "state cell"]  # cells of all populations, visible ones first
MOST_CELLS = 14  # whose 2^14 states are still a fast sum


class Boltzmann(AbstractGradientRule[None]):
    """For symmetric networks of `neurons.Binary` cells (`boltzmann(visible, hidden, key=key)`).

    P(state) = exp(-E / T) / Z, and the direction is <s s> dreaming minus <s s> awake, over T: the
    gradient of -log P(stimulus), the cells of `senses` being visible. Mirrored weights each take
    the gradient of the weight that they stand for. `exact` sums over all states (up to 14 cells);
    `annealed` samples, both phases cooling from `hot` times T to T in `sweeps` sweeps over the
    cells, followed by `samples` sweeps that count; `contrastive divergence` dreams for `sweeps`
    sweeps at T from where waking ended. No target is used.
    """

    by: Literal["exact", "annealed", "contrastive divergence"] = "exact"
    sweeps: int = 10
    samples: int = 10
    hot: float = 10.0
    needs: ClassVar[frozenset[str]] = frozenset()
    ignores: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Network, *, key: PRNGKeyArray) -> None:
        demand_network(self, brain, self._problem)

    def surrogate(
        self, state: None, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], None]:
        phases = self._all if self.by == "exact" else self._drawn
        awake, dreaming = phases(freeze(brain), sample.stimuli[-1], key)
        whole = halved(brain)
        mean = lambda odds, states: odds @ jax.vmap(lambda s: _bonds(whole, s))(states)  # noqa: E731
        return (mean(*awake) - mean(*dreaming)) / temperature(brain), None

    def remember(self, state: None, notes: None) -> None:
        del notes

    def _all(self, net: Network, stimulus: Array, key: PRNGKeyArray) -> tuple:
        """Every state and its probability, awake and dreaming."""
        held, seen = visible(net, stimulus)
        awake, dreaming = every_state(~held, seen), every_state(np.ones_like(held), seen)
        return (probabilities(net, awake), awake), (probabilities(net, dreaming), dreaming)

    def _drawn(self, net: Network, stimulus: Array, key: PRNGKeyArray) -> tuple:
        """States drawn from both phases, all equally probable."""
        held, seen = visible(net, stimulus)
        to_start, to_wake, to_dream = jax.random.split(key, 3)
        start = jax.random.bernoulli(to_start, 0.5, seen.shape).astype(seen.dtype)
        cooling = self.hot ** jnp.linspace(1.0, 0.0, self.sweeps)
        counting = jnp.ones(self.samples)
        cold = jnp.concatenate([cooling, counting])
        awake = gibbs(net, jnp.where(held, seen, start), cold, jnp.asarray(~held), key=to_wake)
        anyone = jnp.ones(len(held), bool)
        if self.by == "annealed":
            dream = gibbs(net, start, cold, anyone, key=to_dream)[self.sweeps :]
        else:
            dream = gibbs(net, awake[-1], jnp.ones(self.sweeps), anyone, key=to_dream)[-1:]
        awake = awake[self.sweeps :]
        even = lambda states: jnp.full(len(states), 1 / len(states), states.dtype)  # noqa: E731
        return (even(awake), awake), (even(dream), dream)

    def _problem(self, network: Network) -> str | None:
        kinds = {name: type(p.neuron).__name__ for name, p in network.populations.items()}
        if set(kinds.values()) != {"Binary"}:
            return (
                f"needs cells that are on or off by chance, but got {kinds}. Use "
                "`neurons.Binary()`; `boltzmann(visible, hidden, key=key)` builds a machine."
            )
        if len(warm := {p.neuron.temperature for p in _ordered(network).values()}) > 1:
            return f"needs one temperature, but got {sorted(warm)}. Give all cells the same."
        cells = sum(p.size for p in network.populations.values())
        if self.by == "exact" and cells > MOST_CELLS:
            return (
                f"sums over all states of at most {MOST_CELLS} cells, but {cells} have 2^{cells}. "
                'Sample them: `Boltzmann("annealed")`.'
            )
        weight, _ = couplings(network)
        if isinstance(weight, Tracer):  # under `jit` there are no numbers to compare yet
            return None
        if not np.allclose(weight, weight.T, atol=1e-5) or np.any(np.diag(weight) != 0):
            return (
                f"needs weights that are the same both ways and no cell joined to itself, but "
                f"weights differ by up to {np.abs(weight - weight.T).max():.3g} and "
                f"{np.count_nonzero(np.diag(weight))} cells are joined to themselves: no energy "
                "belongs to such a network. Build it with `boltzmann(visible, hidden, key=key)`."
            )
        return None


def halved(network: Network) -> Network:
    """The same network, in which mirrored weights share their gradients, to the last digit."""
    seen = images(network)
    mean = lambda p: (p.weight + seen[p.name]) / 2 if p.name in seen else p.weight  # noqa: E731
    return network.edit(lambda p: eqx.tree_at(lambda p: p.weight, p, mean(p)))


def temperature(network: Network) -> float:
    """The temperature of all cells."""
    return next(iter(_ordered(network).values())).neuron.temperature


def _ordered(network: Network) -> dict[str, Any]:
    """All populations, of binary cells, visible ones first."""
    hidden = sorted(set(network.populations) - set(network.senses))
    return {name: network.populations[name] for name in (*network.senses, *hidden)}


def _split(network: Network, state: Float[Array, " cell"]) -> dict[str, Array]:
    cells = _ordered(network)
    ends = np.cumsum([p.size for p in cells.values()])[:-1]
    return dict(zip(cells, jnp.split(state, ends), strict=True))


def _bonds(network: Network, state: Float[Array, " cell"]) -> Float[Array, ""]:
    """Minus every weight times the activity of both ends; the energy, with each bond twice."""
    cells, total = _split(network, state), jnp.zeros((), state.dtype)
    for p in network.projections:
        total -= jnp.sum(cells[p.target] * p.wiring.drive(p.weight, cells[p.source]))
    for name, population in _ordered(network).items():
        if population.neuron.bias is not None:
            total -= jnp.sum(cells[name] * population.neuron.bias)
    return total


def couplings(network: Network) -> tuple[Float[Array, "cell cell"], Float[Array, " cell"]]:
    """The weights between all cells, (post, pre), and their biases."""
    nobody = jnp.zeros(sum(p.size for p in network.populations.values()))

    def drive(state: Float[Array, " cell"]) -> Float[Array, " cell"]:
        cells = _split(network, state)
        total = {name: jnp.zeros(p.size) for name, p in _ordered(network).items()}
        for p in network.projections:
            total[p.target] = total[p.target] + p.wiring.drive(p.weight, cells[p.source])
        return jnp.concatenate(list(total.values()))

    own = [(p.neuron.bias, jnp.zeros(p.size)) for p in _ordered(network).values()]
    biases = jnp.concatenate([none if bias is None else bias for bias, none in own])
    return jax.jacfwd(drive)(nobody), biases


def visible(
    network: Network, stimulus: Float[Array, " in"]
) -> tuple[Bool[np.ndarray, " cell"], Float[Array, " cell"]]:
    """Which cells a stimulus holds, and what it holds them at (elsewhere 0)."""
    hidden = sum(p.size for p in network.populations.values()) - len(stimulus)
    held = np.arange(len(stimulus) + hidden) < len(stimulus)
    return held, jnp.concatenate([stimulus, jnp.zeros(hidden)])


def every_state(free: Bool[np.ndarray, " cell"], held: Float[Array, " cell"]) -> States:
    """All states in which cells that are not free are as held."""
    count, places = 2 ** int(free.sum()), np.cumsum(free) - 1
    bits = (np.arange(count)[:, None] >> np.maximum(places, 0)[None, :]) & 1
    return jnp.where(free[None, :], jnp.asarray(bits, held.dtype), held[None, :])


def probabilities(network: Network, states: States) -> Float[Array, " state"]:
    """How probable each of these states is, given that it is one of them."""
    weight, bias = couplings(network)
    energy = -0.5 * jnp.sum(states @ weight * states, axis=1) - states @ bias
    return jax.nn.softmax(-energy / temperature(network))


def gibbs(
    network: Network,
    start: Float[Array, " cell"],
    warmth: Float[Array, " sweep"],
    free: Bool[Array, " cell"],
    *,
    key: PRNGKeyArray,
) -> Float[Array, "sweep cell"]:
    """The state after each sweep, in which free cells are drawn one after another.

    One at a time, because cells that are all drawn at once do not follow exp(-E / T). `warmth`
    gives the temperature of every sweep in units of the cells' own.
    """
    weight, bias = couplings(network)
    cells = jnp.arange(len(start))

    def sweep(state, now):
        times, at_sweep = now
        noise = jax.random.uniform(at_sweep, state.shape)

        def draw(state, cell):
            drive = (weight[cell] @ state + bias[cell]) / (temperature(network) * times)
            on = (noise[cell] < jax.nn.sigmoid(drive)).astype(state.dtype)
            return state.at[cell].set(jnp.where(free[cell], on, state[cell])), None

        state, _ = jax.lax.scan(draw, state, cells)
        return state, state

    return jax.lax.scan(sweep, start, (warmth, jax.random.split(key, len(warmth))))[1]
