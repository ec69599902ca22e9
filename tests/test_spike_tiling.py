"""The spike-time tiling coefficient, against counting on a fine raster."""

import numpy as np
import pytest

from neurula.measures import spike_time_tiling


def brute(first, second, window, stop, step=1e-3):
    """The definition, by marking every moment and asking every pair."""
    moments = (np.arange(round(stop / step)) + 0.5) * step

    def covered(times):
        return np.mean(np.abs(moments[:, None] - times[None]).min(1) <= window)

    def near(times, others):
        return np.mean(np.abs(times[:, None] - others[None]).min(1) <= window)

    def term(p, t):
        return (p - t) / (1 - p * t)

    return (
        term(near(first, second), covered(second)) + term(near(second, first), covered(first))
    ) / 2


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_counting_gives(seed):
    rng = np.random.default_rng(seed)
    first = np.sort(rng.uniform(0, 20, rng.integers(1, 40)))
    second = np.sort(np.append(rng.uniform(0, 20, 10), np.clip(first[::2] + 0.03, 0, 20)))
    for window in (0.02, 0.05, 0.4):
        found = spike_time_tiling(first, second, window=window, start=0.0, stop=20.0)
        assert found == pytest.approx(brute(first, second, window, 20.0), abs=3e-3)
        turned = spike_time_tiling(second, first, window=window, start=0.0, stop=20.0)
        assert turned == pytest.approx(found)


def test_it_is_1_for_a_cell_with_itself_and_0_for_independent_cells_at_any_rate():
    rng = np.random.default_rng(0)
    draw = lambda rate: np.sort(rng.uniform(0, 2000, rng.poisson(2000 * rate)))  # noqa: E731
    slow, fast = draw(0.5), draw(10.0)
    options = {"window": 0.05, "start": 0.0, "stop": 2000.0}
    assert spike_time_tiling(slow, slow, **options) == pytest.approx(1)
    for one, other in [(slow, draw(0.5)), (slow, fast), (fast, draw(10.0))]:
        assert spike_time_tiling(one, other, **options) == pytest.approx(0, abs=0.03)
    far = np.arange(0.5, 2000, 2.0)
    assert spike_time_tiling(far, far + 1, **options) == pytest.approx(-0.05)  # P = 0, T = 0.05
    assert np.isnan(spike_time_tiling(slow, np.zeros(0), **options))
    everywhere = np.arange(0, 2000, 0.05)
    assert spike_time_tiling(everywhere, everywhere, **options) == 1


def test_spikes_outside_of_the_recording_are_refused():
    with pytest.raises(ValueError, match=r"spikes from 0 to 10, but got .* from 1 to 11: .*stop"):
        spike_time_tiling(np.array([1.0]), np.array([11.0]), window=0.1, start=0.0, stop=10.0)
