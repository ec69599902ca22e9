"""Automata against automata written by hand: heat, Life, and how far cells can see."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from neurula.automaton import Automaton, sobel
from neurula.looking import Held, Untied
from neurula.testing import check_block
from neurula.wirings import Dense, Grid, Sparse

KEY = jax.random.key(0)
TORUS = Grid(6, 7, shared=True, periodic=True)
SHEET = np.asarray(jax.random.normal(jax.random.key(1), (6, 7)))


def made(wiring, enter, bias, leave, **settings):
    """An automaton of one channel with a rule written by hand."""
    automaton = Automaton(wiring, 1, len(bias), key=KEY, **settings)
    rule = lambda a: (a.enter, a.bias, a.leave)  # noqa: E731
    values = [jnp.asarray(value, jnp.float32) for value in (enter, bias, leave)]
    return eqx.tree_at(rule, automaton, values)


def film(automaton, sheet, steps):
    """The first channel of every step, from a given sheet on."""
    state = automaton.init(key=KEY)
    first = state.channels.at[0].set(jnp.asarray(sheet, jnp.float32).ravel())
    state = eqx.tree_at(lambda s: s.channels, state, first)

    @eqx.filter_jit
    def play(automaton, state):
        step = lambda s, _: (lambda new: (new, new.channels[0]))(automaton.step(s, jnp.zeros(0))[0])  # noqa: E731
        return jax.lax.scan(step, state, length=steps)[1]

    return np.asarray(play(automaton, state)).reshape(steps, *np.shape(sheet))


def wild(wiring, channels=4, **settings):
    """An automaton whose rule is noise."""
    automaton = Automaton(wiring, channels, 8, key=KEY, **settings)
    noise = 0.1 * jax.random.normal(jax.random.key(2), automaton.leave.shape)
    return eqx.tree_at(lambda a: a.leave, automaton, noise)


# ---- rules written by hand -----------------------------------------------------------------------


def test_a_new_automaton_keeps_what_it_has():
    automaton = Automaton(TORUS, 1, 5, key=KEY)
    np.testing.assert_allclose(film(automaton, SHEET, 3), np.stack([SHEET] * 3), atol=1e-6)


@pytest.mark.parametrize(("periodic", "mode"), [(True, "wrap"), (False, "constant")])
def test_heat_spreads_by_the_discrete_laplacian(periodic, mode):
    grid = Grid(6, 7, 4, shared=True, periodic=periodic)
    slope = [[-4.0, 1.0], [4.0, -1.0]]  # a = max(a, 0) - max(-a, 0)
    heat = made(grid, slope, [0, 0], [[0.1, -0.1]], kernels=((1.0,) * 4,))
    sheet, expected = SHEET.astype(np.float64), []
    cross = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    for _ in range(5):
        sheet = sheet + 0.1 * scipy.ndimage.correlate(sheet, cross, mode=mode)
        expected.append(sheet)
    np.testing.assert_allclose(film(heat, SHEET, 5), expected, rtol=1e-4, atol=1e-5)


def test_the_game_of_life():
    """With u = 2 neighbours + me, a cell will live where u is 5, 6 or 7."""
    life = made(
        TORUS,
        enter=[[1, 2], [1, 2], [1, 2], [1, 2], [1, 0]],
        bias=[-4, -5, -7, -8, 0],
        leave=[[1, -1, -1, 1, -1]],
        kernels=((1.0,) * 8,),
    )
    glider = np.zeros((6, 7))
    glider[[0, 1, 2, 2, 2], [1, 2, 0, 1, 2]] = 1
    np.testing.assert_array_equal(film(life, glider, 4)[-1], np.roll(glider, (1, 1), (0, 1)))
    sheet = (SHEET > 0.3).astype(float)
    for seen in film(life, sheet, 6):
        around = sum(
            np.roll(sheet, (a, b), (0, 1)) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b
        )
        sheet = ((around == 3) | ((around == 2) & (sheet == 1))).astype(float)
        np.testing.assert_array_equal(seen, sheet)


def test_sobel_kernels():
    grid = Grid(6, 7, shared=True)
    automaton = Automaton(grid, 1, 3, key=KEY)
    seen = eqx.filter_jit(automaton.perceive)(jnp.asarray(SHEET).reshape(1, -1))
    across = scipy.ndimage.sobel(SHEET, 1, mode="constant") / 8
    down = scipy.ndimage.sobel(SHEET, 0, mode="constant") / 8
    np.testing.assert_allclose(seen, np.stack([SHEET, across, down]).reshape(3, -1), atol=1e-5)


# ---- what follows from neighbours alone ----------------------------------------------------------


def test_on_a_torus_no_place_is_special():
    automaton = wild(TORUS, channels=1)
    moved = film(automaton, np.roll(SHEET, (2, 3), (0, 1)), 4)
    np.testing.assert_allclose(
        moved, np.roll(film(automaton, SHEET, 4), (2, 3), (1, 2)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("steps", [1, 3])
def test_nobody_sees_farther_than_a_cell_a_step(steps):
    brain = Held(wild(Grid(9, 9, shared=True), channels=6, seen=1, told=2), steps)

    @eqx.filter_jit
    def middle(pixels):
        said = lambda pixels: brain.step(brain.init(), pixels)[1].reshape(2, 9, 9)[:, 4, 4]  # noqa: E731
        return jax.jacobian(said)(pixels)

    felt = np.abs(middle(jnp.abs(jnp.asarray(np.resize(SHEET, 81))))).sum(0).reshape(9, 9)
    apart = np.maximum(*np.abs(np.indices((9, 9)) - 4))
    assert (felt[apart > steps] == 0).all()
    assert (felt[apart == steps] > 0).any()


def test_channels_seen_hold_the_input():
    automaton = wild(TORUS, channels=5, seen=2, told=1)
    pixels = jnp.arange(84.0)
    state, said = eqx.filter_jit(automaton.step)(automaton.init(), pixels)
    np.testing.assert_array_equal(state.channels[:2].ravel(), pixels)
    np.testing.assert_array_equal(said, state.channels[2])
    assert automaton.inputs == {"input": 84}
    assert automaton.outputs == {"output": 42}


def test_any_wiring_joins_cells():
    """The same sheet as a list of connections, whose kernels have a number each."""
    grid = Grid(3, 4, 4, shared=True, periodic=True)
    cells = np.arange(12).reshape(3, 4)
    pre = np.stack([np.roll(cells, (-a, -b), (0, 1)).ravel() for a, b in grid.offsets])
    edges = Sparse(jnp.asarray(pre.ravel()), jnp.tile(jnp.arange(12), 4), 12, 12)
    weights = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
    automata = [
        Automaton(grid, 2, 3, kernels=jnp.asarray(weights)[None], key=KEY),
        Automaton(edges, 2, 3, kernels=jnp.asarray(np.repeat(weights, 12))[None], key=KEY),
    ]
    held = jax.random.normal(KEY, (2, 12))
    one, other = (eqx.filter_jit(a.perceive)(held) for a in automata)
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


# ---- life, chance, learning ----------------------------------------------------------------------


def test_cells_live_where_a_neighbour_lives():
    automaton = Automaton(Grid(6, 7, shared=True), 4, 3, told=4, alive=3, key=KEY)
    held = jnp.zeros((4, 42)).at[3].set(0.15 * jnp.asarray(SHEET).ravel())
    expected = scipy.ndimage.maximum_filter(0.15 * SHEET, 3, mode="constant") > 0.1
    lives = np.asarray(eqx.filter_jit(automaton.living)(held)).reshape(6, 7)
    np.testing.assert_array_equal(lives, expected)
    assert 0 < expected.sum() < 42


def test_a_seed_lives_and_nothing_else():
    automaton = Automaton(Grid(5, 5, shared=True), 6, 3, told=4, alive=3, seed=12, key=KEY)
    start = np.asarray(automaton.init().channels)
    np.testing.assert_array_equal(start[:, 12], [0, 0, 0, 1, 1, 1])
    assert np.delete(start, 12, 1).max() == 0
    noise = jax.random.normal(KEY, automaton.leave.shape)
    restless = eqx.tree_at(lambda a: (a.leave, a.bias), automaton, (noise, jnp.ones(3)))
    state, _ = eqx.filter_jit(restless.step)(restless.init(), jnp.zeros(0))
    around = np.zeros((5, 5), bool)
    around[1:4, 1:4] = True
    assert not state.channels.reshape(6, 5, 5)[:, ~around].any()


def test_cells_fire_by_chance():
    automaton = wild(Grid(40, 40, shared=True), channels=1, fire_rate=0.3)
    automaton = eqx.tree_at(lambda a: a.bias, automaton, jnp.ones(8))
    fires = np.diff(film(automaton, np.zeros((40, 40)), 21), axis=0) != 0
    assert fires.mean() == pytest.approx(0.3, abs=0.01)
    assert np.abs(fires.mean((1, 2)) - 0.3).max() < 0.05
    for axis in range(3):  # step, row, column: who fires tells nothing about the next
        here, there = (np.take(fires, range(i, fires.shape[axis] + i - 1), axis) for i in (0, 1))
        assert (here & there).mean() == pytest.approx(0.09, abs=0.01)


def test_automata_are_blocks():
    check_block(Automaton(Grid(3, 4, shared=True), 6, 8, seen=1, told=2, key=KEY))


def test_kernels_that_are_an_array_are_learned():
    automaton = wild(TORUS, channels=2, kernels=jnp.ones((2, 8)))
    slope = lambda a: jnp.sum(a.perceive(jnp.ones((2, 42))) ** 2)  # noqa: E731
    found = eqx.filter_jit(eqx.filter_grad(slope))(automaton)
    assert (np.asarray(found.kernels) != 0).all()
    assert all(isinstance(k, tuple) for k in Automaton(TORUS, 2, 3, key=KEY).kernels)


def test_levels_of_its_own_that_are_alike_are_one_automaton():
    tied = wild(TORUS, channels=4, seen=1, told=1)
    pile = lambda x: jnp.stack([x] * 3) if eqx.is_array(x) else x  # noqa: E731
    pixels = jnp.arange(42.0) / 42
    said = [
        eqx.filter_jit(lambda b, x: b.step(b.init(), x)[1])(Held(block, 3), pixels)
        for block in (tied, Untied(jax.tree.map(pile, tied)))
    ]
    np.testing.assert_allclose(*said, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Automaton(TORUS, 3, 8, seen=2, told=2, key=KEY), "channels for all.*'told': 2"),
        (lambda: Automaton(TORUS, 3, 8, fire_rate=0.0, key=KEY), "fire_rate above 0.*got 0.0"),
        (lambda: Automaton(Dense(4, 4), 3, 8, key=KEY), "Grid with 8 neighbours, got Dense"),
        (lambda: sobel(Grid(4, 4, 4, shared=True)), "Grid with 8 neighbours"),
        (lambda: Automaton(Grid(4, 4), 3, 8, key=KEY), r"weight's shape, \(8, 16\)"),
        (lambda: Automaton(TORUS, 3, 8, fire_rate=0.5, key=KEY).init(), "Expected a key"),
    ],
)
def test_what_does_not_fit_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()
