"""How people's and monkeys' visual cortex tells 92 objects apart, with the pictures of them.

Kriegeskorte, Mur, Ruff, Kiani, Bodurka, Esteky, Tanaka & Bandettini 2008, Matching categorical
object representations in inferior temporal cortex of man and monkey, Neuron 60, 1126-1141.
"""

import io
from typing import Any

import numpy as np

from .dataset import DataSet, Files
from .repositories import Repository

# What the pictures show, in the order of the files, which name their categories only.
_SHOWN = """
hand,ear,grasping hand,cook,back of a head,dancer,person standing,snapping fingers,eye,
person from behind,pointing finger,fist,
face 1,face 2,face 3,face 4,face 5,face 6,face 7,face 8,face 9,face 10,face 11,face 12,
armadillo,camel,green snake,wolf,walking monkey,ostrich,striped snake,zebra,elephant,
sitting monkey,sheep,frog,
cow,goat,monkey in profile,chimpanzee,German shepherd,Great Dane,baboon,macaque,crocodile,
giraffe,lion,young monkey,
carrots,grapes,potato,bush,chilli,lettuce,kiwi,courgette,leaf,apple core,radish,aubergine,
lake,pine cone,banana,tomato,garlic,country road,tree,pineapple,pear,red pepper,palms,
skyline,baby bottle,light bulb,roundabout sign,cassette,church,flag,key,pliers,arch,door,
hammer,chair,pistol,brick house,dome,umbrella,telephone,bungalow,stove,straight on forbidden
"""
_MODELS = {  # the names in the file, and ours
    "V1": "V1",
    "HMAX": "HMAX",
    "Silhouette": "silhouette",
    "RADON": "Radon transform",
    "animacy": "animacy",
    "FaceBodyManmadeNatobj": "faces, bodies, artificial, natural",
}


def _pairs(matrix: np.ndarray) -> np.ndarray:
    """The upper triangle, row by row."""
    return matrix[np.triu_indices(len(matrix), 1)].astype(np.float64)


def _read(files: Files) -> dict[str, np.ndarray]:
    from scipy.io import loadmat

    brains, models, paper = (loadmat(io.BytesIO(content)) for content in files.values())
    people = np.atleast_3d(brains["RDMs"])[0]  # (subject, session)
    known = {_name(each["name"]): _pairs(each["RDM"]) for each in models["Models"][0]}
    stimuli = paper["stimuli_92objs"][0]
    shown = [word.strip() for word in _SHOWN.replace("\n", "").split(",")][: len(stimuli)]
    return {
        "images": np.stack([each["image"] for each in stimuli]),
        "names": np.array([f"{k:02d} {word}" for k, word in enumerate(shown, 1)]),
        "categories": np.array([_name(each["category"]) for each in stimuli]),
        "human_it": np.array([[_pairs(each["RDM"]) for each in person] for person in people]),
        "human_it_subjects": np.array([_name(who[0]["name"]).split(" | ")[1] for who in people]),
        "human_it_paper": paper["RDMs_mIT_hIT_fig1"][0, 1]["RDM"].ravel(),
        "monkey_it": known["monkeyIT"],
        "early_visual": known["EVA"],
        "models": np.stack([known[name] for name in _MODELS]),
        "model_names": np.array(list(_MODELS.values())),
    }


def _name(words: Any) -> str:
    return str(np.ravel(words)[0])


BRAIN92 = DataSet(
    name="brain92",
    holds="images (92, 175, 175, 3), red, green and blue from 0 to 255 on grey; names, "
    "categories (92,). Dissimilarities, 1 - Pearson's r of response patterns, of all 4186 pairs: "
    "human_it (4 human_it_subjects, 2 sessions, 4186), human_it_paper (4186,) their mean as "
    "published, monkey_it (4186,) of 674 cells, early_visual (4186,) of a group of people; models "
    "(6 model_names, 4186)",
    citation="Kriegeskorte, Mur, Ruff, Kiani, Bodurka, Esteky, Tanaka & Bandettini 2008, Matching "
    "categorical object representations in inferior temporal cortex of man and monkey, Neuron 60, "
    "1126-1141, doi 10.1016/j.neuron.2008.10.043",
    licence="MIT (the repository); the data are those of Kriegeskorte et al. 2008: cite them",
    package=Repository(
        "rsagroup/rsatoolbox", "f1f83cadb7243492a1aae7460466e0f0140b20ac", "demos/92imageData"
    ),
    files=(
        "92_brainRDMs.mat",
        "92_modelRDMs.mat",
        "Kriegeskorte_Neuron2008_supplementalData.mat",
    ),
    checksum="54f343e7682e3f308466767ea129d571cf490324d7b1936634f577af7a4c12bb",
    size=4_161_446,
    read=_read,
)
