"""What the encoder experiment is made of: who is joined to whom, codes, completions, the ruling."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.boltzmann_encoder import (
    ANNEALED,
    AWAKE,
    BACKPROP,
    DIVERGENCE,
    EXACT,
    Awake,
    BoltzmannEncoder,
    most_probable,
    rounded,
)
from neurula.contracts import Sample
from neurula.experiment import Outcome
from neurula.rules import Boltzmann
from neurula.rules.boltzmann import couplings, gibbs
from neurula.tasks import Encoder

CLAIM = BoltzmannEncoder(updates=4, probes=2)
CODES = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def solved(strength=8.0):
    """A machine whose weights were written by hand: every pattern has a corner of its own.

    The drive of a visible cell, less a bias, is strength x (1 for its own code, 0 or less for
    others): strength x (agreement with the code - 1).
    """
    net = CLAIM.network(ANNEALED, key=jax.random.key(0))
    to_hidden = strength * np.tile(2.0 * CODES - 1, (2, 1)).T  # hidden x visible
    offset = np.tile(-strength * CODES.sum(1) + strength / 2, 2)

    def place(n):
        weights = [p.weight for p in n.projections]
        return weights[0], weights[1], n.populations["visible"].neuron.bias

    weights = (jnp.asarray(to_hidden, jnp.float32),) * 2
    return eqx.tree_at(place, net, (*weights, jnp.asarray(offset, jnp.float32)))


def test_groups_meet_only_in_hidden_cells(key):
    net = CLAIM.network(ANNEALED, key=key)
    weight = np.asarray(couplings(net)[0])
    assert (weight == weight.T).all()
    full = net.edit(lambda p: eqx.tree_at(lambda p: p.weight, p, p.wiring.fill(1.0)))
    joined = np.zeros((10, 10), bool)
    joined[:4, :4] = joined[4:8, 4:8] = ~np.eye(4, dtype=bool)
    joined[8:, :8] = joined[:8, 8:] = True
    assert ((np.asarray(couplings(full)[0]) != 0) == joined).all()
    assert len(CLAIM.network(DIVERGENCE, key=key).projections) == 2
    eight = BoltzmannEncoder(visible=8, hidden=3).network(ANNEALED, key=key)
    assert {name: p.size for name, p in eight.populations.items()} == {"visible": 16, "hidden": 3}


def test_codes_and_completions_of_a_machine_written_by_hand():
    likely = eqx.filter_jit(most_probable)
    shown, half = (np.asarray(likely(solved(), 4, groups)) for groups in (2, 1))
    assert (shown[:, 8:] == CODES).all()
    assert (shown[:, :8] == np.tile(np.eye(4), 2)).all()
    assert (half == shown).all()  # the second group completes the first
    exam = eqx.filter_jit(CLAIM.exam)(ANNEALED, solved())
    assert {name: float(x) for name, x in exam.items()} == dict.fromkeys(exam, 1.0)


def test_the_most_probable_state_is_what_slow_annealing_finds(key):
    """By chance alone, cell by cell, from hot to cold."""
    net = solved(3.0)
    start, free = jnp.zeros(10).at[2].set(1.0), jnp.arange(10) >= 4
    warmth = jnp.geomspace(10.0, 0.1, 300)
    anneal = lambda k: gibbs(net, start, warmth, free, key=k)[-1]  # noqa: E731
    ends = np.asarray(jax.jit(jax.vmap(anneal))(jax.random.split(key, 50)))
    found = (ends == np.asarray(most_probable(net, 4, 1))[2]).all(1)
    assert found.mean() > 0.8


def test_a_machine_that_knows_nothing_solves_nothing(key):
    net = CLAIM.network(ANNEALED, key=key)
    nothing = jax.tree.map(lambda x: jnp.zeros_like(x) if eqx.is_inexact_array(x) else x, net)
    exam = eqx.filter_jit(CLAIM.exam)(ANNEALED, nothing)
    assert {name: float(x) for name, x in exam.items()} == dict.fromkeys(exam, 0.0)


def test_codes_and_answers_of_an_autoencoder_are_rounded(key):
    net = CLAIM.network(BACKPROP, key=key)

    def place(n):
        up, down = n.projections
        return up.weight, down.weight, n.populations["output"].neuron.bias

    way = jnp.asarray(2.0 * CODES - 1, jnp.float32)
    bias = jnp.asarray(-8.0 * CODES.sum(1) + 4, jnp.float32)
    codes, said = rounded(eqx.tree_at(place, net, (8 * way.T, 8 * way, bias)), 4)
    assert (np.asarray(codes) == CODES).all()
    assert (np.asarray(said) == np.eye(4)).all()
    codes, said = rounded(eqx.tree_at(place, net, (0 * way.T, 0 * way, bias * 0 - 1)), 4)
    assert not codes.any()
    assert not said.any()


def test_without_the_free_phase_what_is_on_together_only_grows(key):
    """Visible cells are held, so that their direction is known: minus the products of a pattern."""
    net = CLAIM.network(ANNEALED, key=key)
    pattern = Encoder(4, 2).exam("train", key=key).stimuli[1]
    rule = Awake(Boltzmann("annealed", 3, 2))

    @eqx.filter_jit
    def propose(rule):
        nothing = lambda *_: jnp.zeros(())  # noqa: E731
        return rule.propose(None, net, Sample(pattern), nothing, key=key)[0]

    change = propose(rule)
    np.testing.assert_allclose(change.populations["visible"].neuron.bias, -pattern[0])
    together = -jnp.outer(pattern[0], pattern[0]) / 2  # half of each bond, which has two weights
    mates = net.projections[2].wiring.fill(1.0)
    np.testing.assert_allclose(net.mask(change).projections[2].weight, together * mates)
    assert all((p.weight <= 0).all() for p in change.projections)
    full = propose(Boltzmann("annealed", 3, 2))
    assert any((p.weight > 0).any() for p in full.projections)


@pytest.mark.slow
def test_all_arms_can_be_traced():
    for claim in (CLAIM, BoltzmannEncoder(8, 3, updates=4, probes=2)):
        for arm in claim.arms:
            run = eqx.Partial(claim.run, arm, {"rate": jnp.float32(0.1)}, key=jax.random.key(0))
            outcome = jax.eval_shape(run)
            assert outcome.score.shape == outcome.tuning.shape == ()
            assert {curve.shape for curve in outcome.curves.values()} == {(2,)}
    assert BoltzmannEncoder().rule(EXACT).by == "exact"
    assert BoltzmannEncoder(8, 3).rule(EXACT).by == "annealed"


def test_nets_too_large_to_look_at_are_refused():
    with pytest.raises(ValueError, match=r"at most 14 cells .* got 40 visible and 10 hidden"):
        BoltzmannEncoder(40, 10)


def test_equal_tuning():
    widths = {arm: CLAIM.space(arm)["rate"] for arm in CLAIM.arms}
    assert {round(space.high / space.low) for space in widths.values()} == {100}
    assert widths[ANNEALED] == widths[AWAKE]


# ---- the ruling -------------------------------------------------------------------------------


def outcomes(solved, failing=0, completed=1.0):
    made = {}
    for arm in BoltzmannEncoder.arms:
        hits = {AWAKE: failing, ANNEALED: solved}.get(arm, 45)
        score = (jnp.arange(50) < hits).astype(jnp.float32)
        curves = {
            "completed": jnp.full((50, 2), completed),
            "solved": jnp.stack([1 - score, score], axis=1),
        }
        made[arm] = Outcome(score, curves=curves)
    return made


@pytest.mark.parametrize(
    ("solved", "ruling"),
    [
        (50, "supported"),
        (46, "supported"),
        (45, "inconclusive"),
        (41, "inconclusive"),
        (40, "refuted"),
        (0, "refuted"),
    ],
)
def test_nine_of_ten_and_an_interval_above_eight_of_ten(solved, ruling):
    evidence = CLAIM.evidence(outcomes(solved))
    found = evidence.primary.find()
    assert found.ruling == ruling
    assert found.estimate == pytest.approx(solved / 50 - 0.8)
    assert all(gate.held for gate in evidence.gates)
    on_the_way = evidence.secondary["annealed, in any exam on the way"]
    assert (on_the_way.successes, on_the_way.trials) == (50, 50)
    wilson = found.detail["Wilson low"]
    assert wilson > found.low + 0.8 - 1e-9 or solved in (0, 50)


def test_gates():
    gates = CLAIM.evidence(outcomes(50, failing=6, completed=0.9)).gates
    assert [gate.held for gate in gates] == [False, False]


def test_the_picture_has_all_arms():
    figure = CLAIM.figure(outcomes(45))
    assert set(BoltzmannEncoder.arms) <= {trace.name for trace in figure.data}
