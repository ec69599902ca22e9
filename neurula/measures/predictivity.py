"""How well every unit of a brain is predicted, linearly, from the features of a model.

Yamins, Hong, Cadieu, Solomon, Seibert & DiCarlo (2014), PNAS 111:8619; Schrimpf et al. (2020),
Neuron 108:413 (Brain-Score: 25 components of partial least squares, median over units).
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from ..contracts import Recording
from .choices import check_choice
from .encoders import PENALTIES, partial_least_squares, ridge
from .held_out import Folds, correlations, drawn_folds
from .patterns import Matrix, averaged, labelled
from .split_half import split_half

Regression = Literal["ridge", "pls"]


@dataclasses.dataclass(frozen=True, eq=False)
class Predictivity:
    """Held-out correlations of every unit, beside how well it repeats itself.

    Nothing is squared and nothing is clipped. A unit that does not vary has no correlation: NaN.
    """

    regression: str
    model: str
    brain: str
    stimuli: tuple[str, ...]
    raw: Float[np.ndarray, " unit"]  # Pearson's r on held-out stimuli, mean over folds
    ceiling: Float[np.ndarray, " unit"] | None  # split-half r, Spearman-Brown; none without repeats
    predicted: Matrix  # (stimulus, unit), each stimulus by a fit without it
    observed: Matrix
    fold: Folds
    penalty: Float[np.ndarray, "fold unit"] | None  # of ridge, in mean squared singular values
    notes: tuple[str, ...]

    @property
    def median(self) -> float:
        """The median of the raw correlations."""
        return middle(self.raw)

    @property
    def median_ceiling(self) -> float | None:
        """The median of the ceilings."""
        return None if self.ceiling is None else middle(self.ceiling)

    @property
    def share(self) -> Float[np.ndarray, " unit"] | None:
        """Raw / ceiling of every unit; NaN where the ceiling is not above zero."""
        return None if self.ceiling is None else over_ceiling(self.raw, self.ceiling)

    @property
    def above(self) -> int:
        """How many units are predicted better than they repeat themselves."""
        return 0 if self.share is None else int(np.count_nonzero(self.share > 1))

    @property
    def words(self) -> str:
        """The result in a sentence or two, with the notes."""
        said = (
            f"{self.regression}, {self.fold.max() + 1} folds of {len(self.stimuli)} stimuli: the "
            f"median held-out r over {len(self.raw)} units is {self.median:.3f}"
        )
        if self.share is None:
            return " ".join([said + ".", *self.notes])
        said += f", the median ceiling {self.median_ceiling:.3f}, and the median of their ratio "
        return " ".join([said + f"{middle(self.share):.3f}.", *self.notes])

    def to_json(self) -> dict[str, Any]:
        """Everything as plain lists and numbers, for `json.dumps`."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        found |= {"share": self.share, "median": self.median, "median_ceiling": self.median_ceiling}
        plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in found.items()}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}


def predictivity(
    model: Recording,
    brain: Recording,
    regression: Regression = "ridge",
    *,
    folds: int = 5,
    penalties: tuple[float, ...] = PENALTIES,
    components: int = 25,
    splits: int = 20,
    seed: int = 0,
    stimulus: str = "stimulus",
    repeat: str = "repeat",
) -> Predictivity:
    """Predict every unit of `brain` on stimuli that took no part in the fit.

    Stimuli are matched by name, repeats averaged first, so that none is on both sides. Scale of
    the features, weights and each unit's penalty (by leave-one-out) are learned from the training
    stimuli alone. Raises `ValueError` for other stimuli, nan, and fewer than four in a fold.
    """
    check_choice(regression, Regression, "a regression", "predictivity(model, brain, 'ridge')")
    data = labelled(brain, stimulus, None)
    features = averaged(labelled(model, stimulus, data.names))
    fold, observed = drawn_folds(len(data.names), folds, seed), averaged(data)
    fits = regression, penalties, components
    (predicted,), penalty = predictions(features, [observed], fold, *fits)
    (raw,) = correlations(predicted, observed, fold, np.ones((1, len(fold))))
    ceiling = split_half(data, brain.labels.get(repeat), fold, splits=splits, seed=seed)
    return Predictivity(
        regression=regression,
        model=model.name,
        brain=brain.name,
        stimuli=data.names,
        raw=raw,
        ceiling=ceiling.values,
        predicted=predicted,
        observed=observed,
        fold=fold,
        penalty=penalty,
        notes=remarks(raw, ceiling.values, ceiling.note),
    )


def predictions(
    features: Float[np.ndarray, "stimulus feature"],
    responses: Sequence[np.ndarray],  # (stimulus, unit), of each brain
    fold: Folds,
    regression: Regression,
    penalties: tuple[float, ...] = PENALTIES,
    components: int = 25,
) -> tuple[list[np.ndarray], Float[np.ndarray, "fold unit"] | None]:
    """Held-out predictions of several brains, and the penalties of all their units in a row.

    Ridge fits all brains by one decomposition; partial least squares fits each on its own, since
    its components depend on all units together.
    """
    ends = np.cumsum([each.shape[1] for each in responses])
    together = np.hstack(list(responses))
    found, chosen = np.zeros_like(together), []
    for each in range(fold.max() + 1):
        test = fold == each
        if regression == "ridge":
            fitted = ridge(features[~test], together[~test], features[test], penalties)
            found[test] = fitted.predicted
            chosen.append(fitted.penalty)
            continue
        for brain, end in zip(responses, ends, strict=True):
            found[test, end - brain.shape[1] : end] = partial_least_squares(
                features[~test], brain[~test], features[test], components
            )
    split = list(np.split(found, ends[:-1], axis=1))
    return split, np.stack(chosen) if chosen else None


def remarks(raw: np.ndarray, ceiling: np.ndarray | None, note: str) -> tuple[str, ...]:
    """What was left out of the medians, and what lies above its ceiling."""
    notes = [note] if note else []
    many = f"{raw.size} units" if raw.ndim == 1 else f"{raw.size} units by models"
    fixed = int(np.isnan(raw).sum())
    if fixed:
        notes.append(f"{fixed} of {many} or their predictions do not vary: no r.")
    if ceiling is None:
        return tuple(notes)
    silent = int(np.count_nonzero(~(ceiling > 0)))
    if silent:
        notes.append(f"{silent} of {ceiling.size} units do not repeat themselves: no ratio.")
    above = int(np.count_nonzero(over_ceiling(raw, ceiling) > 1))
    if above:
        notes.append(
            f"{above} of {many} lie above their ceiling, which is no bound: a noiseless "
            "model can reach its square root."
        )
    return tuple(notes)


def over_ceiling(raw: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """Raw / ceiling; NaN where the ceiling is not above zero."""
    positive = ceiling > 0
    return np.where(positive, raw, np.nan) / np.where(positive, ceiling, 1.0)


def middle(values: Float[np.ndarray, " unit"]) -> float:
    """The median of what is not NaN; NaN if nothing is."""
    there = values[~np.isnan(values)]
    return float(np.median(there)) if there.size else float("nan")
