"""The 92 objects: read as published where they are here; a small stand-in where they are not."""

import dataclasses
import hashlib
import itertools
from pathlib import Path

import numpy as np
import pytest
from real_data import real
from representations import THEIRS, every
from scipy.io import savemat
from scipy.spatial.distance import squareform

from neurula import data
from neurula.brains import brain92
from neurula.cli import main
from neurula.contracts import Dissimilarities
from neurula.data import BRAIN92
from neurula.data.repositories import Repository
from neurula.measures import noise_ceiling, similarity

OBJECTS = 6
PAIRS = OBJECTS * (OBJECTS - 1) // 2


def matrix(number):
    """A known matrix of dissimilarities: pair k has number + k / 100."""
    return squareform(number + np.arange(PAIRS) / 100)


def records(fields, rows):
    """What MATLAB calls a struct array, (1, row)."""
    found = np.zeros((1, len(rows)), dtype=[(field, object) for field in fields])
    for k, row in enumerate(rows):
        found[0, k] = row
    return found


@pytest.fixture
def folder(tmp_path):
    """The three files, with six objects."""
    place = tmp_path / "files"
    place.mkdir()
    people = itertools.product(("BE", "KO", "SN", "TI"), (1, 2))
    rows = [(f"hIT | {who} | Session: {k}", matrix(10 * i)) for i, (who, k) in enumerate(people)]
    brains = records(("name", "RDM"), rows).reshape(1, 4, 2)
    names = "animacy", "FaceBodyManmadeNatobj", "monkeyIT", "EVA", "HMAX", "V1", "Silhouette"
    models = [(name, matrix(100 + k)) for k, name in enumerate((*names, "RADON"))]
    image = np.arange(5 * 5 * 3, dtype=np.uint8).reshape(5, 5, 3)
    stimuli = [(f"category {k % 2}", image + k) for k in range(OBJECTS)]
    published = [("mIT", np.zeros((1, PAIRS))), ("hIT", np.arange(PAIRS)[None] * 1.0)]
    savemat(place / BRAIN92.files[0], {"RDMs": brains})
    savemat(place / BRAIN92.files[1], {"Models": records(("name", "RDM"), models)})
    about = {
        "stimuli_92objs": records(("category", "image"), stimuli),
        "RDMs_mIT_hIT_fig1": records(("name", "RDM"), published),
    }
    savemat(place / BRAIN92.files[2], about)
    return place


@pytest.fixture
def small(folder, tmp_path, monkeypatch):
    """The shelf's set, but with six objects; the store is empty."""
    content = b"".join((folder / name).read_bytes() for name in BRAIN92.files)
    checksum = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(data, "BRAIN92", dataclasses.replace(BRAIN92, checksum=checksum))
    monkeypatch.setenv("NEURULA_DATA", str(tmp_path / "cache"))
    return folder


def check(arrays):
    assert arrays["images"].shape == (OBJECTS, 5, 5, 3)
    assert arrays["images"][3, 0, 0].tolist() == [3, 4, 5]
    assert arrays["names"].tolist()[:2] == ["01 hand", "02 ear"]
    assert arrays["categories"].tolist()[:2] == ["category 0", "category 1"]
    steps = np.arange(PAIRS) / 100
    human = 10 * np.arange(8.0).reshape(4, 2, 1) + steps
    np.testing.assert_allclose(arrays["human_it"], human)
    assert arrays["human_it_subjects"].tolist() == ["BE", "KO", "SN", "TI"]
    np.testing.assert_allclose(arrays["monkey_it"], 102 + steps)
    np.testing.assert_allclose(arrays["early_visual"], 103 + steps)
    assert arrays["model_names"].tolist()[:2] == ["V1", "HMAX"]
    np.testing.assert_allclose(arrays["models"][0], 105 + steps)
    np.testing.assert_allclose(arrays["human_it_paper"], np.arange(PAIRS))


def test_from_a_folder(small):
    data.get("brain92", small)
    check(data.load("brain92"))


def test_from_a_folder_on_the_command_line(small, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["data", "get", "brain92", "--from", str(small)])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == str(data.path("brain92"))
    check(data.load("brain92"))


def test_from_comes_after_get_alone(small, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["data", "path", "brain92", "--from", str(small)])
    assert stop.value.code == 2
    assert "Write: neurula data get brain92 --from" in capsys.readouterr().err


def test_download(small, monkeypatch):
    monkeypatch.setattr(Repository, "address", lambda _, name: (small / name).as_uri())
    data.get("brain92")
    check(data.load("brain92"))


def test_addresses_are_pinned():
    package = BRAIN92.package
    assert package.address("a.mat") == (
        "https://raw.githubusercontent.com/rsagroup/rsatoolbox/"
        f"{package.commit}/demos/92imageData/a.mat"
    )
    assert len(package.commit) == 40
    assert package.page.startswith("https://github.com/rsagroup/rsatoolbox/tree/")


def test_without_a_network(small, monkeypatch, tmp_path):
    monkeypatch.setattr(Repository, "address", lambda _, name: Path("/nowhere", name).as_uri())
    with pytest.raises(OSError, match=r"downloading 92_brainRDMs.mat failed.*--from FOLDER"):
        data.get("brain92")
    assert not list((tmp_path / "cache").iterdir())
    assert not data.available("brain92")
    with pytest.raises(FileNotFoundError, match=r"rsagroup/rsatoolbox.*neurula data get brain92"):
        brain92()


def test_other_files_are_refused(small, tmp_path):
    (small / BRAIN92.files[1]).write_bytes(b"other")
    with pytest.raises(ValueError, match=r"nothing was kept. Compare the files in .*files with"):
        data.get("brain92", small)
    (small / BRAIN92.files[2]).unlink()
    with pytest.raises(FileNotFoundError, match=r"made of 3 files, and Krieg.* is not in .*files"):
        data.get("brain92", small)
    assert not list((tmp_path / "cache").iterdir())


def test_as_dissimilarities(small):
    data.get("brain92", small)
    areas = brain92()
    human = areas["human IT"]
    assert human.values.shape == (4, 2, PAIRS)
    assert human.subjects == ("BE", "KO", "SN", "TI")
    assert human.stimuli[5] == "06 dancer"
    assert areas["models"].subjects[-1] == "faces, bodies, artificial, natural"
    for area in ("monkey IT", "early visual"):
        assert areas[area].values.shape == (1, 1, PAIRS)


def test_the_real_objects():
    arrays = real("brain92")
    assert arrays["images"].shape == (92, 175, 175, 3)
    assert arrays["images"].dtype == np.uint8
    assert len(set(arrays["names"])) == 92
    found, counts = np.unique(arrays["categories"], return_counts=True)
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == {
        "artificial inanimate": 21, "human bodypart": 12, "human face": 12,
        "natural inanimate": 23, "nonhuman bodypart": 12, "nonhuman face": 12,
    }  # fmt: skip
    first_artificial = arrays["names"][arrays["categories"] == "artificial inanimate"][0]
    assert first_artificial == "72 skyline"
    faces = arrays["names"][arrays["categories"] == "human face"]
    assert [name.split(" ")[1] for name in faces] == ["face"] * 12


def test_published_correlation():
    """The paper's r = 0.49 between the inferior temporal cortex of monkey and man."""
    arrays = real("brain92")
    assert np.corrcoef(arrays["monkey_it"], arrays["human_it_paper"])[0, 1] == pytest.approx(
        0.4912, abs=5e-5
    )


@pytest.mark.slow
def test_known_facts():
    """Found by another program before: ceilings, sessions, models."""
    areas = brain92(real("brain92"))
    low, high = noise_ceiling(areas["human IT"], "spearman")
    assert (round(low, 2), round(high, 2)) == (0.38, 0.67)
    people = areas["human IT"]
    for k, again in enumerate((0.28, 0.10, 0.38, 0.12)):
        one, other = (
            dataclasses.replace(people, values=people.values[k : k + 1, s : s + 1],
                                subjects=people.subjects[k : k + 1])
            for s in (0, 1)
        )  # fmt: skip
        found = similarity(one, other, "spearman").values.item()
        assert found == pytest.approx(again, abs=0.005)
    models = similarity(areas["models"], areas["early visual"], "spearman")
    by_name = dict(zip(models.first, models.values[:, 0], strict=True))
    assert by_name["silhouette"] == pytest.approx(0.29, abs=0.005)
    assert by_name["V1"] == pytest.approx(-0.14, abs=0.005)


@every
def test_the_example_of_rsatoolbox_gives_the_same(comparison, toolbox):
    """Its demonstration: eight model matrices and human IT."""
    found = brain92(real("brain92"))
    models, human = found["models"], found["human IT"]
    values = models.values[:, 0], human.values.mean(1)
    brain = Dissimilarities(values[1][:, None], human.stimuli, human.subjects)
    expected = toolbox.rdm.compare(*values, THEIRS[comparison])
    np.testing.assert_allclose(similarity(models, brain, comparison).values, expected, atol=1e-10)
