"""The pieces of the experiment: trials, answers, matched rates, who hears whom."""

import jax
import numpy as np
import pytest

from neurula.claims.column_laminar import READERS, STREAMS, TASKS, ColumnLaminar, readers, streams
from neurula.wirings import column, rewired

SMALL = ColumnLaminar(cells=100, trials=60)


def test_answers_are_those_of_the_last_two_segments_and_of_the_free_stretch():
    played = SMALL.play(np.random.default_rng(0))
    assert played.stimuli.shape == ((60 * 5 + 60) * 60, 80)
    assert len(played.answers) == len(TASKS)
    now, before, mixed = played.answers[:2], played.answers[2:4], played.answers[4]
    np.testing.assert_array_equal(mixed, now[0] != now[1])
    # Trials with the same templates in their last segment look alike in it, others do not.
    ends = (played.times[:60] / SMALL.dt).astype(int)
    for answer, back in ((now, 0), (before, 60)):
        last = np.stack([played.stimuli[end - back - 60 : end - back] for end in ends])
        for stream in range(2):
            seen = last[:, :, 40 * stream : 40 * (stream + 1)].sum(1)
            means = [seen[answer[stream] == value].mean(0) for value in (False, True)]
            for value in (False, True):
                assert np.all(seen[answer[stream] == value] == means[value])
            assert not np.array_equal(*means)
    free = played.stimuli[60 * 5 * 60 :].reshape(60, 60, 80).sum((1, 2))
    usual = np.median(free[:30])
    np.testing.assert_array_equal(played.answers[5], free > usual)
    assert played.times[-1] == pytest.approx(len(played.stimuli) * SMALL.dt)


def test_streams_and_readouts_hear_the_same_cells_in_every_arm():
    laminar = column(cells=280, seed=0)
    fibres = streams(laminar, 5)
    for name, (port, _) in STREAMS.items():
        reached = np.unique(laminar.kind[np.asarray(fibres[name].wiring.target)])
        assert {laminar.table.names[i] for i in reached} == set(laminar.table.arrives[port])
    null = rewired(laminar, "unspecific", seed=1)
    np.testing.assert_array_equal(null.kind, laminar.kind)
    heard = list(readers(laminar, np.random.default_rng(0)))
    for name, cells in zip(READERS, heard, strict=True):
        row = laminar.table.probability[laminar.table.names.index(name)]
        expected = (row * laminar.table.sizes(280)).sum()
        assert cells.sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))
        silent = row[laminar.kind] == 0
        assert not cells[silent].any()


@pytest.mark.slow
@pytest.mark.parametrize("arm", ColumnLaminar.arms)
def test_rates_are_matched(arm):
    outcome = ColumnLaminar(trials=200).run(arm, {}, key=jax.random.key(1002))
    assert float(outcome.kept["rate"]) == pytest.approx(24, rel=0.1)
    assert outcome.kept["kappa"].shape == (len(READERS), len(TASKS))
