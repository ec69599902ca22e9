"""Representational similarity against rsatoolbox: the same draws and the same numbers first.

pip install rsatoolbox==0.3.2. Its bootstraps take up to an hour, so that their times are those of
20 resamples, times 50; ours are of all 1,000. Both include the noise ceilings.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import warnings
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from neurula import Dissimilarities, Recording
from neurula.measures import dissimilarities, score_models
from neurula.measures.resampling import resample, variances

from .stopwatch import compare, seconds

MISSING = {"missing": "pip install rsatoolbox==0.3.2"}
SUBJECTS, STIMULI, UNITS, MODELS, RESAMPLES, THEIRS = 12, 92, 100, 8, 1000, 20
NAMES = {  # and how many times faster it has to be
    "cosine": ("cosine", 100),
    "correlation": ("corr", 100),
    "spearman": ("spearman", 50),
    "rho-a": ("rho-a", 50),
    "tau-a": ("tau-a", None),
    "whitened correlation": ("corr_cov", 20),
}


def _toolbox() -> Any:
    os.environ["TQDM_DISABLE"] = "1"
    import rsatoolbox

    return rsatoolbox


def _drawn() -> tuple[Dissimilarities, Dissimilarities]:
    """Eight models and a brain of twelve subjects that share part of their patterns."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(STIMULI, UNITS))

    def some(prefix: str, number: int) -> Dissimilarities:
        noise = rng.normal(size=(number, STIMULI, UNITS))
        return dissimilarities(
            [Recording(shared + x, f"{prefix} {k}") for k, x in enumerate(noise)]
        )

    return some("model", MODELS), some("subject", SUBJECTS)


def bootstrap() -> dict:
    """92 stimuli, 12 subjects, 8 models, 1,000 resamples of both, with noise ceilings."""
    if find_spec("rsatoolbox") is None:
        return MISSING
    models, brain = _drawn()
    found = {}
    for comparison, (_, least) in NAMES.items():
        theirs = _same(comparison, models.values[:, 0], brain.values[:, 0])
        ours = partial(score_models, models, brain, comparison, resamples=RESAMPLES)
        cold, warm = seconds(ours), [seconds(ours) for _ in range(5)]
        median, allowed = statistics.median(warm), "" if least is None else f", {least} times asked"
        found[f"{comparison}{allowed}"] = {
            "theirs_extrapolated_from_resamples": THEIRS,
            "cold_seconds": {"ours": cold},
            "warm_seconds": {"ours": median, "theirs": theirs},
            "ratio": theirs / median,
            "ratio_range": [theirs / max(warm), theirs / min(warm)],
        }
    return found


def _same(comparison: str, models: np.ndarray, brain: np.ndarray) -> float:
    """Assert that both find the same on the same draws; their seconds for all resamples."""
    toolbox, seen, original = _toolbox(), [], np.random.randint

    def draw(low: int, high: int, size: int) -> np.ndarray:
        seen.append(original(low, high, size=size))
        return seen[-1]

    made = [toolbox.model.ModelFixed(f"model {k}", row) for k, row in enumerate(models)]
    results: list[Any] = []

    def run() -> None:
        data, method = toolbox.rdm.RDMs(brain.copy()), NAMES[comparison][0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(toolbox.inference.eval_dual_bootstrap(made, data, method, N=THEIRS))

    np.random.seed(0)
    np.random.randint = draw
    try:
        elapsed = seconds(run)
    finally:
        np.random.randint = original
    result = results[0]
    who = np.stack([np.bincount(x, minlength=SUBJECTS) for x in seen[::2]]).astype(float)
    what = np.stack([np.bincount(x, minlength=STIMULI) for x in seen[1::2]]).astype(float)
    ours = resample(models, brain, comparison, who, what)
    expected = result.evaluations[:, :, 0, 0].transpose(2, 0, 1)
    np.testing.assert_allclose(ours.scores, expected, rtol=0, atol=1e-10)
    ceilings = result.noise_ceiling[:, :, 0].transpose(2, 1, 0)
    np.testing.assert_allclose(ours.ceilings, ceilings, rtol=0, atol=1e-10)
    spread = variances(ours, SUBJECTS, STIMULI).scores
    np.testing.assert_allclose(spread, result.model_var, rtol=0, atol=1e-10)
    return elapsed * RESAMPLES / THEIRS


def matrices() -> dict:
    """Dissimilarities of 92 stimuli (4 repeats, 12 subjects) and of 500 (20 subjects)."""
    if find_spec("rsatoolbox") is None:
        return MISSING
    small, large = (12, 92, 4, 100), (20, 500, 1, 1000)
    cases = [(small, m) for m in ("euclidean", "correlation", "crossnobis")]
    cases += [(large, m) for m in ("euclidean", "correlation")]
    found = {}
    for size, measure in cases:
        ours, theirs = _both(*size, measure)
        np.testing.assert_allclose(ours(), theirs(), rtol=0, atol=1e-8)
        subjects, stimuli, repeats, units = size
        name = f"{measure}, {subjects} x {stimuli} stimuli x {repeats} x {units} units"
        found[name] = compare(ours, theirs, repeats=5)
    return found


def _both(subjects: int, stimuli: int, repeats: int, units: int, measure: str) -> tuple:
    toolbox, rng = _toolbox(), np.random.default_rng(0)
    names = [f"{k:04d}" for k in range(stimuli)] * repeats
    fold = np.repeat(np.arange(repeats), stimuli).tolist()
    labels = {"stimulus": tuple(names), "fold": tuple(fold)}
    shown = rng.normal(size=(subjects, stimuli * repeats, units))
    mine = [Recording(x, f"{k}", labels=labels) for k, x in enumerate(shown)]
    descriptors = {"stimulus": names, "fold": fold}
    others = [toolbox.data.Dataset(x, obs_descriptors=dict(descriptors)) for x in shown]

    def ours() -> np.ndarray:
        return np.asarray(dissimilarities(mine, measure, noise="identity").values[:, 0])

    def theirs() -> np.ndarray:
        folds = {"cv_descriptor": "fold"} if measure == "crossnobis" else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = toolbox.rdm.calc_rdm(others, method=measure, descriptor="stimulus", **folds)
        return made.dissimilarities

    return ours, theirs


def large() -> dict:
    """5,000 stimuli: peak memory, in a process of its own."""
    code = "from benchmarks.representations import grown; import json; print(json.dumps(grown()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def grown() -> dict:
    """What `large` measures: two subjects' dissimilarities, and how alike they are."""
    from neurula.measures import similarity

    rng = np.random.default_rng(0)
    shared = rng.normal(size=(5000, 200))
    recordings = [Recording(shared + rng.normal(size=shared.shape), f"{k}") for k in range(2)]
    results: list[Any] = []
    made = seconds(lambda: results.append(dissimilarities(recordings, "correlation")))
    compared = seconds(lambda: results.append(similarity(results[0], results[0], "spearman")))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {
        "dissimilarities": made,
        "spearman, seconds": compared,
        "peak memory, GiB (4 allowed)": peak,
    }
