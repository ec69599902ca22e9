"""Small computations with known answers, which tell whether to trust this machine.

The canary is jax-ml/jax#39103: jax 0.10.2 sums some rows wrongly on CPUs, without a word.
"""

import math
from collections import deque

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .builders import free
from .network import Network, Population, Projection, trainable
from .neurons import LIF, Rate
from .plastic import Plastic
from .pool import Lost, hand_out
from .response import respond
from .rules import Oja
from .wirings import Dense, Sparse


def canary(rows: int = 32_769) -> tuple[bool, str]:
    """The squared length of many short vectors; jax 0.10.2 gets the last one wrong."""
    numbers = np.arange(rows, dtype=np.float32)
    vectors = jnp.zeros((rows, 3), jnp.float32).at[:, 0].set(jnp.asarray(numbers))
    unit = jnp.eye(3, dtype=jnp.float32)
    squares = jax.jit(jax.vmap(lambda vector: jnp.sum((unit @ vector) ** 2)))(vectors)
    wrong = int((np.asarray(squares) != numbers**2).sum())
    return wrong == 0, f"{wrong} of {rows} sums are wrong"


def firing_rate() -> tuple[bool, str]:
    """A leaky cell under constant drive I fires every refractory + tau ln(I/(I - 1)) ms."""
    cell, dt, drive, steps = LIF(tau=20.0, refractory=2.0), 0.1, 2.0, 20_000
    network = _one_cell(1, cell, dt)
    spikes = float(eqx.filter_jit(respond)(network, jnp.full((steps, 1), drive)).sum())
    expected = steps * dt / (2.0 + 20.0 * math.log(drive / (drive - 1.0)))
    return abs(spikes / expected - 1) < 0.01, f"{spikes:.0f} spikes, {expected:.1f} expected"


def gradient() -> tuple[bool, str]:
    """The derivative through a looped network against a central difference."""
    keys = jax.random.split(jax.random.key(0), 3)
    network = free(Dense(8, 8), inputs=3, outputs=2, key=keys[0])
    stimuli = jax.random.normal(keys[1], (5, 3))
    arrays, rest = eqx.partition(trainable(network), eqx.is_array)
    leaves, shape = jax.tree.flatten(arrays)
    along = [
        jax.random.normal(jax.random.fold_in(keys[2], i), leaf.shape)
        for i, leaf in enumerate(leaves)
    ]

    @jax.jit
    def loss(step: jax.Array) -> jax.Array:
        moved = [leaf + step * way for leaf, way in zip(leaves, along, strict=True)]
        brain = eqx.combine(jax.tree.unflatten(shape, moved), rest, network)
        return jnp.sum(respond(brain, stimuli) ** 2)

    size = 1e-2
    slope = float(jax.grad(loss)(jnp.zeros(())))
    rise = float(loss(jnp.float32(size)) - loss(jnp.float32(-size))) / (2 * size)
    return abs(slope - rise) < 0.02 * abs(rise) + 1e-3, f"{slope:.4f} against {rise:.4f}"


def first_component() -> tuple[bool, str]:
    """A linear cell under Oja's rule finds the first principal component of its input."""
    mix = jnp.array([[1.5, 0.0, 0.0], [0.9, 0.6, 0.0], [0.3, 0.1, 0.4]])
    stimuli = jax.random.normal(jax.random.key(0), (4000, 3)) @ mix.T
    brain = Plastic(_one_cell(3, Rate("identity"), 1.0), Oja(), rate=0.005)

    @eqx.filter_jit
    def live(brain: Plastic, stimuli: jax.Array) -> jax.Array:
        state, _ = jax.lax.scan(lambda s, now: brain.step(s, now), brain.init(), stimuli)
        return state.weights[0][0]

    weight = np.asarray(live(brain, stimuli), np.float64)
    first = np.linalg.eigh(np.cov(np.asarray(stimuli, np.float64).T))[1][:, -1]
    cosine = abs(weight @ first) / np.linalg.norm(weight)
    return bool(cosine > 0.99), f"cosine {cosine:.4f}, length {np.linalg.norm(weight):.3f}"


def wirings() -> tuple[bool, str]:
    """A matrix with holes and a list of edges carry the same signals."""
    keys = jax.random.split(jax.random.key(0), 3)
    mask = jax.random.bernoulli(keys[0], 0.2, (30, 40))
    weight = jnp.where(mask, jax.random.normal(keys[1], (30, 40)), 0.0)
    activity = jax.random.normal(keys[2], (40,))
    target, source = (jnp.asarray(ends) for ends in np.nonzero(np.asarray(mask)))
    sparse = Sparse(source, target, 30, 40).drive(weight[target, source], activity)
    gap = float(jnp.abs(Dense(30, 40, mask).drive(weight, activity) - sparse).max())
    return gap < 1e-4, f"largest difference {gap:.1e}"


def workers() -> tuple[bool, str]:
    """A worker process starts, computes and answers."""
    [(_, answer)] = hand_out(deque([9.0]), math.sqrt, 1)
    return answer == 3.0, answer.why if isinstance(answer, Lost) else "it answered"


def _one_cell(inputs: int, cell: LIF | Rate, dt: float) -> Network:
    """Input numbers that reach one cell through weights of one."""
    wiring = Dense(1, inputs)
    return Network(
        {"input": Population(inputs, Rate("identity")), "cell": Population(1, cell)},
        [Projection("input", "cell", wiring, wiring.fill(1.0), delay=0)],
        senses=["input"],
        voices=["cell"],
        dt=dt,
    )
