"""Rate maps as pictures: values where they belong, gaps where nobody was."""

import numpy as np
import pytest

from neurula import pictures
from neurula.measures import autocorrelogram


def test_maps_stand_beside_their_autocorrelograms_with_gaps():
    rates = np.random.default_rng(0).random((4, 12, 9)) * 7
    rates[1, 3:5, 2] = np.nan
    beside = autocorrelogram(rates)
    figure = pictures.rate_maps(rates, beside, titles=["a<b", "b", "c", "d"], columns=2)
    assert len(figure.data) == 8
    np.testing.assert_allclose(figure.data[2].z, rates[1], rtol=1e-6)
    np.testing.assert_allclose(figure.data[3].z, beside[1], rtol=1e-5, atol=1e-6)
    assert np.isnan(figure.data[2].z).sum() == 2
    assert not figure.data[2].hoverongaps
    assert figure.data[2].zmax == np.float32(np.nanmax(rates[1]))
    assert (figure.data[3].zmin, figure.data[3].zmax) == (-1, 1)
    titles = [note.text for note in figure.layout.annotations]
    assert titles[0] == f"a&lt;b, {rates[0].max():.3g} Hz"
    # y goes up within a map, cells go right and then down, and nothing overlaps.
    first, second, third = figure.data[0], figure.data[2], figure.data[4]
    assert first.y[0] < first.y[-1]
    assert figure.data[1].x[0] > first.x[-1]
    assert second.x[0] > figure.data[1].x[-1]
    assert third.y[-1] < first.y[0]
    assert not figure.layout.yaxis.autorange


def test_cells_that_never_fired_or_are_not_there_are_drawn():
    silent = pictures.rate_maps(np.zeros((1, 5, 5)))
    assert silent.data[0].zmax == 1
    blank = pictures.rate_maps(np.full((2, 5, 5), np.nan), unit="spikes/s")
    assert blank.layout.annotations[1].text == "never visited"
    nothing = pictures.rate_maps(np.zeros((0, 5, 5)))
    assert nothing.layout.annotations[0].text == "There are no cells."


def test_maps_without_titles_for_all_are_refused():
    with pytest.raises(ValueError, match=r"got \[2, 4, 4\], 1 titles and None autocorrelograms"):
        pictures.rate_maps(np.zeros((2, 4, 4)), titles=["one"])
