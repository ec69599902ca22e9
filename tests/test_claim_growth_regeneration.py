"""Known facts about the pieces of growth-regeneration; not what it finds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.automaton import AutomatonState
from neurula.claims.growth_regeneration import DAMAGED, FROZEN, GrowthRegeneration
from neurula.claims.newt import COLOURS, NEWT, SHAPES, disc, harms, hurt, newt, painted

KEY = jax.random.key(0)
CLAIM = GrowthRegeneration(hidden=4, updates=2, steps=4, after=8)


def test_the_newt_is_drawn_as_it_is_written():
    picture = np.asarray(newt(2, 3)).reshape(4, 22, 22)
    for row, line in enumerate(NEWT):
        for column, letter in enumerate(line):
            for place in ((3 + 2 * row, 3 + 2 * column), (4 + 2 * row, 4 + 2 * column)):
                np.testing.assert_allclose(picture[:, *place], COLOURS[letter])
    assert not picture[:, :3].any()
    assert not picture[:, :, -3:].any()
    colour, alpha = picture[:3], picture[3]
    assert (colour <= alpha).all()  # multiplied by opacity
    assert GrowthRegeneration().target.shape == (4, 100)


def test_harms_take_halves_a_third_and_every_second_cell():
    masks = dict(zip(SHAPES, harms(12).reshape(4, 12, 12), strict=True))
    for name in ("right half", "lower half", "every second cell"):
        assert masks[name].sum() == 72
    assert masks["right half"][:, 6:].all()
    assert masks["lower half"][6:].all()
    assert masks["middle third"][:, 4:8].all()
    assert masks["middle third"].sum() == 48


def test_a_disc_is_a_disc():
    """Seen from its centre of mass nothing within is left and nothing outside is gone."""
    state = AutomatonState(jnp.ones((3, 900)))
    many = eqx.filter_jit(jax.vmap(lambda k: disc(state, key=k).channels))
    gone = np.asarray(many(jax.random.split(KEY, 40)))[:, 0].reshape(-1, 30, 30) == 0
    inside = [mask for mask in gone if not (mask[[0, -1]].any() or mask[:, [0, -1]].any())]
    assert len(inside) >= 5
    for mask in inside:
        place = np.argwhere(mask)
        radius = np.sqrt(len(place) / np.pi)
        assert 4.5 <= radius <= 10.5  # a sixth to a third of 30
        apart = np.linalg.norm(place - place.mean(0), axis=1)
        assert apart.max() <= radius + 1


def test_hurt_cells_hold_nothing():
    harmed = jnp.arange(5) % 2 == 0
    left = hurt(AutomatonState(jnp.ones((3, 5))), harmed).channels
    np.testing.assert_array_equal(left, np.tile([0, 1, 0, 1, 0], (3, 1)))


def test_repair_is_the_share_of_the_error_that_is_gone():
    kept = {
        "hurt": jnp.array([1.0, 1.0, 2.0, 1.0]),
        "healed": jnp.array([0.0, 0.5, 3.0, jnp.nan]),  # all, half, worse, burst
    }
    assert CLAIM.repaired(kept) == pytest.approx(1.5 / 4)


def test_the_decoder_learns_the_picture_by_heart():
    claim = GrowthRegeneration()
    paint = eqx.filter_jit(lambda key: painted(claim.error, 100, 600, key=key))
    assert claim.error(paint(KEY)) < 1e-3


def test_arms_have_the_same_cells():
    taught, frozen = (CLAIM.automaton(arm, key=KEY) for arm in ("pool", FROZEN))
    np.testing.assert_array_equal(taught.enter, frozen.enter)
    assert not taught.leave.any()
    assert np.std(frozen.leave) == pytest.approx(0.1, abs=0.03)
    assert taught.seed == 55  # row 5 of 10, column 5


def test_the_full_budget_has_forty_cells_a_side():
    """Traced, not run: it would take hours."""
    claim = GrowthRegeneration(**GrowthRegeneration.budgets["full"].settings)
    assert claim.side == 40
    outcome = eqx.filter_eval_shape(lambda key: claim.run(DAMAGED, {}, key=key), KEY)
    assert outcome.kept["film"].shape == (5, 4, 1600)
