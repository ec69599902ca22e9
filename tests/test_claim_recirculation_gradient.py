"""What the recirculation experiment is made of: networks, floors, cosines, a strict judge."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from compiled import learn

from neurula.claims import recirculation_gradient as pieces
from neurula.claims.recirculation_gradient import (
    APART,
    ARMS,
    AT_ONCE,
    BACKPROP,
    FIXED,
    FLOOR,
    LEFT,
    LOOP,
    TASKS,
    RecirculationGradient,
    cosine,
    first,
    shared,
    weights,
    while_learning,
)
from neurula.experiment import Outcome
from neurula.rules import Backprop, OutputOnly, Recirculation

floor, follow = (eqx.filter_jit(getattr(pieces, name)) for name in ("floor", "follow"))
CLAIM = RecirculationGradient(updates=8, probes=2)
ONE = jnp.ones(())


def test_networks_start_mirrored_or_apart_with_the_same_way_up(key):
    together, apart = (first(name, (8, 3), 2 * ONE, key=key) for name in (LOOP, APART))
    up, down = weights(together)
    assert (up == down.T).all()
    assert (weights(apart)[0] == up).all()
    assert abs(float(cosine(up, weights(apart)[1].T))) < 0.6
    np.testing.assert_allclose(up, 2 * weights(first(LOOP, (8, 3), ONE, key=key))[0])


def test_the_floor_is_what_principal_components_leave():
    """One pattern of n has n - 1 directions with variance 1 / n each; digits by scikit-learn."""
    from sklearn.decomposition import PCA

    assert float(floor(TASKS["4-2-4"][0], 2, "tune")) == pytest.approx(1 / 4 / 2, rel=1e-5)
    assert float(floor(TASKS["8-3-8"][0], 3, "test")) == pytest.approx(4 / 8 / 2, rel=1e-5)
    assert float(floor(TASKS["8-3-8"][0], 0, "test")) == pytest.approx(7 / 8 / 2, rel=1e-5)
    task, hidden = TASKS["digits"]
    train, test = (
        np.asarray(task.exam(split, key=jax.random.key(0)).stimuli[:, 0], np.float64)
        for split in ("train", "test")
    )
    known = PCA(hidden, svd_solver="full").fit(train)
    missed = test - known.inverse_transform(known.transform(test))
    assert float(floor(task, hidden, "test")) == pytest.approx(
        (missed**2).sum(1).mean() / 2, rel=1e-4
    )


def test_cosines_with_the_gradient(key):
    task, hidden = TASKS["8-3-8"]
    brain = first(LOOP, (8, hidden), ONE, key=key)
    best = follow(Backprop(), brain, task)
    assert {name: float(x) for name, x in best.items()} == pytest.approx(dict.fromkeys(best, 1.0))
    slow, fast = (float(follow(Recirculation(r), brain, task)["cosine"]) for r in (0.999, 0.0))
    assert slow > 0.99 > fast
    assert float(follow(OutputOnly(), brain, task)["cosine"]) == 0.0  # there is no such change


def test_shared_changes_keep_two_ways_one(key):
    task, hidden = TASKS["4-2-4"]
    brain = first(LOOP, (4, hidden), ONE, key=key)
    optimiser = optax.chain(optax.stateless(lambda change, _: shared(change)), optax.sgd(0.5, 0.9))
    learned = learn(brain, Backprop(), task, optimiser, steps=20, batch=4, key=key).brain
    up, down = weights(learned)
    assert float(jnp.abs(up - weights(brain)[0]).max()) > 0.1
    np.testing.assert_allclose(up, down.T, rtol=1e-5)


def test_shared_changes_are_the_gradient_of_one_weight(key):
    """The derivative of the error by a weight that both ways share, written out by hand."""
    task, hidden = TASKS["4-2-4"]
    brain = first(LOOP, (4, hidden), ONE, key=key)
    seen = task.exam("train", key=key).stimuli[:, 0]

    def error(weight):
        again = jax.nn.sigmoid(seen @ weight.T) @ weight
        return jnp.mean(jnp.sum((again - seen) ** 2, axis=1)) / 2

    from neurula.rules import direction

    exam = task.exam("train", key=key)
    change, _ = eqx.filter_jit(direction)(Backprop(), None, brain, exam, task.error, key=key)
    expected = jax.jit(jax.grad(error))(weights(brain)[0])
    np.testing.assert_allclose(weights(shared(change))[0], expected, rtol=1e-4, atol=1e-6)


def test_all_arms_can_be_traced():
    settings = {"rate": jnp.float32(0.1), "gain": jnp.float32(1.0)}
    for arm in CLAIM.arms:
        outcome = jax.eval_shape(lambda arm=arm: CLAIM.run(arm, settings, key=jax.random.key(0)))
        assert outcome.score.shape == ()
        assert {curve.shape for curve in outcome.curves.values()} == {(2,)}


def test_equal_tuning_for_all_that_learn():
    spaces = {arm: CLAIM.space(arm) for arm in CLAIM.arms}
    assert {arm for arm, space in spaces.items() if not space} == {f"{FLOOR}, {t}" for t in TASKS}
    assert all(space in ({}, spaces["backprop, digits"]) for space in spaces.values())


# ---- the ruling -------------------------------------------------------------------------------


def outcomes(errors=None, cosines=None):
    """Backprop at 1.05 times the floor, the rest as told, by arm; 20 seeds that scatter by 2 %."""
    rng, made = np.random.default_rng(0), {}
    for arm in RecirculationGradient.arms:
        name, _ = arm.split(", ")
        usual = {FLOOR: 1.0, FIXED: 2.0}.get(name, 1.05)
        factor = (errors or {}).get(arm, 1.0)
        noise = rng.normal(0, 0.02, 20)
        score = -np.log(usual * factor) + noise - noise.mean()
        left = np.array([1.0, 0.5, LEFT / 2, LEFT])  # of the excess over the floor, which is 1
        curves = {"error": np.tile(1 + left, (20, 1))}
        followed = (cosines or {}).get(arm, 0.95) + rng.normal(0, 0.01, (20, 1))
        curves["cosine"] = curves["cosine of all"] = followed * np.array([[1.0, 1.0, -9.0, -9.0]])
        curves["mirror"] = np.tile([0.0, 0.1, 0.2, 0.3], (20, 1)) + rng.normal(0, 0.01, (20, 4))
        if name == FLOOR:
            curves = {"error": np.tile([2.0, 1.0], (20, 1))}
        made[arm] = Outcome(
            jnp.asarray(score), curves={k: jnp.asarray(v) for k, v in curves.items()}
        )
    return made


def test_cosines_count_as_long_as_there_is_something_to_learn():
    found = while_learning(outcomes(), LOOP, "digits", "cosine")
    assert found.shape == (20,)
    assert found.mean() == pytest.approx(0.95, abs=0.01)  # the last two points do not count


@pytest.mark.parametrize(
    ("errors", "cosines", "ruling", "kind"),
    [
        ({}, {}, "supported", None),
        ({f"{LOOP}, digits": 1.3}, {}, "refuted", "parity"),
        ({f"{LOOP}, 4-2-4": 1.1}, {}, "inconclusive", "parity"),  # on the margin
        ({f"{LOOP}, 8-3-8": 0.8}, {}, "inconclusive", "parity"),  # not equal, but better
        ({}, {f"{LOOP}, 8-3-8": 0.6}, "refuted", "superiority"),
        ({}, {f"{LOOP}, digits": -0.5}, "refuted", "superiority"),
        ({f"{LOOP}, 4-2-4": 1.1}, {f"{LOOP}, digits": 0.6}, "refuted", "superiority"),
        ({f"{APART}, digits": 2.0}, {f"{AT_ONCE}, digits": 0.0}, "supported", None),
    ],
)
@pytest.mark.parametrize("looks", [1, 2])
def test_all_parts_have_to_hold(errors, cosines, ruling, kind, looks):
    evidence = CLAIM.evidence(outcomes(errors, cosines))
    assert evidence.primary.decide(looks=looks).ruling == ruling
    assert evidence.primary.margin == pytest.approx(CLAIM.margin)
    assert kind in (None, evidence.primary.kind)
    assert all(gate.held for gate in evidence.gates)


def test_gates_close_where_nobody_learns_or_codes_do_not_matter():
    gates = CLAIM.evidence(outcomes({f"{BACKPROP}, 8-3-8": 1.4})).gates
    assert [gate.held for gate in gates] == [True, False, True, True]
    gates = CLAIM.evidence(outcomes({f"{FIXED}, digits": 0.6})).gates
    assert [gate.held for gate in gates] == [True, True, True, False]


def test_the_picture_has_the_loops(key):
    made = {f"{name}, digits": Outcome(ONE, curves={"cosine": jnp.ones((4, 2))}) for name in ARMS}
    figure = CLAIM.figure(made)
    assert {LOOP, APART, AT_ONCE} <= {trace.name for trace in figure.data}
