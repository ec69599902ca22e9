"""What is said about the order of layers and areas, as numbers and words."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


class Placed(NamedTuple):
    """Places of the areas among the layers (1 is the first), and tests of their order."""

    place: Float[np.ndarray, " area"]  # of the mean over subjects
    statistic: float  # of the group: the rise as a share of the depth, or tau-b
    tau: float  # Kendall's tau-b of the places with the order of the areas
    p_areas: float  # areas permuted, all subjects together
    p_layers: float  # layers permuted, all areas and subjects together
    p_shared: float | None  # one profile for all areas, noise as it is; none without subjects
    p_within: float | None  # areas permuted in each subject on its own; none without subjects
    subject_place: Float[np.ndarray, "subject area"]
    subject_statistic: Float[np.ndarray, " subject"]
    subject_p: Float[np.ndarray, " subject"]  # the larger one, areas or layers permuted

    @property
    def p(self) -> float:
        """The largest of the nulls' (not of `p_within`): small only if all are unlikely."""
        return max(self.p_areas, self.p_layers, self.p_shared or 0.0)


@dataclasses.dataclass(frozen=True, eq=False)
class Assignment:
    """Which layers match which areas, and whether their orders agree."""

    layers: tuple[str, ...]
    areas: tuple[str, ...]
    centre: Placed  # by the centre of mass of similarity over layers: rules
    best: Placed  # by the most similar layer
    similarity: np.ndarray  # (layer, area) or (layer, area, subject), as given
    least: float  # the smallest p that so few areas can have
    alpha: float
    permutations: int

    @property
    def testable(self) -> bool:
        """Whether any order of so few areas could be unlikely enough."""
        return self.least <= self.alpha

    @property
    def found(self) -> bool:
        """Whether layers come in the order of areas, by the centre, unlikely under all nulls."""
        return self.centre.p <= self.alpha

    @property
    def pictured(self) -> bool:
        """What a picture of best layers would show: they never fall, and rise at least once."""
        steps = np.diff(self.best.place)
        return bool((steps >= 0).all() and (steps > 0).any())

    @property
    def words(self) -> str:
        """What may be said."""
        places = zip(self.areas, self.centre.place, strict=True)
        where = ", ".join(f"{area} at {place:.1f}" for area, place in places)
        same = self.centre.p_shared
        shared = "" if same is None else f", {same:.3g} if all areas had one profile"
        said = [
            f"Centres of mass among {len(self.layers)} layers: {where}; a rise of "
            f"{self.centre.statistic:.0%} of the depth (p = {self.centre.p_areas:.3g} with areas, "
            f"{self.centre.p_layers:.3g} with layers permuted{shared}). Best layers: Kendall's "
            f"tau-b {self.best.tau:.2f} (p = {self.best.p:.3g})."
        ]
        if not self.testable:
            said.append(
                f"Not testable: {len(self.areas)} areas have so few orders that no p-value is "
                f"below {self.least:.3g}."
            )
        elif self.found:
            said.append("The layers come in the order of the areas.")
        else:
            said.append("That the layers come in the order of the areas is not shown.")
        if self.pictured and not self.found:
            said.append("A picture of the best layers alone would suggest it.")
        if self.centre.p_within is not None:
            said.append(
                f"The mean rise over subjects has p = {self.centre.p_within:.3g} with areas "
                "permuted in each: small if areas differ alike in all of them, hierarchy or not."
            )
        return " ".join(said)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain lists and numbers, for `json.dumps`."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name in ("p", "found", "pictured", "testable", "words"):
            found[name] = self.centre.p if name == "p" else getattr(self, name)
        return {name: _plain(value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Placed):
        return {name: _plain(each) for name, each in value._asdict().items()} | {"p": value.p}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value
