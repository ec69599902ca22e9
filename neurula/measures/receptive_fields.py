"""What a population of linear filters looks like, in numbers: Gabor fits and tuning together.

Ringach (2002), J. Neurophysiol. 88:455; Marques, Schrimpf & DiCarlo (2021), bioRxiv
2021.03.01.433495 (distributions over a population).
"""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Real

from .gabors import Gabors, fit_gabors
from .linear_responses import linear_responses
from .orientation import OrientationTuning, orientation_tuning

EXPLAINED = 0.5  # R^2 from which on a fit counts; set it on noise filters of your own
SELECTIVE = 0.5  # 1 - circular variance from which on a filter is called oriented
COMPACT = 0.25  # of the picture, the widest envelope (mean of both ways) of a local filter


@dataclasses.dataclass(frozen=True, eq=False)
class ReceptiveFields:
    """Filters one by one."""

    size: int  # pixels along a side
    gabors: Gabors
    tuning: OrientationTuning

    @property
    def oriented(self) -> Bool[np.ndarray, " cell"]:
        """Answers gratings of some orientations far more than others: pixels and blobs do not."""
        return self.tuning.circular_variance < 1 - SELECTIVE

    @property
    def local(self) -> Bool[np.ndarray, " cell"]:
        """The fitted envelope, sqrt(across along), is no wider than a quarter of the picture."""
        return np.sqrt(self.gabors.across * self.gabors.along) < COMPACT * self.size

    def gabor_like(self, explained: float = EXPLAINED) -> Bool[np.ndarray, " cell"]:
        """Oriented, local, and fitted with an R^2 above `explained`."""
        return (self.gabors.explained > explained) & self.oriented & self.local

    def table(self) -> dict[str, Float[np.ndarray, " cell"]]:
        """Every number by name, a column each."""
        columns = {**self.gabors._asdict(), **self.tuning._asdict()}
        return columns | {name: getattr(self.gabors, name) for name in ("n_x", "n_y", "bandwidth")}

    def summary(self, explained: float = EXPLAINED) -> dict[str, float]:
        """Shares of all filters, and medians over those that are fitted well enough."""
        good = self.gabors.explained > explained
        middle = lambda x: float(np.median(x[good])) if good.any() else np.nan  # noqa: E731
        degrees = np.degrees(self.tuning.half_width)
        return {
            "filters": float(len(good)),
            "share fitted": float(good.mean()),
            "share oriented": float(self.oriented.mean()),
            "share local": float(self.local.mean()),
            "share like Gabors": float(self.gabor_like(explained).mean()),
            "median R^2 of all": float(np.nanmedian(self.gabors.explained)),
            "median frequency, cycles per pixel": middle(self.gabors.frequency),
            "median bandwidth, octaves": middle(self.gabors.bandwidth),
            "median n_x": middle(self.gabors.n_x),
            "median n_y": middle(self.gabors.n_y),
            "median circular variance": middle(self.tuning.circular_variance),
            "median half width, degrees": float(np.nanmedian(degrees[good]))
            if np.isfinite(degrees[good]).any()
            else np.nan,
        }


def receptive_fields(filters: Real[np.ndarray, "cell row column"]) -> ReceptiveFields:
    """Fit Gabor functions to filters, and ask them with gratings as linear cells."""
    gabors = fit_gabors(filters)
    tuning = orientation_tuning(linear_responses(filters).amplitude)
    return ReceptiveFields(filters.shape[1], gabors, tuning)
