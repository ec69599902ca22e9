"""Responses and dissimilarities come out of files of every kind as they went in, or not at all."""

import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from neurula.formats.arrays import read_arrays
from neurula.formats.responses import read_responses

NAMES = tuple(f"s{k}" for k in range(6))


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(6, 4))


def saved_npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_npz_with_areas_subjects_names_and_folds(tmp_path, rows):
    arrays = {"V1/ann": rows, "V1/bob": 2 * rows, "IT": rows[:, :2]}
    path = saved_npz(tmp_path / "r.npz", stimuli=NAMES, folds=[1, 1, 1, 2, 2, 2], **arrays)
    found = read_responses(path)
    assert found.named
    assert not found.dissimilarities
    assert {k: [r.subject for r in v] for k, v in found.recordings.items()} == {
        "V1": ["ann", "bob"],
        "IT": [""],
    }
    one = found.recordings["V1"][1]
    np.testing.assert_array_equal(one.responses, 2 * rows)
    assert one.labels == {"stimulus": NAMES, "fold": ("1", "1", "1", "2", "2", "2")}


def test_symmetric_matrices_are_dissimilarities(tmp_path, rows):
    one, other = pdist(rows), pdist(rows, "cityblock")
    both = np.stack([squareform(one), squareform(other)])
    found = read_responses(saved_npz(tmp_path / "r.npz", stimuli=NAMES, IT=both))
    it = found.dissimilarities["IT"]
    assert it.stimuli == NAMES
    assert it.subjects == ("1", "2")
    np.testing.assert_allclose(it.values[:, 0], [one, other])


def test_npy_is_mapped_and_numbered(tmp_path, rows):
    np.save(tmp_path / "V4.npy", rows)
    found = read_responses(tmp_path / "V4.npy")
    assert not found.named
    assert isinstance(found.recordings["V4"][0].responses, np.memmap)


def test_csv_keeps_names_and_gaps(tmp_path):
    path = tmp_path / "V1.csv"
    path.write_text('stimulus,a,b\n"cat, big",1,2\ndog,,4\n')
    one = read_responses(path).recordings["V1"][0]
    assert one.labels["stimulus"] == ("cat, big", "dog")
    np.testing.assert_array_equal(one.responses, [[1, 2], [np.nan, 4]])


def test_maps_of_features_become_units_only_if_asked(tmp_path, rows):
    maps = rows.reshape(6, 2, 2)
    path = saved_npz(tmp_path / "m.npz", conv1=maps)
    with pytest.raises(ValueError, match=r"\(stimulus, unit\), but got the shape \(6, 2, 2\)"):
        read_responses(path)
    found = read_responses(path, flatten=True).recordings["conv1"][0]
    np.testing.assert_array_equal(found.responses, rows)


def test_matlab_structures_of_the_rsa_toolbox(tmp_path, rows):
    matrix = squareform(pdist(rows))
    kind = [("RDM", object), ("name", object)]
    structures = np.empty((1, 2, 2), dtype=kind)
    for k, who in enumerate(("AA", "BB")):
        for session in range(2):
            label = f"hIT | {who} | Session: {session + 1}"
            structures[0, k, session] = ((1 + k + 2 * session) * matrix, label)
    savemat(tmp_path / "r.mat", {"RDMs": structures})
    it = read_responses(tmp_path / "r.mat").dissimilarities["hIT"]
    assert it.subjects == ("AA", "BB")
    scales = it.values[:, :, 0] / matrix[0, 1]
    np.testing.assert_allclose(scales, [[1, 3], [2, 4]])


def test_newer_matlab_files_are_hdf5_with_axes_the_other_way(tmp_path, rows):
    import h5py

    path = tmp_path / "new.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["V1"] = rows.T
        file["V1"].attrs["MATLAB_class"] = np.bytes_("double")
        cells = file.create_dataset("stimuli", (6, 1), dtype=h5py.ref_dtype)
        for k, name in enumerate(NAMES):
            text = file.create_dataset(f"#refs#/{k}", data=np.array([[ord(x)] for x in name], "u2"))
            text.attrs["MATLAB_class"] = np.bytes_("char")
            cells[k, 0] = text.ref
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, made by a test".ljust(124) + b"\x00\x02IM")
    arrays = read_arrays(path)
    np.testing.assert_array_equal(arrays["V1"], rows)
    assert [str(arrays[f"stimuli/0/{k}"][0]) for k in range(6)] == list(NAMES)


def test_hdf5_groups_are_subjects(tmp_path, rows):
    import h5py

    with h5py.File(tmp_path / "r.h5", "w") as file:
        file["IT/ann"], file["stimuli"] = rows, [name.encode() for name in NAMES]
    one = read_responses(tmp_path / "r.h5").recordings["IT"][0]
    assert (one.subject, one.labels["stimulus"]) == ("ann", NAMES)


def test_what_rsatoolbox_writes(tmp_path, rows):
    rsatoolbox = pytest.importorskip("rsatoolbox")
    dataset = rsatoolbox.data.Dataset(rows, obs_descriptors={"stim": list(NAMES)})
    dataset.save(str(tmp_path / "V1.h5"))
    one = read_responses(tmp_path / "V1.h5").recordings["V1"][0]
    np.testing.assert_array_equal(one.responses, rows)
    assert one.labels["stimulus"] == NAMES
    rdms = rsatoolbox.rdm.calc_rdm([dataset, dataset], method="euclidean")
    rdms.save(str(tmp_path / "R.h5"))
    found = read_responses(tmp_path / "R.h5")
    assert found.named
    np.testing.assert_allclose(found.dissimilarities["R"].values[1, 0], rdms.dissimilarities[1])


def test_trials_of_nwb(tmp_path):
    import datetime

    pynwb = pytest.importorskip("pynwb")
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    file = pynwb.NWBFile("made up", "made-up", start)
    file.add_trial_column("stimulus", "what was shown")
    for begin, name in ((0.0, "cat"), (1.0, "dog"), (2.0, "cat")):
        file.add_trial(start_time=begin, stop_time=begin + 0.5, stimulus=name)
    file.add_unit(spike_times=[0.1, 0.2, 0.7, 1.1])
    file.add_unit(spike_times=[2.4])
    with pynwb.NWBHDF5IO(tmp_path / "V1.nwb", "w") as writer:
        writer.write(file)
    one = read_responses(tmp_path / "V1.nwb").recordings["V1"][0]
    np.testing.assert_allclose(one.responses, [[4, 0], [2, 0], [0, 2]])
    assert one.labels["stimulus"] == ("cat", "dog", "cat")


@pytest.fixture
def observatory(tmp_path):
    """A file as the Allen Brain Observatory makes them, with two tables and two areas."""
    import datetime

    pynwb = pytest.importorskip("pynwb")
    from pynwb.epoch import TimeIntervals

    file = pynwb.NWBFile("made up", "made-up", datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    probe = file.create_device(name="probe")
    group = file.create_electrode_group(
        name="probeA", description="made up", location="made up", device=probe
    )
    for number, area in ((850, "VISp"), (851, "LGd")):
        file.add_electrode(id=number, location=area, group=group)
    file.add_unit_column("peak_channel_id", "where it is largest")
    for channel, times in ((851, [0.1, 0.7]), (850, [0.6, 0.7]), (851, [1.1, 2.2, 2.3])):
        file.add_unit(spike_times=times, peak_channel_id=channel)
    scenes = TimeIntervals(name="natural_scenes_presentations", description="made up")
    for name in ("stimulus_name", "frame"):
        scenes.add_column(name=name, description="made up")
    for k, frame in enumerate((3.0, -1.0, 3.0)):
        scenes.add_row(start_time=k / 2, stop_time=(k + 1) / 2, stimulus_name="scenes", frame=frame)
    gratings = TimeIntervals(name="drifting_gratings_presentations", description="made up")
    for name in ("stimulus_name", "orientation", "temporal_frequency", "contrast"):
        gratings.add_column(name=name, description="made up")
    for k, (turn, tempo) in enumerate(((45.0, 2.0), (90.0, 4.0))):
        gratings.add_row(
            start_time=2.0 + k,
            stop_time=3.0 + k, stimulus_name="gratings",
            orientation=turn, temporal_frequency=tempo, contrast=0.8,
        )  # fmt: skip
    for table in (scenes, gratings):
        file.add_time_intervals(table)
    with pynwb.NWBHDF5IO(tmp_path / "o.nwb", "w") as writer:
        writer.write(file)
    return tmp_path / "o.nwb"


def test_presentations_and_areas_of_nwb(observatory):
    found = read_responses(f"{observatory}:natural_scenes_presentations").recordings
    (lgd,), (visp,) = found["LGd"], found["VISp"]
    np.testing.assert_allclose(lgd.responses, [[2, 0], [2, 0], [0, 2]])
    np.testing.assert_allclose(visp.responses, [[0], [4], [0]])
    assert lgd.labels["stimulus"] == ("3", "-1", "3")  # the name is the same everywhere
    found = read_responses(f"{observatory}:drifting_gratings_presentations").recordings
    assert found["LGd"][0].labels["stimulus"] == (
        "orientation 45, temporal_frequency 2",
        "orientation 90, temporal_frequency 4",
    )
    np.testing.assert_allclose(found["LGd"][0].responses, [[0, 2], [0, 0]])


def test_several_tables_of_nwb_are_not_guessed(observatory):
    message = "drifting_gratings_presentations, natural_scenes_presentations.*Say which: o.nwb:"
    with pytest.raises(ValueError, match=message):
        read_responses(observatory)
    with pytest.raises(ValueError, match=r"Expected the table 'movies' in .* but it has drifting"):
        read_responses(f"{observatory}:movies")


BAD = {
    "letters.txt": (b"x", "should be one of .npy, .npz"),
    "gone.npz": (None, "should be a file with responses, but does not exist"),
    "cut.npz": (b"PK\x03\x04 and then nothing", "should be a whole .npz file"),
    "cut.npy": (b"\x93NUMPY\x01\x00v\x00", "should be a whole .npy file"),
    "cut.mat": (b"MATLAB 5.0 MAT-file", "should be a whole .mat file"),
    "cut.h5": (b"\x89HDF\r\n\x1a\n", "should be a whole .h5 file"),
    "page.h5": (b"<html>", "should be a whole .h5 file.*error page"),
    "word.csv": (b"s,a\ncat,big\n", "a number in the line of 'cat', cell 2, but got 'big'"),
    "ragged.csv": (b"s,a\ncat,1,2\n", r"lines of equal length.*\[2, 3\] cells"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_say_what_is_wrong(name, tmp_path):
    content, message = BAD[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        read_responses(tmp_path / name)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"V1": np.ones((3, 2)) * 1j}, "Expected real numbers in 'V1'.*complex128"),
        ({"V1": np.array([{}], object)}, "arrays of objects.*running code"),
        ({"V1": np.ones((3, 2)), "stimuli": ["a"]}, "one stimulus for each row.*1 for 3 rows"),
        ({"stimuli": ["a"]}, "Expected in .* responses .* but found stimuli"),
        ({"V1": np.ones(5)}, r"\(stimulus, unit\), but got the shape \(5,\)"),
    ],
)
def test_bad_arrays_say_what_is_wrong(arrays, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_responses(saved_npz(tmp_path / "r.npz", **arrays))


@pytest.mark.parametrize("kind", ["r.npz", "r.csv", "r.h5", "r.mat"])
def test_what_would_not_fit_into_memory_is_refused_before_it_is_read(kind, tmp_path, monkeypatch):
    import h5py

    path = tmp_path / kind
    rows = np.ones((6, 4))
    if kind == "r.csv":
        path.write_text("s,a\ncat,1\n")
    elif kind == "r.h5":
        with h5py.File(path, "w") as file:
            file["V1"] = rows
    else:
        (savemat(path, {"V1": rows}) if kind == "r.mat" else np.savez(path, V1=rows))
    monkeypatch.setattr("neurula.free_memory.available", lambda: 10)
    with pytest.raises(MemoryError, match=rf"The arrays in .*{kind} need .* GiB are free"):
        read_responses(path)


def test_matrices_of_an_area_hold_the_same_stimuli(tmp_path, rows):
    arrays = {"IT/a": squareform(pdist(rows)), "IT/b": squareform(pdist(rows[:5]))}
    with pytest.raises(ValueError, match=r"sizes are \[5, 6\]"):
        read_responses(saved_npz(tmp_path / "r.npz", **arrays))
