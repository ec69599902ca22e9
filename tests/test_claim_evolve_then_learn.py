"""The pieces of evolve-then-learn against derivatives, integrals and loops written out."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.families_of_lives import BANDITS, FAMILIES, STILL, candidates, pretrained
from neurula.claims.lives_that_learn import PerConnection, blank, live, shuffled
from neurula.environments import ContextBandits, Reaching

HIDDEN = 3


def random_learner(world, rule, key, **options):
    """One whose numbers are all normal."""
    learner = blank(world, HIDDEN, rule, **options)
    arrays, rest = eqx.partition(learner, eqx.is_inexact_array)
    leaves, shape = jax.tree.flatten(arrays)
    keys = jax.random.split(key, len(leaves))
    drawn = [0.5 * jax.random.normal(k, x.shape) for k, x in zip(keys, leaves, strict=True)]
    return eqx.combine(shape.unflatten(drawn), rest)


def test_chance_is_the_mean_reward_of_whoever_does_anything():
    """An integral over the square of movements and over targets, written out."""
    side = (np.arange(400) + 0.5) / 200 - 1
    x, y = np.meshgrid(side, side)
    angles = np.linspace(0, np.pi / 2, 40, endpoint=False)
    missed = [np.minimum((x - np.cos(a)) ** 2 + (y - np.sin(a)) ** 2, 4).mean() for a in angles]
    assert (
        FAMILIES[""].chance == FAMILIES[STILL].chance == pytest.approx(-np.mean(missed), abs=2e-3)
    )
    bandits = FAMILIES[BANDITS]
    assert bandits.chance == pytest.approx((0.9 + 4 * 0.1) / 5)
    assert bandits.best == bandits.world.good


def test_who_knows_all_scores_one_and_a_still_hand_what_it_must():
    """The identity where nothing is turned, with hardly any noise; and no movement where it is."""
    learner = blank(Reaching(), HIDDEN, None)
    learner = eqx.tree_at(lambda x: x.habits.noise, learner, jnp.float32(-20.0))
    knows = eqx.tree_at(lambda x: x.last, learner, learner.last.at[:, HIDDEN:-1].set(jnp.eye(2)))
    lives, key = jax.random.split(jax.random.key(0), 3), jax.random.key(1)
    np.testing.assert_allclose(FAMILIES[STILL].scores(knows, lives, key), 1.0, atol=1e-6)
    still = np.asarray(FAMILIES[""].scores(learner, lives, key))
    np.testing.assert_allclose(still, 1 - 1 / 1.647, atol=1e-6)


def test_nothing_that_is_seen_gives_the_turn_away():
    """One and the same movement is worth as much in every trial, over many lives: -2."""
    learner = blank(Reaching(), HIDDEN, None)
    learner = eqx.tree_at(lambda x: x.last, learner, learner.last.at[0, -1].set(-1.0))
    learner = eqx.tree_at(lambda x: x.habits.noise, learner, jnp.float32(-20.0))
    lives = jax.random.split(jax.random.key(0), 2000)
    run = jax.jit(lambda lives: FAMILIES[""].scores(learner, lives, jax.random.key(1)))
    scores = np.asarray(run(lives))
    np.testing.assert_allclose(scores.mean(0), 1 - 2 / 1.647, atol=0.1)  # 5 standard errors
    assert len(np.unique(scores[0])) == scores.shape[1]


@pytest.mark.parametrize("world", [Reaching(), ContextBandits()], ids=lambda w: type(w).__name__)
def test_learning_by_gradient_follows_the_slope_of_the_likelihood(world, key):
    """The change is rate * surprise * noise * the derivative of the log-likelihood."""
    learner = random_learner(world, "gradient", key)
    size, noise = learner.inputs["senses"], jnp.exp(learner.habits.noise)
    seen = jax.random.uniform(key, (size,))
    mind, _ = learner.step(learner.init(key=key), jnp.append(seen, 0.0))

    def log_likelihood(weights):
        first, last = weights
        heard = jnp.append(seen, 1.0)
        mean = last @ jnp.concatenate([jnp.tanh(first @ heard), heard])
        if learner.discrete:
            return jax.nn.log_softmax(mean / noise) @ mind.done
        moved = learner.last @ mind.felt + noise * mind.explored  # before it was clipped
        return -0.5 * jnp.sum((moved - mean) ** 2) / noise**2

    slope = jax.grad(log_likelihood)((learner.first, learner.last))
    changes = learner.changes(mind, jnp.float32(0.7))
    for mine, theirs in zip(changes, slope, strict=True):
        wanted = jnp.exp(learner.rule) * 0.7 * noise * theirs
        np.testing.assert_allclose(mine, wanted, rtol=1e-4, atol=1e-6)


def test_plasticity_can_be_the_likelihood_ratio(key):
    """With one coefficient for exploration everywhere it lives the same life as the gradient."""
    world, to_luck = Reaching(), jax.random.key(5)
    by_gradient = blank(world, HIDDEN, "gradient")
    plastic = blank(world, HIDDEN, "plastic")
    rate = jnp.full_like(plastic.last, 0.3)
    plastic = eqx.tree_at(lambda x: x.rule.explored, plastic, rate)
    run = jax.jit(lambda learner: live(learner, world, 30, life=key, luck=to_luck))
    lived = np.asarray(run(plastic))
    np.testing.assert_allclose(lived, run(by_gradient), atol=1e-4)
    unlearned = run(blank(world, HIDDEN, None))
    assert np.abs(lived - np.asarray(unlearned)).max() > 0.1  # and it does learn something
    np.testing.assert_allclose(lived[0], unlearned[0], atol=1e-6)


def test_plasticity_of_one_trial_written_out(key):
    """Three terms for every connection, in loops."""
    learner = random_learner(Reaching(), "plastic", key)
    mind, _ = learner.step(learner.init(key=key), jnp.array([0.6, -0.8, 0.0]))
    first, last = np.array(learner.first), np.array(learner.last)
    rule, surprise = learner.rule, -0.4
    hidden, heard = mind.felt[:HIDDEN], mind.felt[HIDDEN:]
    np.testing.assert_allclose(heard, [0.6, -0.8, 1.0], atol=1e-6)
    for i in range(HIDDEN):
        for j in range(3):
            c = surprise * rule.rewarded[0][i, j] + rule.plain[0][i, j]
            first[i, j] += c * hidden[i] * heard[j]
    for i in range(2):
        for j in range(HIDDEN + 3):
            c = surprise * rule.rewarded[1][i, j] + rule.plain[1][i, j]
            more = surprise * rule.explored[i, j] * mind.explored[i] * mind.felt[j]
            last[i, j] += c * mind.done[i] * mind.felt[j] + more
    to_first, to_last, expected = learner.learned(mind, mind.expected + surprise)
    np.testing.assert_allclose(to_first, first, atol=1e-5)
    np.testing.assert_allclose(to_last, last, atol=1e-5)
    follow = min(float(jnp.exp(learner.habits.follow)), 1.0)
    assert float(expected) == pytest.approx(float(mind.expected) - 0.4 * follow, abs=1e-6)


def test_weights_that_do_not_learn_stay_and_activity_remembers(key):
    """What was done, the reward and the hidden cells are heard in the next trial."""
    learner = random_learner(Reaching(), None, key, recalls=True)
    assert learner.inputs == {"senses": 2, "reward": 1}
    mind, _ = learner.step(learner.init(key=key), jnp.array([1.0, 0.0, 0.0]))
    after, _ = learner.step(mind, jnp.array([0.0, 1.0, -0.5]))
    np.testing.assert_array_equal(after.first, learner.first)
    np.testing.assert_array_equal(after.last, learner.last)
    heard = jnp.concatenate([jnp.array([0.0, 1.0, 1.0]), mind.done, jnp.array([-0.5])])
    np.testing.assert_allclose(after.felt[HIDDEN:], jnp.append(heard, mind.felt[:HIDDEN]))


def test_shuffling_moves_coefficients_of_a_connection_together(key):
    learner = random_learner(Reaching(), "plastic", key)
    moved = shuffled(learner, jax.random.key(3))
    np.testing.assert_array_equal(moved.last, learner.last)

    def of(rule: PerConnection, layer: int) -> list[tuple[float, ...]]:
        parts = [rule.rewarded[layer], rule.plain[layer], *([rule.explored] if layer else [])]
        return [tuple(map(float, row)) for row in np.stack([np.ravel(p) for p in parts], 1)]

    for layer in (0, 1):
        before, after = of(learner.rule, layer), of(moved.rule, layer)
        assert before != after
        assert sorted(before) == sorted(after)
    with pytest.raises(ValueError, match="single connections can be moved"):
        shuffled(blank(Reaching(), 2, "gradient"), key)


def test_the_best_is_found_and_the_budget_is_not_passed():
    """Of learners that know all, who explores least is best."""
    family = FAMILIES[STILL]
    learner = blank(family.world, 1, None)
    learner = eqx.tree_at(lambda x: x.last, learner, learner.last.at[:, 1:-1].set(jnp.eye(2)))
    make = lambda x: eqx.tree_at(lambda y: y.habits.noise, learner, x[0])  # noqa: E731
    drawn = jnp.log(jnp.array([0.5, 0.3, 0.02, 0.2]))[:, None]
    lives, key = jax.random.split(jax.random.key(0), 6), jax.random.key(1)
    found = family.best_of(make, drawn, lives, few=2, finalists=2, key=key)
    assert float(found.habits.noise) == pytest.approx(np.log(0.02))
    assert candidates(102_400, 200) == 5984  # 6,000 would use the budget up
    for budget in (8_000, 76_800, 99_999):
        count = candidates(budget, 200)
        assert count % 32 == 0
        assert budget - 16 * 32 < count * 16 + 32 * 200 <= budget


@pytest.mark.slow
def test_training_in_many_lives_finds_what_they_share():
    """Nothing is turned: the way to a target is the target. Turned everywhere: no way at all."""
    key = jax.random.key(0)
    for world, direct in ((Reaching(largest=0.0), 1.0), (Reaching(), 0.0)):
        lives = jax.random.split(key, 200)
        found = pretrained(
            blank(world, 1, "gradient"), world, lives, updates=800, rate=0.02, key=key
        )
        there = np.asarray(found.last[:, 1:3])
        if direct:
            assert (np.diag(there) > 0.8).all()
            assert np.abs(there[[0, 1], [1, 0]]).max() < 0.15
        else:
            assert np.abs(there).max() < 0.2
