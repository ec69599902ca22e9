"""What every part promises, as checks that anyone can run on a part of their own.

    from neurula.testing import check_rule
    check_rule(MyRule())

Each raises `AssertionError` with the broken promise. neurula's own tests run them on all shelves.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, ArrayLike

from .acting_checks import check_agent as check_agent, check_environment as check_environment
from .block_checks import check_block as check_block
from .builders import free, layered
from .contracts import AbstractNeuron, AbstractRule, AbstractTask, AbstractWiring, Sample
from .evolving_checks import check_evolver as check_evolver, check_genome as check_genome
from .experiment import AbstractClaim
from .live import learn
from .network import Network, Population, Projection, trainable
from .neurons import LIF
from .response import respond
from .rules.gradient import direction
from .symmetric import autoencoder, boltzmann, relaxing
from .weights import fan_in
from .wirings import Dense, from_edges

CELLS = 6


def check_wiring(wiring: AbstractWiring) -> None:
    """`drive` is bilinear, `back` its transpose, `ends`, `spread` and `exists` fit together."""
    keys = jax.random.split(jax.random.key(0), 4)
    for promise, a, b in _wired(wiring, keys):
        _same(a, b, promise)


@eqx.filter_jit
def _wired(wiring: AbstractWiring, keys: Array) -> list[tuple[str, Array, Array]]:
    """Promises, each with two things that should be the same."""
    post, pre = wiring.shape
    weight = fan_in(wiring, key=keys[0])
    a, b = jax.random.normal(keys[1], (2, pre))
    signal = jax.random.normal(keys[2], (post,))
    drive = lambda activity: wiring.drive(weight, activity)  # noqa: E731
    speaks, hears = wiring.ends(a, signal)
    carried = speaks * hears * wiring.spread(weight)
    if wiring.exists is not None:
        carried = jnp.where(wiring.exists, carried, 0.0)
    nobody = wiring.keep(jnp.zeros(pre, bool), jnp.ones(post, bool))
    kept = wiring.keep(jnp.ones(pre, bool), jnp.ones(post, bool))
    return [
        ("drive is linear in activity", drive(a + 2 * b), drive(a) + 2 * drive(b)),
        ("drive is linear in the weight", wiring.drive(3 * weight, a), 3 * drive(a)),
        ("back transposes drive", signal @ drive(a), wiring.back(weight, signal) @ a),
        ("drive sums pre * weight at the ends", carried.sum(), signal @ drive(a)),
        ("cells not kept are not heard", nobody.drive(nobody.fill(1.0), a), jnp.zeros(post)),
        (
            "keeping all is a copy",
            kept.drive(kept.fill(1.0), a),
            wiring.drive(wiring.fill(1.0), a),
        ),
    ]


def check_neuron(neuron: AbstractNeuron) -> None:
    """Elementwise over cells, finite, silent about nothing, usable in a network and by gradient."""
    key, size = jax.random.key(0), 3
    step = eqx.filter_jit(lambda *what: neuron.step(neuron.init(size), *what, dt=1.0))
    drive = np.asarray(jax.random.normal(key, (len(neuron.ports), size)))
    noise = np.array([0.2, 0.5, 0.8], np.float32) if neuron.noisy else None
    state, activity = step(drive, noise)
    assert activity.shape == (size,), f"activity has shape {activity.shape}, expected {(size,)}"
    for leaf in jax.tree.leaves(state):
        assert leaf.shape == (size,), f"a leaf of the state has shape {leaf.shape}, not {(size,)}"
    order = np.array([2, 0, 1])
    _, turned = step(drive[:, order], None if noise is None else noise[order])
    _same(turned, np.asarray(activity)[order], "cells do not see each other")
    if neuron.emits == "spikes":
        assert set(np.unique(activity)) <= {0.0, 1.0}, "spikes are 0 or 1"
    wiring = Dense(size, size)
    loop = Projection("cells", "cells", wiring, wiring.fill(0.5), neuron.ports[0])
    cells = Population(size, neuron)
    network = Network({"cells": cells}, [loop], senses=["cells"], voices=["cells"])
    played = jax.jit(lambda x: respond(network, x, key=key))(jax.random.normal(key, (50, size)))
    assert np.isfinite(played).all(), "activity stays finite"


class _Copy(AbstractTask):
    """Say what you hear: small enough for any rule."""

    taught: bool = True

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3, CELLS, CELLS

    def sample(self, split: str, *, key: Array) -> Sample:
        stimuli = jnp.tile(jax.random.normal(key, (1, CELLS)), (3, 1))
        target = jnp.sign(stimuli) if self.taught else None
        return Sample(stimuli, target=target, reward=jnp.ones(3))

    def exam(self, split: str, *, key: Array) -> Sample:
        return jax.vmap(lambda k: self.sample(split, key=k))(jax.random.split(key, 8))

    def error(self, outputs: Array, sample: Sample) -> Array:
        return optax.squared_error(outputs, sample.target).mean()

    def score(self, outputs: Array, sample: Sample) -> Array:
        return -self.error(outputs, sample)


def _some_networks() -> dict[str, Network]:
    key = jax.random.key(1)
    edges = np.array([(i, (i + step) % CELLS) for i in range(CELLS) for step in (1, 2)])
    loop = from_edges(edges, post=CELLS, pre=CELLS)
    return {
        "layered": layered([CELLS, 5, 4, CELLS], key=key),
        "loops": free(loop, inputs=CELLS, outputs=CELLS, key=key),
    }


def _special_networks() -> dict[str, Network]:
    """For rules that can teach none of the others."""
    key = jax.random.key(1)
    return {
        "two ways": relaxing([CELLS, 5, CELLS], key=key),
        "autoencoder": autoencoder(CELLS, 4, key=key),
        "Boltzmann machine": boltzmann(CELLS, 2, key=key),
        "spikes": layered([CELLS, 5, CELLS], neuron=lambda size: LIF(tau=2.0), gain=4.0, key=key),
    }


def check_rule(rule: AbstractRule) -> None:
    """Directions fit the brain, are finite, same in a batch as one by one, and move weights.

    A rule may refuse a network by `ValueError` in `init`, but not all of them.
    """
    for networks in (_some_networks(), _special_networks()):
        taught = [_teach(rule, name, brain) for name, brain in networks.items()]
        if any(taught):
            return
    raise AssertionError("the rule refuses every network")


def _teach(rule: AbstractRule, name: str, brain: Network) -> bool:
    task, key = _Copy("target" not in rule.ignores), jax.random.key(2)
    try:
        state = rule.init(brain, key=key)
    except ValueError:
        return False

    @eqx.filter_jit  # one program: most of the time goes into compiling
    def learned(brain, state):
        samples = task.exam("train", key=key)
        keys = jax.random.split(key, samples.stimuli.shape[0])
        change = direction(rule, state, brain, samples, task.error, key=key)[0]
        one = lambda s, k: rule.propose(state, brain, s, task.error, key=k)[0]  # noqa: E731
        each = jax.tree.map(lambda x: x.mean(0), jax.vmap(one)(samples, keys))
        sgd = optax.sgd(0.01)
        return change, each, learn(brain, rule, task, sgd, steps=3, batch=2, key=key).brain

    change, each, live = learned(brain, state)
    wanted = jax.tree.structure(trainable(brain))
    assert jax.tree.structure(change) == wanted, f"{name}: a direction is shaped like the brain"
    for a, b in zip(jax.tree.leaves(change), jax.tree.leaves(each), strict=True):
        _same(a, b, f"{name}: the batch's direction is the mean of its examples'")
    lives = brain, live, learned(brain, state)[2]
    before, after, again = (list(map(np.asarray, jax.tree.leaves(trainable(b)))) for b in lives)
    assert all(np.isfinite(x).all() for x in after), f"{name}: weights stay finite"
    moved = any((x != y).any() for x, y in zip(before, after, strict=True))
    assert moved, f"{name}: something is learned"
    for a, b in zip(after, again, strict=True):
        _same(a, b, f"{name}: the same key gives the same life")
    return True


def check_task(task: AbstractTask) -> None:
    """Samples have the shape promised, follow the key, batch, and are learnable from."""
    time, numbers_in, numbers_out = task.shape
    key, other = jax.random.split(jax.random.key(3))
    draw = jax.jit(lambda k: task.sample("train", key=k))
    sample = draw(key)
    assert sample.stimuli.shape == (time, numbers_in), f"stimuli have {sample.stimuli.shape}"
    assert np.isfinite(sample.stimuli).all(), "stimuli are finite"
    _same(sample.stimuli, draw(key).stimuli, "the same key, the same example")
    batch = jax.jit(jax.vmap(draw))(jax.random.split(other, 16))
    assert len(np.unique(np.asarray(batch.stimuli), axis=0)) > 1, "other keys, other examples"
    for split in ("tune", "test"):
        exam = task.exam(split, key=key)
        assert exam.stimuli.shape[1:] == (time, numbers_in), "an exam has a leading axis"
    if sample.target is None:
        return
    assert sample.target.shape == (time, numbers_out), f"targets have {sample.target.shape}"
    slope = jax.jit(jax.grad(lambda y, s: task.error(y, s)))
    found = np.asarray(slope(jnp.zeros((time, numbers_out)), sample))
    assert np.isfinite(found).all(), "the error has a finite gradient"
    assert (found != 0).any(), "the error depends on the outputs"
    score = jax.jit(lambda y, s: task.score(y, s))
    assert score(sample.target, sample).shape == (), "a score is one number"


def check_claim(claim: AbstractClaim) -> None:
    """A run at the smoke budget goes from every arm to a ruling, and the figure is drawn.

    Where data of the claim are not on this computer, only what needs none of them is checked.
    """
    from .data import available
    from .judging import Request, judging
    from .piece import compute
    from .requests import at_budget

    budgets = set(claim.budgets)
    assert budgets == {"smoke", "quick", "full"}, f"budgets are smoke, quick, full; got {budgets}"
    assert claim.statement.endswith("."), "the statement is a sentence"
    roles = [arm.role for arm in claim.arms.values()]
    assert "brain" in roles, "an arm is what the sentence is about"
    assert set(roles) != {"brain"}, "something is there to compare it with"
    spaces = {arm: claim.space(arm) for arm in claim.arms}
    assert all(r.low < r.high for space in spaces.values() for r in space.values()), "ranges"
    if not all(map(available, claim.data)):
        return
    seeds, address = (
        claim.budgets["smoke"].seeds,
        f"{type(claim).__module__}:{type(claim).__name__}",
    )
    job = judging(Request(address, at_budget(type(claim), "smoke"), "smoke", seeds))
    pieces, record = next(job), None
    while record is None:
        try:
            pieces = job.send([compute(piece) for piece in pieces])
        except StopIteration as done:
            record = done.value
    assert record["verdict"]["ruling"] in ("supported", "refuted", "inconclusive"), "a ruling"
    failed = {arm: there["failed"] for arm, there in record["arms"].items() if there["failed"]}
    assert not failed, f"every arm runs; failed: {failed}"


def _same(a: ArrayLike, b: ArrayLike, promise: str) -> None:
    assert np.allclose(a, b, atol=1e-5, rtol=1e-4), f"broken promise: {promise}"
