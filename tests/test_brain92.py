"""The 92-image set of Kriegeskorte et al. (2008), Neuron 60:1126: published figures."""

import os
from pathlib import Path

import numpy as np
import pytest
from representations import THEIRS, every, named

from neurula.measures import noise_ceiling, similarity


def folder():
    found = os.environ.get("NEURULA_BRAIN92")
    if not found or not (Path(found) / "92_brainRDMs.mat").is_file():
        pytest.skip("NEURULA_BRAIN92 names no folder with the 92-image set (92_brainRDMs.mat)")
    return Path(found)


def human_it():
    from scipy.io import loadmat

    cells = loadmat(folder() / "92_brainRDMs.mat", squeeze_me=True)["RDMs"]
    upper = np.triu_indices(92, 1)
    return named(
        np.array([[cells[s, k]["RDM"][upper].astype(float) for k in range(2)] for s in range(4)]),
        "human",
    )


def test_monkeys_and_humans_as_published():
    """Kriegeskorte et al. (2008), Neuron 60:1126: r = 0.49."""
    from scipy.io import loadmat

    file = folder() / "Kriegeskorte_Neuron2008_supplementalData.mat"
    both = loadmat(file, squeeze_me=True)["RDMs_mIT_hIT_fig1"]
    monkey, human = (named(each.astype(float)[None], "IT") for each in both["RDM"])
    found = similarity(monkey, human, "correlation").values[0, 0]
    assert found == pytest.approx(0.4912, abs=5e-5)


def test_ceiling_of_human_it_as_known():
    lower, upper = noise_ceiling(human_it(), "spearman")
    assert lower == pytest.approx(0.38, abs=0.005)
    assert upper == pytest.approx(0.67, abs=0.005)


@every
def test_the_example_of_rsatoolbox_gives_the_same(comparison, toolbox):
    """Its demonstration: eight model matrices and human IT."""
    from scipy.io import loadmat

    cells = loadmat(folder() / "92_modelRDMs.mat", squeeze_me=True)["Models"]
    models = np.stack([each["RDM"][np.triu_indices(92, 1)] for each in cells]).astype(float)
    brain = human_it().values.mean(1)
    found = similarity(named(models, "m"), named(brain, "human"), comparison)
    expected = toolbox.rdm.compare(models, brain, THEIRS[comparison])
    np.testing.assert_allclose(found.values, expected, atol=1e-10)
