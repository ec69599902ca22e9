"""What each command of the command line takes. Nothing heavy is imported here."""

import dataclasses
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, arg, create_mutex_group

_Budget = create_mutex_group(required=False, title="budget: how much time to spend, quick if none")


def _number(least: int, default: str) -> tuple[Any, Any]:
    """An optional whole number, and the words for its default."""

    def parse(words: list[str]) -> int:
        if not words[0].isdecimal() or int(words[0]) < least:
            raise ValueError(f"expected a whole number of at least {least}, got {words[0]!r}")
        return int(words[0])

    spec = tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="N",
        instance_from_str=parse,
        is_instance=lambda value: value is None or isinstance(value, int),
        str_from_instance=lambda value: [str(value)],
    )
    return spec, arg(help_behavior_hint=f"(default: {default})")


_Seeds = Annotated[int | None, *_number(2, "the budget's")]
_Workers = Annotated[int | None, *_number(1, "one per core; on a GPU, none but this process")]
_Folder = Annotated[
    str | None,
    arg(metavar="DIR", help_behavior_hint="(default: NEURULA_RESULTS, or a user folder)"),
]


@dataclasses.dataclass
class Run:
    """Judge claims on this computer: the tour, or those that are named.

    What was finished before is not computed again, so a run that was stopped goes on. When one
    claim is named, its settings are flags too; they stand behind it. A run with changed settings
    is a variant: kept and shown apart.

    For example:

    neurula run

    neurula run feedback-alignment free-graph --full

    neurula run feedback-alignment --width 32

    neurula run my_claims.py:MyClaim
    """

    claims: Annotated[Positional[tuple[str, ...]], arg(metavar="[CLAIM ...]")] = ()
    """Ids, package.module:Class or path/to/file.py[:Class]. None: the tour."""
    all: bool = False
    """Every claim that comes with neurula."""
    smoke: Annotated[bool, _Budget] = False
    """Seconds: tries the machinery, proves nothing."""
    quick: Annotated[bool, _Budget] = False
    """1 to 5 minutes a claim."""
    full: Annotated[bool, _Budget] = False
    """30 to 60 minutes a claim; seeds are doubled once if they do not decide."""
    seeds: _Seeds = None
    """How many seeds every arm gets."""
    tune: bool = False
    """Search hyper-parameters anew instead of using the frozen ones."""
    fresh: bool = False
    """Compute again what is already there."""
    workers: _Workers = None
    """How many processes work at once."""
    results: _Folder = None
    """Where results are kept."""
    open: bool = False
    """Open the report in a browser."""
    json: bool = False
    """One JSON document on standard output, nothing else there."""


@dataclasses.dataclass
class List:
    """List all claims with their last rulings.

    For example: neurula list --json
    """

    json: bool = False
    """One JSON document."""
    results: _Folder = None
    """Where results are kept."""


@dataclasses.dataclass
class Show:
    """Show the whole card of a claim.

    For example: neurula show feedback-alignment
    """

    claim: Annotated[Positional[str], arg(metavar="CLAIM")]
    """An id, package.module:Class or path/to/file.py[:Class]."""
    results: _Folder = None
    """Where results are kept."""


@dataclasses.dataclass
class Report:
    """Write one page with all rulings.

    For example: neurula report --shipped --open
    """

    shipped: bool = False
    """The rulings of our own runs, which come with neurula, instead of yours."""
    open: bool = False
    """Open it in a browser."""
    results: _Folder = None
    """Where results are kept."""


@dataclasses.dataclass
class Compare:
    """Score a model against brain recordings: how alike, how sure, and what that allows to say.

    MODEL is a file of responses or dissimilarities (.npz, .npy, .csv, .h5, .mat, .nwb), a Python
    function from stimuli to activations, or an ONNX file. BRAIN is such a file.

    For example:

    neurula compare layers.npz brain.npz

    neurula compare my_model.py:features brain.mat --stimuli images.npz
    """

    model: Annotated[Positional[str], arg(metavar="MODEL")]
    """A file, package.module:function, path/to/file.py:function or a .onnx file."""
    brain: Annotated[Positional[str], arg(metavar="BRAIN")]
    """A file: areas by name, "area/subject" for several subjects, "area/subject/session" too."""
    measure: Literal["rsa", "cka", "regression", "layers"] = "rsa"
    """rsa: dissimilarities; cka: kernels; regression: every unit predicted on held-out stimuli;
    layers: rsa, and whether the layers come in the order of the areas."""
    regression: Literal["ridge", "pls"] = "ridge"
    """Ridge regression, or partial least squares with 25 components."""
    dissimilarity: Literal["correlation", "euclidean", "cosine", "mahalanobis", "crossnobis"] = (
        "correlation"
    )
    """How far apart two patterns of responses are."""
    comparison: Literal[
        "rho-a", "spearman", "tau-a", "correlation", "cosine", "whitened correlation",
        "whitened cosine",
    ] = "rho-a"  # fmt: skip
    """How alike two sets of dissimilarities are."""
    sessions: Literal["repeats", "units"] | None = None
    """What several sessions of a subject hold, for cka and regression: repeats of the same units,
    or other units. rsa and layers average their dissimilarities."""
    stimuli: Annotated[str | None, arg(metavar="FILE")] = None
    """What was shown: for functions and ONNX files, and for the controls made of pixels."""
    untrained: Annotated[str | None, arg(metavar="MODEL")] = None
    """The same network before it learned anything, as a control."""
    layers: Annotated[tuple[str, ...], arg(metavar="LAYER")] = ()
    """Layers of the model, by name. None: all."""
    areas: Annotated[tuple[str, ...], arg(metavar="AREA")] = ()
    """Areas of the brain, by name and in their order. None: all."""
    common: bool = False
    """Leave out stimuli that not all have, instead of refusing."""
    resamples: Annotated[int, *_number(10, "1000")] = 1000
    """Of the bootstrap over stimuli and subjects."""
    shuffles: Annotated[int | None, *_number(10, "200; 39 for regression")] = None
    """Of the names of the stimuli, for the chance level."""
    seed: Annotated[int, *_number(0, "0")] = 0
    """Of both."""
    page: Annotated[str | None, arg(metavar="FILE")] = None
    """Where the page goes; by default into the folder of results."""
    open: bool = False
    """Open the page in a browser."""
    json: bool = False
    """One JSON document on standard output, nothing else there."""


@dataclasses.dataclass
class Data:
    """List data sets, get one, or print where it lies.

    For example:

    neurula data get NAME

    neurula data get NAME --from FOLDER
    """

    action: Positional[Literal["list", "get", "path"]]
    """What to do."""
    name: Annotated[Positional[str | None], arg(metavar="[NAME]")] = None
    """A data set; see: neurula data list"""
    source: Annotated[str | None, arg(name="from", metavar="FOLDER")] = None
    """Where get finds the files of the set, instead of downloading them."""


@dataclasses.dataclass
class Doctor:
    """Check this computer and this installation, in 30 seconds at most.

    For example: neurula doctor --json
    """

    json: bool = False
    """One JSON document."""
    results: _Folder = None
    """Where results are kept."""
