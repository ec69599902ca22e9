"""The pieces of the experiment: equal size, the readout, what counts as an operation, STDP."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import respond

from neurula.claims.spiking_parity import (
    BINARY,
    BRAIN,
    LONGEST,
    RATE,
    SHUFFLED,
    STDP,
    STILL,
    SpikingParity,
    cell,
)
from neurula.claims.staring_cells import (
    HARDER,
    STRENGTH,
    TAU,
    Priced,
    competing,
    connections,
    felt_by,
    raised,
    settled,
)
from neurula.experiment import Outcome
from neurula.live import parameters
from neurula.network import Population
from neurula.neurons import LIF
from neurula.tasks import Digits

CLAIM = SpikingParity(pictures=1)
MIDDLE = {"rate": 0.03, "gain": 8.0, "peak": 500.0, "pace": 1.0, "inhibition": 5.0}
MIDDLE = {name: jnp.float32(value) for name, value in MIDDLE.items()}
PICTURE = jnp.asarray(np.random.default_rng(0).uniform(0, 1, 64), jnp.float32)


@eqx.filter_jit
def made(arm):
    return CLAIM.brain(arm, MIDDLE, key=jax.random.key(0))


@eqx.filter_jit
def look(brain, picture, key):
    activity = brain.activity(key, picture)
    return activity, brain.answers(activity), brain.step(brain.init(key=key), picture)[1]


def test_arms_have_as_many_parameters():
    sizes = {arm: float(parameters(made(arm))) for arm in SpikingParity.arms if arm != STDP}
    assert set(sizes.values()) == {64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10}
    cells = made(STDP).readout.shape[1]  # weights, a threshold and ten weights of the readout each
    assert 0 <= sizes[RATE] - (cells * (64 + 1 + 10) + 10) < 64 + 1 + 10


def test_the_rate_network_takes_a_product_for_every_weight():
    brain = made(RATE)
    weights = [p.weight.size for p in brain.cells.projections] + [brain.readout.size]
    assert CLAIM.products == sum(weights) == 64 * 64 + 64 * 64 + 640


def test_operations_are_spikes_times_fan_out():
    brain = made(BRAIN)
    activity, answers, said = look(brain, PICTURE, jax.random.key(1))
    assert activity.shape == (LONGEST, 128)
    first, second = np.asarray(activity).sum(0).reshape(2, 64).sum(1)
    assert first > 0
    assert second > 0
    assert set(np.unique(activity)) == {0.0, 1.0}
    assert float(said[-1]) == 64 * 64 + first * 64 + second * 10
    np.testing.assert_allclose(said[:-1], answers[-1], rtol=1e-4, atol=1e-5)


def test_operations_of_cells_that_compete():
    """Spikes of the input and those that silence others count; nothing else is real-valued."""
    brain = made(STDP)
    cells = brain.readout.shape[1]
    activity, _, said = look(brain, PICTURE, jax.random.key(1))
    heard, fired = np.split(np.asarray(activity).sum(0), [64])
    assert heard.sum() > 0
    expected = 64 + heard.sum() * cells + fired.sum() * (cells - 1 + 10)
    assert float(said[-1]) == pytest.approx(expected)
    assert float(connections(brain.cells, ["pixels"])) == 64


def test_the_readout_is_a_leaky_cell():
    """Written out step by step: the potential that spikes leave, summed up."""
    spikes = np.random.default_rng(1).integers(0, 2, (30, 5)).astype(float)
    stay, potential, total, expected = np.exp(-1 / TAU), np.zeros(5), np.zeros(5), []
    for now in spikes:
        potential = stay * potential + (1 - stay) * now
        total = total + potential
        expected.append(total)
    # A spike goes on being felt after the end; what is summed up to a step is all that counts.
    np.testing.assert_allclose(np.asarray(felt_by(30)) @ spikes, expected, rtol=1e-4, atol=1e-6)
    assert felt_by(1).tolist() == [[1.0]]


def test_shuffled_spikes_are_felt_as_spikes_at_any_time():
    """The mean over draws: spikes counted, times what a spike is worth on average."""
    brain = made(SHUFFLED)
    keys = jax.random.split(jax.random.key(2), 500)
    activity = look(brain, PICTURE, keys[0])[0]
    said = np.asarray(jax.jit(jax.vmap(lambda k: brain.at_random(k, activity)))(keys))
    worth = float(felt_by(LONGEST)[-1].mean())
    expected = brain.readout @ (np.asarray(activity)[:, 64:].sum(0) * worth)
    error = said.std(0) / len(keys) ** 0.5
    assert (np.abs(said.mean(0) - expected) < 5 * error).all()
    first, second = (np.asarray(look(brain, PICTURE, k)[2]) for k in keys[:2])
    assert (first[:-1] != second[:-1]).any()
    assert first[-1] == second[-1]  # as many spikes, wherever they are read


def test_binary_cells_are_thresholds():
    brain = made(BINARY)
    activity = np.asarray(look(brain, PICTURE, jax.random.key(0))[0])[0]
    lower, upper = (np.asarray(p.weight) for p in brain.cells.projections)
    first = lower @ np.asarray(PICTURE) > 1
    np.testing.assert_array_equal(activity, np.append(first, upper @ first > 1))
    assert 0 < activity.sum() < 128


def test_rate_cells_rectify():
    brain = made(RATE)
    _, answers, _ = look(brain, PICTURE, jax.random.key(0))
    felt = np.asarray(PICTURE)
    for p in brain.cells.projections:
        felt = np.maximum(np.asarray(p.weight) @ felt, 0)
    np.testing.assert_allclose(answers[0], brain.readout @ felt, rtol=1e-4, atol=1e-4)


def test_only_the_readout_learns_where_cells_are_still():
    def change(arm):
        brain = made(arm)
        loss = lambda b: jnp.sum(b.step(jax.random.key(0), PICTURE)[1][:-1] ** 2)  # noqa: E731
        found = eqx.filter_jit(eqx.filter_grad(loss))(brain)
        return [np.abs(p.weight).max() for p in found.cells.projections], found.readout

    cells, readout = change(STILL)
    assert max(cells) == 0
    assert np.abs(readout).max() > 0
    assert min(change(BRAIN)[0]) > 0


def test_operations_have_a_price_beyond_those_that_are_free():
    task = Digits()
    sample = jax.tree.map(lambda x: x[0], task.exam("tune", key=jax.random.key(0)))
    said = jnp.arange(11.0)[None]
    plain = float(task.error(said[:, :10], sample))
    for spent, extra in ((40.0, 0.0), (100.0, 0.0), (140.0, 4.0)):
        priced = Priced(task, 100.0, 0.1)
        assert float(priced.error(said.at[0, 10].set(spent), sample)) == pytest.approx(
            plain + extra, rel=1e-5
        )
    assert priced.shape == (1, 64, 11)
    assert priced.score(said, sample) == task.score(said[:, :10], sample)


# ---- competing cells -------------------------------------------------------------------------


@eqx.filter_jit
def rivals(key):
    """Six cells; enough pixels that weights have room to grow."""
    return competing((6, 64), jnp.float32(350.0), jnp.float32(4.0), key=key)


def test_weaker_weights_are_as_good_as_a_higher_threshold():
    """Cells whose thresholds all rose by as much, spike for spike against LIF cells like that."""
    network, key = rivals(jax.random.key(0)), jax.random.key(0)
    kept = settled(network, network.projections[1].weight, jnp.full(6, 10.0))
    raised_threshold = Population(6, LIF(TAU, threshold=1 + 10 * HARDER))
    place = lambda net: net.populations["hidden1"]  # noqa: E731
    higher = eqx.tree_at(place, network, raised_threshold)
    heard = np.random.default_rng(0).uniform(size=(200, 64)) < 0.1

    @eqx.filter_jit
    def fires(net):
        def step(state, now):
            state, _, signals = net.observe(state, jnp.zeros(64), clamp={"input": now})
            return state, signals.activity["hidden1"]

        return jax.lax.scan(step, net.init(key=key), jnp.asarray(heard, jnp.float32))[1]

    spikes = np.asarray(fires(higher))
    assert 20 < spikes.sum() < 600
    np.testing.assert_array_equal(fires(kept), spikes)


def test_competing_cells_take_sides():
    """Of two pictures that share no pixel, every cell learns one; all hear as much as before."""
    network = rivals(jax.random.key(0))
    half = (jnp.arange(64) < 32).astype(jnp.float32)
    pictures = jnp.stack([half, 1 - half])[jnp.arange(60) % 2]
    grown = eqx.filter_jit(raised)(network, pictures, jnp.float32(3.0), 50, key=jax.random.key(1))
    before, after = (np.asarray(net.projections[1].weight) for net in (network, grown))
    np.testing.assert_allclose(before.sum(1), STRENGTH, rtol=1e-4)
    assert (after.sum(1) < STRENGTH).all()  # weaker in place of the thresholds that rose
    sides = [weight[:, :32].sum(1) / weight.sum(1) for weight in (before, after)]
    assert np.abs(sides[0] - 0.5).max() < 0.1
    assert np.abs(sides[1] - 0.5).min() > 0.4
    assert 0 < (sides[1] > 0.5).sum() < 6
    assert respond(grown, pictures[:1], hold=3, key=jax.random.key(0)).shape == (3, 70)


# ---- the ruling ------------------------------------------------------------------------------


def outcomes(lost=0.0, saved=0.1, still=0.1):
    """All arms at 97 %, with 20 seeds that scatter by half a point."""
    rng, made = np.random.default_rng(0), {}
    for arm in SpikingParity.arms:
        away = {BRAIN: lost, STILL: still}.get(arm, 0.0)
        right = jnp.asarray(0.97 - away + rng.normal(0, 0.003, 20))
        left = jnp.asarray(CLAIM.products * (1 - saved + rng.normal(0, 0.003, 20)))
        steps = {RATE: 1, BINARY: 1}.get(arm, LONGEST)
        kept = {"right": right, "right, shuffled": right, "operations": left}
        kept |= {"each step": 10 * left, "with potentials": 2 * left}
        kept["right after"] = jnp.broadcast_to(right[:, None], (20, steps))
        made[arm] = Outcome(right, kept=kept)
    return made


@pytest.mark.parametrize(
    ("how", "ruling"),
    [
        ({}, "supported"),
        ({"lost": 0.02}, "refuted"),
        ({"lost": 0.01}, "inconclusive"),
        ({"lost": -0.02}, "inconclusive"),  # not as good, but better
        ({"saved": -0.1}, "refuted"),
        ({"saved": 0.0}, "refuted"),
        ({"lost": 0.01, "saved": -0.1}, "refuted"),
    ],
)
@pytest.mark.parametrize("looks", [1, 2])
def test_both_parts_have_to_hold(how, ruling, looks):
    evidence = CLAIM.evidence(outcomes(**how))
    assert evidence.primary.decide(looks=looks).ruling == ruling
    assert all(gate.held for gate in evidence.gates)


def test_numbers_beside_the_ruling():
    found = {name: test.decide() for name, test in CLAIM.evidence(outcomes()).secondary.items()}
    assert found["operations saved by LIF, 50 steps, drive once"].estimate == pytest.approx(10, 0.1)
    assert found["saved by LIF, 50 steps, drive in each step"].estimate == pytest.approx(-800, 0.1)
    assert found["saved if updates of potentials count"].estimate == pytest.approx(-80, 0.1)
    assert found["saved if the rate network skips zeros"].estimate == pytest.approx(0, abs=0.5)


def test_a_readout_that_needs_no_hidden_layers_closes_the_gate():
    assert [gate.held for gate in CLAIM.evidence(outcomes(still=0.02)).gates] == [True, False]


def test_the_picture_shows_accuracy_by_latency():
    lines = [t for t in CLAIM.figure(outcomes()).data if t.name]
    assert {len(line.x) for line in lines} == {LONGEST}
    rate = next(line for line in lines if line.name == RATE)
    assert np.isfinite(np.array(rate.y, float)).sum() == 1


@pytest.mark.parametrize("arm", SpikingParity.arms)
def test_cells_are_those_that_are_named(arm):
    if arm != STDP:
        found = cell(arm, 3)
        assert ("ALIF" in arm) == hasattr(found, "tau_adaptation")
        assert (found.emits == "rates") == (arm == RATE)
