"""Known facts about sheets of cells: what they compute, by another route, and how far they hear."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate2d

from neurula.sheets import Sheets
from neurula.wirings import Grid

KEY = jax.random.key(0)
SIDE, CHANNELS, STEPS = 5, 2, 3
GRID = Grid(SIDE, SIDE, shared=True)
PLACES = [(0, 0), *GRID.offsets]  # in the order of the weights
SETTINGS = {"seen": 2, "told": 1, "steps": STEPS, "key": KEY}
PICTURE = jax.random.normal(jax.random.key(1), (2 * SIDE**2,))


def kernel(weights, source):
    """The 3 x 3 kernel from a channel. Weights: channels as they are, then all their neighbours."""
    count = len(weights) // 9
    found = np.zeros((3, 3))
    found[1, 1] = weights[source]
    for place, (down, right) in enumerate(GRID.offsets):
        found[1 + down, 1 + right] = weights[count + source * 8 + place]
    return found


def convolved(weights, held):
    """SciPy's own sum over neighbours, for all channels: (channel, row, column)."""
    return np.array(
        [
            sum(
                correlate2d(held[source], kernel(row, source), mode="same")
                for source in range(len(held))
            )
            for row in np.asarray(weights)
        ]
    )


def test_all_links_against_scipy():
    net = Sheets(GRID, CHANNELS, sheets=3, **SETTINGS)
    bias = 0.1 * jax.random.normal(KEY, net.bias.shape)
    net = eqx.tree_at(lambda n: n.bias, net, bias)
    seen = np.asarray(PICTURE).reshape(2, SIDE, SIDE)
    held = np.zeros((3, CHANNELS, SIDE, SIDE))
    links = {name: np.asarray(weight)[0] for name, weight in net.links.items()}
    for step in np.asarray(net.sweep(PICTURE)):
        drive = np.asarray(bias)[0][:, :, None, None] + np.zeros_like(held)
        drive[0] += convolved(net.enter, seen)
        for s in range(3):
            drive[s] += convolved(links["lateral"][s], held[s])
            if s > 0:
                drive[s] += convolved(links["forward"][s - 1], held[s - 1])
            if s < 2:
                drive[s] += convolved(links["backward"][s], held[s + 1])
        held = held + 0.5 * (np.maximum(drive, 0) - held)
        np.testing.assert_allclose(step.reshape(held.shape), held, atol=1e-5)


def test_untied_sheets_with_equal_weights_are_tied_ones():
    tied = Sheets(GRID, CHANNELS, sheets=1, links=("lateral",), **SETTINGS)
    untied = Sheets(GRID, CHANNELS, sheets=1, links=("lateral",), tied=False, **SETTINGS)
    assert untied.links["lateral"].shape[0] == STEPS
    again = jnp.repeat(tied.links["lateral"], STEPS, 0)
    both = lambda n: (n.links["lateral"], n.enter, n.tell)  # noqa: E731
    same = eqx.tree_at(both, untied, (again, tied.enter, tied.tell))
    np.testing.assert_allclose(same.step(None, PICTURE)[1], tied.step(None, PICTURE)[1], atol=1e-6)


def test_cells_that_stand_in_for_themselves_change_nothing():
    plain = Sheets(GRID, CHANNELS, **SETTINGS)
    ordered = Sheets(GRID, CHANNELS, order=jnp.arange(SIDE**2), **SETTINGS)
    said = [net.step(None, PICTURE)[1] for net in (plain, ordered)]
    np.testing.assert_allclose(*said, atol=1e-6)


def test_cells_that_stand_in_are_heard_instead():
    """The right neighbour's place hears whoever stands in for it; a cell still hears itself."""
    order = jax.random.permutation(KEY, SIDE**2)
    net = Sheets(GRID, 1, order=order, **SETTINGS)
    held = jnp.arange(25.0)[None]
    heard = np.asarray(net.rerouted(held))
    np.testing.assert_array_equal(heard[0], held[0])
    right = 1 + GRID.offsets.index((0, 1))
    inner = [cell for cell in range(25) if cell % SIDE < SIDE - 1]
    np.testing.assert_array_equal(heard[right, inner], np.asarray(order)[np.array(inner) + 1])


def test_forward_links_alone_settle_when_the_picture_is_through():
    net = Sheets(GRID, CHANNELS, links=("forward",), pace=1.0, **SETTINGS)
    steps = net.sweep(PICTURE)
    np.testing.assert_array_equal(steps[1], steps[2])
    assert jnp.any(steps[0] != steps[1])


def test_answers_of_cells_and_of_all():
    each = Sheets(GRID, CHANNELS, **SETTINGS)
    whole = Sheets(GRID, CHANNELS, whole=True, **(SETTINGS | {"told": 4}))
    assert each.outputs == {"output": 25}
    assert whole.outputs == {"output": 4}
    assert each.step(None, PICTURE)[1].shape == (25,)
    assert whole.step(None, PICTURE)[1].shape == (4,)


@pytest.mark.parametrize(
    ("grid", "links"), [(GRID, ()), (Grid(5, 5, 4, shared=True), ("lateral",)), (Grid(5, 5), ())]
)
def test_no_links_and_other_grids_are_refused(grid, links):
    with pytest.raises(ValueError, match=r"on a shared grid with 8 neighbours, got .* Write"):
        Sheets(grid, 1, links=links, **SETTINGS)
