"""The observer of spike trains, against trains made by hand; and its stimuli."""

import numpy as np
import pytest

from neurula.claims.firing_patterns import (
    PATTERNS,
    FiringPatterns,
    describe,
    kinds,
    played,
    published,
    resonance,
)

SILENT = np.zeros(1000)


def train(*intervals, start=20.0, dt=0.5, duration=500.0):
    """A spike train with these intervals, ms."""
    spikes = np.zeros(round(duration / dt))
    spikes[np.round(np.cumsum([start, *intervals]) / dt).astype(int)] = 1
    return spikes


def seen(strong, weak=SILENT, released=SILENT, resonates=False):
    return kinds(describe(strong, weak, released, resonates, dt=0.5, duration=500.0))


REGULAR = train(20, 30, *[40] * 10)
BURST = (3, 3, 4)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("regular spiking", {"strong": REGULAR}),
        ("low-threshold spiking", {"strong": REGULAR, "weak": train(50, 50)}),
        ("fast spiking", {"strong": train(*[8] * 58)}),
        ("intrinsically bursting", {"strong": train(*BURST, *[40] * 11)}),
        ("chattering", {"strong": train(*[*BURST, 50] * 7)}),
        ("thalamo-cortical", {"strong": train(*[8] * 58), "released": train(4, 5, 6)}),
        ("resonator", {"strong": train(*[8] * 58), "resonates": True}),
    ],
)
def test_trains_made_by_hand_are_told_apart(name, cell):
    assert seen(**cell) == [name]


@pytest.mark.parametrize(
    "strong",
    [SILENT, train(20, 30), train(*[100] * 4), train(*BURST)],
    ids=["silent", "phasic", "slow and regular", "one burst"],
)
def test_other_trains_have_no_name(strong):
    assert seen(strong) == []


def test_a_mixed_up_set_of_parameters_moves_its_name():
    """The criteria follow the parameters: chattering cells under another name are wrong."""
    dt, current = 0.1, np.r_[np.full(5000, 10.0)][:, None]
    chattering = published()[[PATTERNS.index("chattering")]]
    spikes = played(chattering, current, dt)[:, 0]
    found = kinds(describe(spikes, SILENT, SILENT, False, dt=dt, duration=500.0))
    assert found == ["chattering"]


def test_only_the_resonator_has_a_rhythm_of_its_own():
    """Its linearised period is 41 ms: 2 pi over the imaginary part of its eigenvalues."""
    a, b = 0.1, 0.26
    v = -(5 - b + np.sqrt((5 - b) ** 2 - 22.4)) / 0.08
    values = np.linalg.eigvals([[0.08 * v + 5, -1], [a * b, -a]])
    assert 2 * np.pi / abs(values[0].imag) == pytest.approx(41, abs=1.0)
    assert resonance(published(), 0.5) == [name == "resonator" for name in PATTERNS]


def test_shams_keep_what_they_should():
    claim = FiringPatterns()
    assert set(claim.arms) == {"published", "mixed", "one reset", "fine"}
    assert published().shape == (7, 4)
    assert len(np.unique(published(), axis=0)) == 7
