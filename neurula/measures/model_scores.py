"""What is said about models: scores, intervals, ceilings and tests, as numbers and words."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


class Tests(NamedTuple):
    """p-values of a family of tests: as they are, after Holm, after Benjamini and Hochberg."""

    raw: Float[np.ndarray, "..."]
    holm: Float[np.ndarray, "..."]
    benjamini_hochberg: Float[np.ndarray, "..."]


class Units(NamedTuple):
    """What a subject's units gave, where a measure looks at each: r, and split-half ceilings."""

    raw: Float[np.ndarray, "model unit"]
    ceiling: Float[np.ndarray, " unit"] | None


@dataclasses.dataclass(frozen=True, eq=False)
class ModelScores:
    """How well models match a brain. Nothing is squared, divided by the ceiling or clipped."""

    comparison: str
    models: tuple[str, ...]
    subjects: tuple[str, ...]
    score: Float[np.ndarray, " model"]  # mean over subjects
    low: Float[np.ndarray, " model"]  # interval, for other subjects and other stimuli
    high: Float[np.ndarray, " model"]
    raw: Float[np.ndarray, "model subject"]
    ceiling: tuple[float, float] | None  # lower and upper; none for one subject
    variance: Float[np.ndarray, " model"]
    difference_variance: Float[np.ndarray, "model model"]
    ceiling_variance: Float[np.ndarray, " model"] | None  # of score minus lower ceiling
    above_zero: Tests  # one-sided; (model,)
    differ: Tests  # two-sided, paired; (model, model), 1 on the diagonal
    from_ceiling: Tests | None  # two-sided, against the lower ceiling if it is a bound; (model,)
    degrees: int  # of freedom: the smaller of subjects and stimuli, less one
    level: float  # coverage of the interval
    stimuli: int
    pairs: int | None  # that were compared; none where units are predicted one by one
    resamples: int  # that were used
    notes: tuple[str, ...]  # what was left out, and what does not follow
    measured: str = ""  # what a score is, in words; else that of dissimilarities
    bound: str = "noise ceiling"  # what the ceiling is
    bound_by: str = "Nili et al. 2014"  # how it was got
    share: Float[np.ndarray, " model"] | None = None  # median over units of r / ceiling
    units: tuple[Units, ...] = ()  # by subject, where each unit has a score

    @property
    def method(self) -> str:
        """What was done, in words."""
        factors = "stimuli" if len(self.subjects) == 1 else "subjects and stimuli"
        measured = self.measured or f"{self.comparison} of dissimilarities"
        pairs = "" if self.pairs is None else f", {self.pairs} pairs"
        return (
            f"{measured}, mean over {len(self.subjects)} subject(s); "
            f"{self.level:.0%} interval by Student's t ({self.degrees} degrees of freedom) from "
            f"a bootstrap over {factors} ({self.resamples} resamples, {self.stimuli} stimuli"
            f"{pairs}; Schütt et al. 2023); {self.bound} ({self.bound_by})"
        )

    def rows(self) -> list[dict[str, Any]]:
        """One row for each model: plain numbers; `None` where there is no ceiling."""
        lower, upper = self.ceiling if self.ceiling is not None else (None, None)
        found = []
        for k, model in enumerate(self.models):
            row = {"model": model, "score": self.score[k], "low": self.low[k]}
            row |= {"high": self.high[k], "ceiling low": lower, "ceiling high": upper}
            row |= {"score / ceiling": None if self.share is None else self.share[k]}
            row |= {"p above zero": self.above_zero.raw[k]}
            row |= {"p above zero (Holm)": self.above_zero.holm[k]}
            ceiling = self.from_ceiling
            row |= {"p from ceiling": None if ceiling is None else ceiling.raw[k]}
            row |= {"p from ceiling (Holm)": None if ceiling is None else ceiling.holm[k]}
            found.append({name: _plain(value) for name, value in row.items()})
        return found

    def table(self) -> str:
        """The rows as text, with the method and the notes below."""
        width = max(map(len, (*self.models, "model")))
        heads = ("score", "low", "high", "p > 0 (Holm)", "p ceiling (Holm)")
        lines = [f"{'model':{width}}  " + "  ".join(f"{head:>16}" for head in heads)]
        for row in self.rows():
            cells = [f"{row[name]:16.3f}" for name in ("score", "low", "high")]
            for name in ("p above zero (Holm)", "p from ceiling (Holm)"):
                cells.append(f"{'-':>16}" if row[name] is None else f"{row[name]:16.3g}")
            lines.append(f"{row['model']:{width}}  " + "  ".join(cells))
        if self.ceiling is not None:
            low, high = (f"{each:.3f}" for each in self.ceiling)
            lines.append(f"{self.bound}: {low if low == high else f'{low} to {high}'}")
        if self.share is not None:
            shares = zip(self.models, self.share, strict=True)
            each = ", ".join(f"{model} {share:.3f}" for model, share in shares)
            lines.append(f"score / ceiling, median over units: {each}")
        return "\n".join([*lines, self.method + ".", *self.notes])

    def to_json(self) -> dict[str, Any]:
        """Everything as plain lists and numbers, for `json.dumps`."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: _plain(value) for name, value in found.items()} | {"method": self.method}


def _plain(value: Any) -> Any:
    if isinstance(value, Tests | Units):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
