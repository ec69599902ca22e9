"""What is measured: responses, and how far apart they are. Measures see nothing else."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

if TYPE_CHECKING:  # who made a recording knows which of the two it holds
    from typing import Any as Numbers
else:
    Numbers = Array | np.ndarray


class Recording(eqx.Module):
    """Responses of any system, brain or network: all that a measure ever sees.

    Labels name what belongs to each sample: `stimulus` (repeats of a stimulus share its name),
    `fold` or `repeat`. Brain data stay in float64 where they are given as NumPy arrays.
    """

    responses: Float[Numbers, "sample unit"]  # a sample is a stimulus or a time step
    name: str = eqx.field(static=True)
    source: str = eqx.field(static=True, default="")  # where it came from
    labels: dict[str, tuple[Any, ...]] = eqx.field(static=True, default_factory=dict)  # by sample
    subject: str = eqx.field(static=True, default="")  # whose responses; several are its sessions
    positions: Float[Numbers, "unit axis"] | None = None  # where the units lie

    def __check_init__(self):
        samples = self.responses.shape[0]
        for label, values in self.labels.items():
            if len(values) != samples:
                raise ValueError(
                    f"The recording {self.name!r} has {samples} samples, but {len(values)} labels "
                    f"{label!r}: each sample needs its own. Give as many labels as rows: "
                    f"`labels={{{label!r}: tuple(names)}}` with len(names) == {samples}."
                )


class Dissimilarities(eqx.Module):
    """How far apart the responses to every two stimuli are: representational dissimilarities.

    The pairs are the upper triangle of the matrix, row by row, as in SciPy's `squareform`; NaN
    stands for a pair that was not measured. A model is a subject with one session.
    """

    values: Float[Numbers, "subject session pair"]
    stimuli: tuple[str, ...] = eqx.field(static=True)
    subjects: tuple[str, ...] = eqx.field(static=True)  # whose: people, animals, models, layers
    measure: str = eqx.field(static=True, default="")  # with its unit
    source: str = eqx.field(static=True, default="")  # where they came from

    def __check_init__(self):
        n = len(self.stimuli)
        subjects, _, pairs = self.values.shape
        if (subjects, pairs) != (len(self.subjects), n * (n - 1) // 2):
            raise ValueError(
                f"{n} stimuli have {n * (n - 1) // 2} pairs, and {len(self.subjects)} subjects are "
                f"named, but the dissimilarities have the shape {self.values.shape}. It must be "
                "(subject, session, pair), without the diagonal: "
                "`scipy.spatial.distance.squareform(matrix, checks=False)[None, None]`."
            )
        if len(set(self.stimuli)) < n:
            twice = sorted({name for name in self.stimuli if self.stimuli.count(name) > 1})
            raise ValueError(
                f"Every stimulus needs a name of its own, but {twice[:10]} come more than once: "
                "models and brains are matched by these names. Number them: "
                "`tuple(f'{k} {name}' for k, name in enumerate(names))`."
            )

    def select(self, stimuli: Sequence[str]) -> "Dissimilarities":
        """These stimuli only, in this order. Raises `ValueError` that lists unknown names."""
        place = {name: k for k, name in enumerate(self.stimuli)}
        unknown = [name for name in stimuli if name not in place]
        if unknown:
            raise ValueError(
                f"{len(unknown)} of {len(stimuli)} stimuli are not among the {len(place)} of these "
                f"dissimilarities: {unknown[:10]}. Stimuli are matched by name, not by order. "
                "Choose among `dissimilarities.stimuli`."
            )
        chosen = np.array([place[name] for name in stimuli])
        one, other = np.triu_indices(len(chosen), 1)
        low = np.minimum(chosen[one], chosen[other])
        high = np.maximum(chosen[one], chosen[other])
        pairs = low * (2 * len(place) - low - 3) // 2 + high - 1
        return Dissimilarities(
            self.values[:, :, pairs], tuple(stimuli), self.subjects, self.measure, self.source
        )
