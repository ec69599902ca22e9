"""NWB files: what goes in comes out, in seconds inside; the inspector agrees; errors say what."""

import datetime
import sys

import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.extras import needed
from neurula.simulation import Spikes

pynwb = pytest.importorskip("pynwb", reason="the extra `nwb` is not installed")
SUBJECT = {"subject_id": "m1", "species": "Mus musculus", "sex": "F", "age": "P90D"}


def walked(cells=5, seconds=20.0, rate=8.0, seed=0):
    """Spikes at random of two populations, the last cell silent, and where the animal was."""
    rng = np.random.default_rng(seed)
    spikes = {}
    for name in ("place", "grid"):
        count = rng.poisson(rate * seconds * (cells - 1))
        times = np.sort(rng.uniform(0, 1000 * seconds, count))
        spikes[name] = Spikes(times, rng.integers(0, cells - 1, count))
    place = nl.Series(rng.normal(size=(500, 2)), np.arange(500) * 1000 * seconds / 500, "meters")
    licks = nl.Series(rng.normal(size=40), np.sort(rng.uniform(0, 1000 * seconds, 40)), "a.u.")
    sizes = dict.fromkeys(spikes, cells)
    return nl.Recorded(spikes, sizes, {}, 1000 * seconds, 0.1), {"position": place, "licks": licks}


def assert_equal(one, other):
    assert one.sizes == other.sizes
    assert one.duration == pytest.approx(other.duration)
    for name, spikes in one.spikes.items():
        np.testing.assert_allclose(spikes.times, other.spikes[name].times, rtol=1e-12)
        np.testing.assert_array_equal(spikes.cells, other.spikes[name].cells)


def worst(path):
    """What the inspector finds that is more than a suggestion."""
    from nwbinspector import Importance, inspect_nwbfile

    found = inspect_nwbfile(nwbfile_path=str(path))
    least = Importance.BEST_PRACTICE_VIOLATION.value
    return [m.check_function_name for m in found if m.importance.value >= least]


# The packages themselves warn about each other.
@pytest.mark.filterwarnings("default")
def test_spikes_and_behaviour_go_to_nwb_and_back_and_the_inspector_agrees(tmp_path):
    data, series = walked()
    path = nl.to_nwb(data, tmp_path / "walk.nwb", series=series, subject=SUBJECT)
    assert worst(path) == []
    back = nl.from_nwb(path)
    assert_equal(back, data)
    assert back.dt == pytest.approx(0.1)
    for name, each in series.items():
        np.testing.assert_allclose(back.series[name].values, each.values)
        np.testing.assert_allclose(back.series[name].times, each.times, atol=1e-6)
        assert back.series[name].unit == each.unit
    again = nl.from_nwb(nl.to_nwb(back, tmp_path / "again.nwb"), series=["licks"])
    assert_equal(again, data)
    assert list(again.series) == ["licks"]


def test_inside_times_are_seconds_and_positions_are_where_pynwb_looks(tmp_path):
    data, series = walked()
    path = nl.to_nwb(data, tmp_path / "walk.nwb", series=series)
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        table = file.units.to_dataframe()
        mine = table[(table.population == "grid") & (table.cell == 2)]
        spikes = data.spikes["grid"]
        np.testing.assert_allclose(mine.spike_times.iloc[0] * 1000, spikes.times[spikes.cells == 2])
        assert len(table) == 10  # silent cells too
        place = file.processing["behavior"]["Position"]["position"]
        assert place.rate == pytest.approx(25.0)


@pytest.mark.filterwarnings("default")
def test_a_simulation_is_written_whole(tmp_path):
    cells = nl.Population(6, nl.neurons.LIF(tau=10.0))
    network = nl.Network({"cells": cells}, [], senses=["cells"], voices=["cells"], dt=0.5)
    stimuli = np.linspace(0.0, 3.0, 6, dtype=np.float32) * np.ones((400, 1), np.float32)
    lived = nl.simulate(network, stimuli, watch={"cells": [1, 5]}, engine="jax")
    path = nl.to_nwb(lived, tmp_path / "lived.nwb")
    assert worst(path) == ["check_subject_exists"]  # nobody was hurt
    back = nl.from_nwb(path)
    assert back.duration == pytest.approx(200.0)
    for name, spikes in lived.spikes.items():
        for cell in range(6):
            mine = [x.times[x.cells == cell] for x in (spikes, back.spikes[name])]
            np.testing.assert_allclose(*mine)
    np.testing.assert_allclose(back.series["cells traces"].values, lived.traces["cells"])
    counted = [x.recording("cells", bin_width=20.0).responses for x in (lived, back)]
    np.testing.assert_array_equal(*counted)


def test_a_recording_needs_the_time_between_samples(tmp_path):
    calcium = nl.Recording(jnp.arange(12.0).reshape(4, 3), "calcium")
    back = nl.from_nwb(nl.to_nwb(calcium, tmp_path / "c.nwb", dt=33.0)).series["calcium"]
    np.testing.assert_allclose(back.values, calcium.responses)
    np.testing.assert_allclose(back.times, [33, 66, 99, 132])
    with pytest.raises(ValueError, match=r"got dt=None: NWB needs a time.*dt=10\.0"):
        nl.to_nwb(calcium, tmp_path / "c.nwb")
    labelled = nl.Recording(calcium.responses, "calcium", labels={"x": (1, 2, 3, 4)})
    with pytest.raises(ValueError, match=r"has labels \['x'\].*they would be lost"):
        nl.to_nwb(labelled, tmp_path / "c.nwb", dt=33.0)


def foreign(path, trains, *, factor=1.0, **series):
    """A file as another laboratory would write it; `series` are values by name, at 50 Hz."""
    now = datetime.datetime.now(datetime.UTC)
    file = pynwb.NWBFile("theirs", "1", now)
    for train in trains:
        file.add_unit(spike_times=np.asarray(train) * factor)
    for name, values in series.items():
        file.add_acquisition(
            pynwb.TimeSeries(
                name=name, data=values, unit="volts", rate=50.0, conversion=1e-3, offset=2.0
            )
        )
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def poisson(rate=5.0, seconds=60.0, cells=3):
    rng = np.random.default_rng(1)
    return [np.sort(rng.uniform(0, seconds, int(rate * seconds))) for _ in range(cells)]


def test_silence_is_kept(tmp_path):
    nothing = Spikes(np.zeros(0), np.zeros(0, np.int64))
    data = nl.Recorded({"a": nothing}, {"a": 4}, {}, 50.0, 0.1)
    back = nl.from_nwb(nl.to_nwb(data, tmp_path / "x.nwb"))
    assert_equal(back, data)
    assert back.recording("a").responses.shape == (5, 4)


def test_files_of_others_are_read_in_their_units(tmp_path):
    trains = poisson()
    back = nl.from_nwb(foreign(tmp_path / "x.nwb", trains, pupil=np.arange(3000)))
    assert back.sizes == {"units": 3}
    assert back.dt is None
    spikes = back.spikes["units"]
    np.testing.assert_allclose(spikes.times[spikes.cells == 1], trains[1] * 1000)
    np.testing.assert_allclose(back.series["pupil"].values, np.arange(3000) * 1e-3 + 2)
    np.testing.assert_allclose(back.series["pupil"].times, np.arange(3000) * 20.0)
    with pytest.raises(ValueError, match=r"has the time series \['pupil'\], but got \['paw'\]"):
        nl.from_nwb(tmp_path / "x.nwb", series=["paw"])


def test_milliseconds_are_noticed_by_three_signs(tmp_path):
    there = tmp_path / "ms.nwb"
    foreign(there, poisson(seconds=300.0), factor=1000.0)
    with pytest.raises(
        ValueError, match=r"of 4497 intervals the mean is 199.* s \(0\.005\d* spike"
    ):
        nl.from_nwb(there)
    assert nl.from_nwb(there, trust=True).duration == pytest.approx(3e8, rel=0.01)
    foreign(there, poisson(cells=1, rate=1.0), factor=1000.0, pupil=np.zeros(3000))
    with pytest.raises(ValueError, match=r"spikes end at .*'pupil' at 59\.98 s, (9|10)\d\d times"):
        nl.from_nwb(there)
    foreign(there, [[0.0, 700.0]], factor=1000.0)
    with pytest.raises(
        ValueError, match=r"at most 604800 s \(7 days\), but the spikes end at 7000"
    ):
        nl.from_nwb(there)
    slow = foreign(there, poisson(rate=0.5, seconds=400.0))  # slow, but seconds
    assert nl.from_nwb(slow).sizes == {"units": 3}


def test_spike_times_out_of_order_are_refused_in_and_out(tmp_path):
    there = foreign(tmp_path / "x.nwb", [[0.1, 0.2], [0.3, 0.9, 0.5]])
    with pytest.raises(ValueError, match=r"unit 1 do not: spikes 1 and 2 of 3 are at 0\.9, 0\.5 s"):
        nl.from_nwb(there)
    wrong = Spikes(np.array([5.0, 3.0]), np.array([0, 0]))
    data = nl.Recorded({"a": wrong}, {"a": 1}, {}, 10.0)
    with pytest.raises(ValueError, match=r"a: the spike times of a cell ascend.*np\.sort"):
        nl.to_nwb(data, tmp_path / "new.nwb")
    data = nl.Recorded({"a": Spikes(np.array([5.0]), np.array([3]))}, {"a": 1}, {}, 10.0)
    with pytest.raises(ValueError, match=r"numbered from 0 to 0, but spikes are of cells 3 to 3"):
        nl.to_nwb(data, tmp_path / "new.nwb")
    assert not list(tmp_path.glob("new*"))


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ({"x": nl.Series(np.zeros(3), np.zeros(2), "m")}, "has 3 rows and 2 times"),
        ({"x": nl.Series(np.zeros(2), np.array([2.0, 1.0]), "m")}, "of the 2 times of 'x' 1 come"),
        ({"a/b": nl.Series(np.zeros(2), np.arange(2.0), "m")}, "'a/b'.*Call it 'a b'"),
    ],
)
def test_impossible_series_are_refused(series, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        nl.to_nwb(walked()[0], tmp_path / "x.nwb", series=series)


def test_what_is_no_nwb_file_is_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    with pytest.raises(FileNotFoundError, match=r"none\.nwb should be a file, but there is none"):
        nl.from_nwb(tmp_path / "none.nwb")
    with pytest.raises(ValueError, match="but is a folder"):
        nl.from_nwb(tmp_path)
    page = tmp_path / "page.nwb"
    page.write_text("<html>404</html>")
    with pytest.raises(ValueError, match=r"its 16 bytes begin with b'<html>40'.*error page"):
        nl.from_nwb(page)
    whole = foreign(tmp_path / "whole.nwb", poisson()).read_bytes()
    for share in (0.05, 0.5, 0.99):
        page.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ValueError, match=r"cannot be read .*cut off or damaged"):
            nl.from_nwb(page)
    with h5py.File(page, "w") as file:
        file["x"] = 1
    with pytest.raises(ValueError, match="HDF5 file without `nwb_version`"):
        nl.from_nwb(page)


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(ImportError, match=r"'pynwb', which is not installed.*neurula\[nwb\]"):
        needed("pynwb", "nwb")
