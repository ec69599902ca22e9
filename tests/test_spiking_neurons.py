"""Spiking cells against closed forms and what their papers say they do."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from scipy.optimize import brentq

from neurula import Network, Population, respond
from neurula.measures import adaptation_index
from neurula.neurons import IFB, LIF, AdaptiveLIF, ConductanceLIF, Izhikevich, Poisson


def play(neuron, drive, *, dt=0.1, state=None):
    """States and spikes of one cell, (time, port) or (time,) to (time,) each."""
    drive = jnp.asarray(drive, jnp.float32)
    drive = drive[:, None] if drive.ndim == 1 else drive

    def step(state, now):
        state, spikes = neuron.step(state, now[:, None], None, dt=dt)
        return state, (state, spikes)

    states, spikes = jax.jit(lambda x: jax.lax.scan(step, state or neuron.init(1), x)[1])(drive)
    return [np.asarray(x)[:, 0] for x in jax.tree.leaves(states)], np.asarray(spikes)[:, 0]


def intervals(spikes, dt=0.1):
    return np.diff(np.flatnonzero(spikes)) * dt


def slowing(intervals):
    return adaptation_index(np.cumsum(np.r_[0.0, intervals]))


@pytest.fixture
def unchecked():
    """Types are checked in tests only: see what a user sees."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


# ---- adaptive threshold --------------------------------------------------------------------------


def test_adaptation_settles_at_the_interval_of_its_closed_form():
    """With spikes T apart a is 1 / (1 - exp(-T / tau_a)) after each: that gives the threshold."""
    current, beta, tau, slow, dt = 3.0, 0.1, 20.0, 150.0, 0.02
    neuron = AdaptiveLIF(beta=beta, tau_adaptation=slow, refractory=0.0)
    _, spikes = play(neuron, np.full(60_000, current), dt=dt)

    def beyond(interval):
        adaptation = 1 / (np.exp(interval / slow) - 1)
        return current * (1 - np.exp(-interval / tau)) - 1 - beta * adaptation

    found = intervals(spikes, dt)
    assert found[0] == pytest.approx(tau * np.log(current / (current - 1 - beta)), rel=0.03)
    assert found[-1] == pytest.approx(brentq(beyond, 1.0, 100.0), rel=0.01)
    assert (np.diff(found) > -2 * dt).all()  # it only slows down


def test_adaptation_decays_exactly_and_rises_by_one():
    neuron = AdaptiveLIF(tau_adaptation=300.0)
    (_, _, adaptation), spikes = play(neuron, np.r_[np.full(300, 2.0), np.zeros(3000)], dt=0.5)
    spiked = np.flatnonzero(spikes)
    expected = sum(np.exp(-0.5 * (3299 - s) / 300.0) for s in spiked)
    assert len(spiked) > 1
    assert adaptation[-1] == pytest.approx(expected, rel=1e-4)


def test_without_adaptation_it_is_a_lif_cell():
    drive = 2 + 2 * np.random.default_rng(0).normal(size=2000)
    _, adaptive = play(AdaptiveLIF(beta=0.0), drive)
    _, plain = play(LIF(refractory=5.0), drive)
    assert plain.sum() > 3
    np.testing.assert_array_equal(adaptive, plain)


def test_gradients_reach_adaptation_through_the_spike():
    """Two steps: the second threshold depends on the first drive only by the spike."""
    neuron = AdaptiveLIF(refractory=0.0, surrogate_slope=4.0)

    def second(drive):
        state, _ = neuron.step(neuron.init(1), drive[None, None], None, dt=1.0)
        return neuron.step(state, jnp.full((1, 1), 10.0), None, dt=1.0)[1][0]

    move, keep = 1 - np.exp(-1 / 20.0), np.exp(-1 / 700.0)
    first = 30.0 * move - 1  # it spikes, so nothing comes by the potential
    above = 10.0 * move - 1 - 0.257 * keep
    by_spike = move / (1 + 4 * first) ** 2
    expected = -0.257 * keep * by_spike / (1 + 4 * abs(above)) ** 2
    assert jax.grad(second)(jnp.float32(30.0)) == pytest.approx(expected, rel=1e-3)


# ---- conductances --------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_conductances_pull_to_the_weighted_reversal(dt):
    """v goes to sum(g E) / sum(g) at the pace of C / sum(g), whatever the step."""
    excitation, inhibition, current = 1.0, 4.0, 20.0
    total = 10 + excitation + inhibition
    rest = (10 * -60 + inhibition * -80 + current) / total
    steps = round(100 / dt)
    drive = np.tile([current, excitation, inhibition], (steps, 1))
    (potential, _), spikes = play(ConductanceLIF(), drive, dt=dt)
    time = dt * np.arange(1, steps + 1)
    expected = rest + (-60 - rest) * np.exp(-time * total / 200)
    np.testing.assert_allclose(potential, expected, rtol=1e-5)
    assert not spikes.any()


def test_conductance_rate_curve():
    """Excitation alone: the effective time constant and target give the interval."""
    excitation = 4.0
    total, target = 10 + excitation, 10 * -60 / (10 + excitation)
    climb = 200 / total * np.log((target + 60) / (target + 50))
    _, spikes = play(ConductanceLIF(), np.tile([0.0, excitation, 0.0], (5000, 1)))
    found = intervals(spikes)
    assert found.mean() == pytest.approx(climb + 5, rel=0.01)
    assert np.ptp(found) < 0.11


def test_shunting_inhibition_divides():
    """Inhibition at rest does not hyperpolarise; it makes a current count less."""
    neuron = ConductanceLIF(inhibitory_reversal=-60.0)
    both = np.tile([60.0, 0.0, 10.0], (3000, 1))
    (potential, _), _ = play(neuron, both)
    assert potential[-1] == pytest.approx(-60 + 60 / 20, rel=1e-5)
    (alone, _), _ = play(neuron, np.tile([0.0, 0.0, 10.0], (3000, 1)))
    assert alone[-1] == pytest.approx(-60.0)


def test_negative_conductances_count_as_zero():
    drive = np.tile([0.0, -30.0, -5.0], (100, 1))
    (potential, _), _ = play(ConductanceLIF(), drive)
    np.testing.assert_allclose(potential, -60.0, rtol=1e-6)


def test_the_default_conductance_cell_is_that_of_the_benchmark():
    cell = ConductanceLIF()
    assert cell.capacitance / cell.leak == 20.0  # ms
    numbers = cell.rest, cell.threshold, cell.reset, cell.refractory
    assert numbers == (-60.0, -50.0, -60.0, 5.0)
    assert (cell.excitatory_reversal, cell.inhibitory_reversal) == (0.0, -80.0)


# ---- Izhikevich ----------------------------------------------------------------------------------

NAMES = (
    "regular spiking", "intrinsically bursting", "chattering", "fast spiking",
    "low-threshold spiking", "thalamo-cortical", "resonator",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_izhikevich_follows_the_published_scheme(name):
    """The same loop in double precision, with the reset at the start of a step, as published."""
    cell, dt, current = Izhikevich.named(name), 0.5, 10.0
    v, u = (float(x[0]) for x in cell.init(1))
    wanted = []
    for step in range(100):  # rounding tells in the end: overshooting peaks are chaotic
        if v >= 30:
            wanted.append(step - 1)
            v, u = cell.c, u + cell.d
        v += 0.5 * dt * (0.04 * v**2 + 5 * v + 140 - u + current)
        v += 0.5 * dt * (0.04 * v**2 + 5 * v + 140 - u + current)
        u += dt * cell.a * (cell.b * v - u)
    _, spikes = play(cell, np.full(100, current), dt=dt)
    found = np.flatnonzero(spikes[:-1])
    assert len(wanted) >= 2
    assert len(found) == len(wanted)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", NAMES)
def test_izhikevich_rests_where_its_equations_do(name):
    cell = Izhikevich.named(name)
    v, u = cell.init(2)
    np.testing.assert_allclose(jnp.stack(cell.flow(v, u, jnp.zeros(2))), 0.0, atol=2e-4)
    (later, _), spikes = play(cell, np.zeros(500), dt=1.0)
    assert not spikes.any()
    assert later[-1] == pytest.approx(float(v[0]), abs=0.05)


def test_regular_spiking_adapts_and_fast_spiking_does_not():
    found = {}
    for name in ("regular spiking", "fast spiking", "low-threshold spiking"):
        _, spikes = play(Izhikevich.named(name), np.full(5000, 10.0))
        found[name] = intervals(spikes)
    assert found["regular spiking"][-1] > 1.5 * found["regular spiking"][0]
    assert slowing(found["fast spiking"]) < 0.01
    assert slowing(found["regular spiking"]) > 0.02
    assert found["fast spiking"].mean() < 0.5 * found["regular spiking"].mean()
    assert found["low-threshold spiking"][-1] > 1.5 * found["low-threshold spiking"][0]


def test_a_thalamo_cortical_cell_bursts_when_released():
    release = np.r_[np.full(5000, -29.5), np.zeros(2000)]  # held at -87 mV
    (potential, _), spikes = play(Izhikevich.named("thalamo-cortical"), release)
    assert potential[4999] == pytest.approx(-87, abs=0.1)
    assert not spikes[:5000].any()
    assert spikes[5000:].sum() >= 3
    assert intervals(spikes)[0] < 6


def test_parameters_may_differ_from_cell_to_cell():
    cells = Izhikevich(a=jnp.array([0.02, 0.1]), c=jnp.array([-65.0, -65.0]), d=jnp.array([8.0, 2]))
    network = Network({"c": Population(2, cells)}, [], senses=["c"], voices=["c"], dt=0.5)
    spikes = np.asarray(respond(network, jnp.full((100, 2), 10.0)))
    for cell, name in enumerate(("regular spiking", "fast spiking")):
        _, alone = play(Izhikevich.named(name), np.full(100, 10.0), dt=0.5)
        np.testing.assert_array_equal(spikes[:, cell], alone)


@pytest.mark.parametrize("dt", [1.5, 2.0])
def test_izhikevich_refuses_steps_that_its_scheme_does_not_bear(dt):
    network = Network({"c": Population(1, Izhikevich())}, [], senses=["c"], voices=["c"], dt=dt)
    with pytest.raises(ValueError, match=rf"at most 1 ms, but got dt={dt:g} ms\. .*dt=0.5"):
        respond(network, jnp.zeros((2, 1)))


def test_why_long_steps_are_refused():
    """At 1 ms a cell relaxes from -110 mV; Euler's method with twice the step would throw it up."""
    cell = Izhikevich()
    start = jnp.full(1, -110.0), jnp.full(1, -14.0)
    (potential, _), spikes = play(cell, np.zeros(100), dt=1.0, state=start)
    assert not spikes.any()
    assert potential[-1] == pytest.approx(-70.0, abs=1.0)
    v = -110.0
    for _ in range(2):
        v += 1.0 * (0.04 * v**2 + 5 * v + 140 + 14)
    assert v > 30


def test_unknown_pattern(unchecked):
    with pytest.raises(ValueError, match=r"one of regular spiking, .*, but got 'RS'\. .*a=0.02"):
        Izhikevich.named("RS")


# ---- integrate-and-fire-or-burst -----------------------------------------------------------------


def test_ifb_is_silent_at_rest_and_recovers_exactly():
    state = tuple(jnp.full(1, x) for x in (-65.0, 0.2, 0.0))
    (potential, ready, _), spikes = play(IFB(), np.zeros(3000), state=state)
    time = 0.1 * np.arange(1, 3001)
    np.testing.assert_allclose(ready, 1 - 0.8 * np.exp(-time / 100), rtol=1e-4)
    np.testing.assert_allclose(potential, -65.0, rtol=1e-6)
    assert not spikes.any()


def test_depolarised_ifb_fires_at_the_rate_of_a_leaky_cell():
    """Held above V_h the calcium current inactivates: one interval, that of the closed form."""
    _, spikes = play(IFB(), np.full(10_000, 1.4))
    target, tau = -65 + 1.4 / 0.035, 2 / 0.035
    climb = tau * np.log((target + 50) / (target + 35))
    late = intervals(spikes)[-5:]
    np.testing.assert_allclose(late, climb, rtol=0.02)
    assert climb > 10  # no burst


def test_released_ifb_bursts_and_a_leaky_cell_does_not():
    """Smith et al.: after hyperpolarisation the return to a silent rest makes a burst."""
    release = np.r_[np.full(5000, -0.5), np.full(3000, 0.25)]  # to -58 mV
    for calcium in (0.07, 0.0):
        _, spikes = play(IFB(calcium=calcium), release)
        assert not spikes[:5000].any()
        if calcium:
            short = intervals(spikes)
            assert 3 <= len(short) + 1 <= 7
            assert short[0] < 5  # ms
            assert (np.diff(short) > 0).all()  # while the current inactivates
        else:
            assert not spikes.any()


def test_longer_hyperpolarisation_makes_a_larger_burst():
    def burst(length):
        down = np.r_[np.full(5000, 0.25), np.full(length, -1.0), np.full(3000, 0.25)]
        state = tuple(jnp.full(1, x) for x in (-57.0, 0.0, 0.0))
        return play(IFB(), down, state=state)[1].sum()

    counts = [burst(length) for length in (50, 200, 600, 3000)]  # 0.1 ms
    assert counts[0] == 0
    assert sorted(counts) == counts
    assert counts[-1] >= counts[1] + 3


def test_ifb_without_calcium_is_lif():
    drive = 1.2 + 0.5 * np.random.default_rng(0).normal(size=20_000)
    _, burst = play(IFB(calcium=0.0), drive)
    _, plain = play(
        LIF(tau=2 / 0.035, rest=-65.0, threshold=-35.0, reset=-50.0), drive / 0.035
    )  # fmt: skip
    assert plain.sum() > 10
    np.testing.assert_allclose(np.flatnonzero(burst), np.flatnonzero(plain), atol=2)


# ---- Poisson -------------------------------------------------------------------------------------


def test_poisson_statistics(key):
    """Counts have variance = mean; intervals are exponential; cells are independent."""
    rates, dt, steps = np.array([0.0, 20.0, 100.0, -5.0]), 0.5, 200_000
    network = Network({"c": Population(4, Poisson())}, [], senses=["c"], voices=["c"], dt=dt)
    stimuli = jnp.tile(jnp.asarray(rates, jnp.float32), (steps, 1))
    spikes = np.asarray(jax.jit(lambda x: respond(network, x, key=key))(stimuli))
    assert not spikes[:, [0, 3]].any()
    for cell in (1, 2):
        chance = 1 - np.exp(-rates[cell] * dt / 1000)
        error = np.sqrt(chance * (1 - chance) * steps)
        assert abs(spikes[:, cell].sum() - chance * steps) < 4 * error
        counts = spikes[:, cell].reshape(-1, 200).sum(1)  # in 100 ms
        assert counts.var() / counts.mean() == pytest.approx(1 - chance, abs=4 * np.sqrt(2 / 1000))
        gaps = intervals(spikes[:, cell], dt)
        assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.05)
    assert abs(np.corrcoef(spikes[:, 1], spikes[:, 2])[0, 1]) < 4 / np.sqrt(steps)


def test_poisson_cells_need_a_key():
    network = Network({"c": Population(2, Poisson())}, [], senses=["c"], voices=["c"])
    with pytest.raises(ValueError, match=r"Poisson cells need chance: .*jax.random.key\(0\)"):
        respond(network, jnp.zeros((3, 2)))


# ---- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "settings", "found"),
    [
        (AdaptiveLIF, {"tau_adaptation": 0.0}, "tau_adaptation=0.0 ms"),
        (AdaptiveLIF, {"beta": -1.0}, "beta=-1.0 mV"),
        (ConductanceLIF, {"leak": 0.0}, "leak=0.0 nS"),
        (ConductanceLIF, {"inhibitory_reversal": 10.0}, "reversals 10.0 and 0.0 mV"),
        (Izhikevich, {"b": float("nan")}, "b=nan"),
        (Izhikevich, {"c": 40.0}, "c=40.0 mV"),
        (IFB, {"tau_recovery": -1.0}, "tau_recovery=-1.0 ms"),
        (IFB, {"calcium": float("nan")}, "calcium=nan mS"),
    ],
)
def test_settings_that_make_no_cell(cell, settings, found):
    with pytest.raises(ValueError, match=rf"{cell.__name__} needs .*{found}.*Start from"):
        cell(**settings)


@pytest.mark.parametrize("make", [AdaptiveLIF, ConductanceLIF, Izhikevich, IFB])
def test_gradients_pass_spikes(make):
    cell = make()
    strong = {ConductanceLIF: 400.0, Izhikevich: 20.0}.get(make, 4.0)

    def rate(drive):
        def step(state, _):
            drives = jnp.zeros((len(cell.ports), 1)).at[0].set(drive)
            return cell.step(state, drives, None, dt=0.5)

        return jax.lax.scan(step, cell.init(1), None, length=100)[1].sum()

    value, slope = jax.jit(jax.value_and_grad(rate))(jnp.float32(strong))
    assert value > 0
    assert np.isfinite(slope)
    assert slope > 0
