"""All genomes of genomic-bottleneck are as long as they may be, and no longer."""

import jax
import numpy as np
import pytest

from neurula.claims import genomic_bottleneck as claim

KEY = jax.random.key(0)
START = claim.unborn(KEY)


def test_the_network_holds_nothing_but_weights():
    assert sum(w.size for w in claim.matrices(START)) == claim.WEIGHTS == 17_024
    assert all(p.neuron.bias is None for p in START.populations.values())


@pytest.mark.parametrize("fold", [30, 100, 300])
def test_codes_fit_and_use_most_of_the_room(fold):
    room = claim.room(fold)
    for make in claim.CODES.values():
        assert 0.8 * room < make(claim.matrices(START), room).bits <= room or fold == 300
        assert make(claim.matrices(START), room).bits <= room


def test_a_hundredth_of_the_wiring_is_171_numbers():
    """4 hidden cells for each matrix: 4 (13 + 1) + 5, the same, and 4 (10 + 1) + 5."""
    for arm in ("g-network", "shuffled codes", "shuffled weights"):
        _, genes = claim.g_network(arm, 100, START, KEY)
        assert genes.size == 61 + 61 + 49
    assert claim.projected(START, 100)[1].size == 171


def test_a_random_projection_begins_at_the_random_network():
    decode, genes = claim.projected(START, 300)
    for born, first in zip(claim.matrices(decode(genes)), claim.matrices(START), strict=True):
        np.testing.assert_array_equal(born, first)
