"""How alike representational dissimilarities are: two sets, all against all, and noise ceilings.

Kriegeskorte, Mur & Bandettini (2008), Front. Syst. Neurosci. 2:4; Nili, Wingfield, Walther, Su,
Marslen-Wilson & Kriegeskorte (2014), PLoS Comput. Biol. 10:e1003553.
"""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from ..contracts import Dissimilarities
from .comparators import Comparison, judge
from .matching import check_comparison, matched, vectors


@dataclasses.dataclass(frozen=True, eq=False)
class Similarity:
    """Similarities, and on how many pairs of stimuli each of them rests."""

    values: Float[np.ndarray, "first second"]
    pairs: Int[np.ndarray, "first second"]
    comparison: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    all_pairs: int

    @property
    def note(self) -> str:
        """What was left out, in words; empty if nothing was."""
        least = int(self.pairs.min())
        if least == self.all_pairs:
            return ""
        return (
            f"Pairs that are missing on either side were left out on both: between {least} and "
            f"{int(self.pairs.max())} of {self.all_pairs} pairs were compared."
        )


def similarity(
    first: Dissimilarities, second: Dissimilarities, comparison: Comparison = "rho-a"
) -> Similarity:
    """Compare every row of `first` with every row of `second`: (first, second).

    Stimuli are matched by name; sessions of a subject are averaged. A pair of stimuli that is NaN
    in one of two rows is left out for both; `pairs` and `note` say what remains.

    - "cosine", "correlation" (Pearson's), "spearman" (Pearson's of mid-ranks);
    - "rho-a", "tau-a": of ranks and of order, without correction for ties;
    - "whitened cosine", "whitened correlation": with the errors that pairs share taken out, for
      noise that is alike and independent for all stimuli.

    Raises `ValueError` for other stimuli, fewer than four, and rows of zero variance.
    """
    check_comparison(comparison)
    first = matched(first, second)
    one, other = vectors(first, comparison), vectors(second, comparison)
    found, pairs = np.empty((len(one), len(other))), np.empty((len(one), len(other)), int)
    once = np.ones((1, len(first.stimuli)))
    for some in _alike(one):
        for others in _alike(other):
            cell = np.ix_(some, others)
            pairs[cell] = np.count_nonzero(~np.isnan(one[some[0]] + other[others[0]]))
            if pairs[cell].min() < 3:
                raise ValueError(
                    f"{first.subjects[some[0]]!r} and {second.subjects[others[0]]!r} share "
                    f"{pairs[cell].min()} pairs of stimuli, but at least 3 are needed for any "
                    "order. Leave one of them out, or average sessions before comparing."
                )
            found[cell] = judge(one[some], other[others], comparison, once).scores[0]
    return Similarity(found, pairs, comparison, first.subjects, second.subjects, one.shape[1])


def _alike(rows: Float[np.ndarray, "rdm pair"]) -> list[Int[np.ndarray, " some"]]:
    """The rows in groups that miss the same pairs."""
    groups: dict[bytes, list[int]] = {}
    for k, row in enumerate(np.isnan(rows)):
        groups.setdefault(np.packbits(row).tobytes(), []).append(k)
    return [np.array(each) for each in groups.values()]


def noise_ceiling(brain: Dissimilarities, comparison: Comparison = "rho-a") -> tuple[float, float]:
    """How well the best possible model could do, at least and at most, given how subjects differ.

    Lower: each subject compared with the pool of all others; upper: with the pool of all, which
    contains the subject. Pairs that any subject lacks are left out for all. Raises `ValueError`
    for one subject.
    """
    check_comparison(comparison)
    rows = vectors(brain, comparison)
    if len(rows) < 2:
        raise ValueError(
            f"Expected at least two subjects, but got {len(rows)} ({brain.subjects}): a noise "
            "ceiling says how well subjects agree with each other. Give more subjects, or treat "
            "the sessions of one as subjects, which says less: it then holds for this subject."
        )
    judged = judge(
        rows[:0], rows, comparison, np.ones((1, len(brain.stimuli))), [np.ones((1, len(rows)))]
    )
    lower, upper = judged.ceilings[0][0]
    return float(lower), float(upper)
