"""Layers and areas: whether the layers that match best come in the order of the areas.

Güçlü & van Gerven (2015), J. Neurosci. 35:10005; Cichy, Khosla, Pantazis, Torralba & Oliva (2016),
Sci. Rep. 6:27755; Kendall (1945), Biometrika 33:239 (tau-b).

The nulls keep what does not belong to the order. Permuted *areas*: under "the areas do not differ
in which layers they match", whole profiles are exchangeable between areas, however alike
neighbouring layers are, and however one profile lies for all. Permuted *layers*: under "where a
layer lies says nothing of what it matches", layers are exchangeable, however the areas differ.
Subjects are permuted together: that two areas differ in the same way in all subjects is no
hierarchy. The best layer, a maximum, is taken anew in every permutation. (Neighbouring layers are
alike, so that permuted layers alone find an order in one of four null profiles.) With several
subjects there is a third: one profile *shared* by all areas, each with its own noise (see
`shared_profile`), for areas of unequal reliability are not exchangeable. A hierarchy must be
unlikely under all, so that the error is at most alpha if any of them holds.

What is in none of them: an untrained network may have the order too. Hold the result against it.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from .assigned import Assignment, Placed
from .permuted import permutations_of, share_as_high
from .shared_profile import shared_profiles

Profiles = Float[np.ndarray, "profile layer area"]
Shares = Float[np.ndarray, "profile layer area"]  # of an area over the layers; sum 1
Places = Float[np.ndarray, "... area"]
Statistic = Callable[[np.ndarray, int], Any]  # of places and the number of layers


def assignment(
    similarity: Float[np.ndarray, "layer area"] | Float[np.ndarray, "layer area subject"],
    *,
    layers: Sequence[str] | None = None,
    areas: Sequence[str] | None = None,
    permutations: int = 10_000,
    alpha: float = 0.05,
    seed: int = 0,
) -> Assignment:
    """Where each area lies among the layers, and whether that rises along the areas.

    `similarity` is any measure, layers and areas both in their order, early first; for several
    subjects, places are those of their mean, and of each. Two ways to place an area:

    - "centre": sum_l l s_l / sum_l s_l with s less its least value over layers. The statistic is
      the rise: the slope over areas times their number less one, as a share of the depth.
    - "best": the layer with the highest similarity (the mean of several). The statistic is
      Kendall's tau-b with the order of the areas; 0 if all areas have one best layer.

    `found` is by the centre, since on flat profiles the best layer is noise. All p are one-sided.
    Raises `ValueError` for fewer than three layers or two areas, nan and flat profiles.
    """
    values = np.asarray(similarity, dtype=np.float64)
    names = _names(values, layers, areas)
    profiles = values[None]
    if values.ndim == 3:
        profiles = np.concatenate([values.mean(2)[None], np.moveaxis(values, 2, 0)])
    _check_profiles(profiles, *names)
    several = values.ndim == 3 and values.shape[2] > 1
    null = shared_profiles(values, permutations, seed) if several else None
    how = profiles, null, permutations, seed
    return Assignment(
        *names,
        centre=_placed(_centre, rise, *how),
        best=_placed(_best, tau_b, *how),
        similarity=values,
        least=1 / math.factorial(len(names[1])),
        alpha=alpha,
        permutations=permutations,
    )


def tau_b(places: Places, layers: int = 0) -> np.ndarray | np.floating:
    """Kendall's tau-b of places with the order of the areas; 0 where all places are the same."""
    one, other = np.triu_indices(places.shape[-1], 1)
    steps = np.round(places[..., other] - places[..., one], 9)
    untied = np.count_nonzero(steps, axis=-1)
    return np.sign(steps).sum(-1) / np.sqrt(len(one) * np.maximum(untied, 1))


def rise(places: Places, layers: int) -> np.ndarray | np.floating:
    """The slope of places over areas, from the first area to the last, as a share of the depth."""
    areas = places.shape[-1]
    order = np.arange(areas) - (areas - 1) / 2
    return places @ order / np.sum(order**2) * (areas - 1) / (layers - 1)


def _centre(profiles: Profiles) -> Shares:
    above = profiles - profiles.min(1, keepdims=True)
    total = above.sum(1, keepdims=True)
    flat = total == 0  # in a draw of a null: in the middle
    return np.where(flat, 1 / profiles.shape[1], above) / np.where(flat, 1, total)


def _best(profiles: Profiles) -> Shares:
    highest = (profiles == profiles.max(1, keepdims=True)).astype(np.float64)
    return highest / highest.sum(1, keepdims=True)


def _placed(
    sharing: Callable[[Profiles], Shares],
    statistic: Statistic,
    profiles: Profiles,
    null: Float[np.ndarray, "draw layer area"] | None,
    most: int,
    seed: int,
) -> Placed:
    """Places are sums of layer numbers by shares, so that a permutation of layers permutes these.

    The maximum of permuted layers is the permuted maximum: no permutation is looked at twice.
    """
    shares = sharing(profiles)
    _, layers, areas = shares.shape
    numbers = np.arange(1.0, layers + 1)
    places = np.einsum("l,pla->pa", numbers, shares)
    found = statistic(places, layers)
    moved = places[:, permutations_of(areas, most, seed)]
    by_areas = share_as_high(statistic(moved, layers), found)
    order = permutations_of(layers, most, seed)
    by_layers = share_as_high(
        statistic(np.einsum("kl,pla->pka", numbers[order], shares), layers), found
    )
    by_noise = None
    if null is not None:
        drawn = statistic(np.einsum("l,pla->pa", numbers, sharing(null)), layers)
        by_noise = float(share_as_high(np.append(found[0], drawn), np.asarray(found[0])))
    return Placed(
        place=places[0],
        statistic=float(found[0]),
        tau=float(tau_b(places[0])),
        p_areas=float(by_areas[0]),
        p_layers=float(by_layers[0]),
        p_shared=by_noise,
        p_within=None if null is None else _within(places[1:], statistic, layers, most, seed),
        subject_place=places[1:],
        subject_statistic=found[1:],
        subject_p=np.maximum(by_areas, by_layers)[1:],
    )


def _within(places: Places, statistic: Statistic, layers: int, most: int, seed: int) -> float:
    """Areas permuted in each subject on its own, and the mean over subjects."""
    subjects, areas = places.shape
    rng = np.random.default_rng(seed)
    order = rng.random((most, subjects, areas)).argsort(2)
    order[0] = np.arange(areas)
    drawn = np.take_along_axis(np.broadcast_to(places, order.shape), order, axis=2)
    means = statistic(drawn, layers).mean(1)
    return float(share_as_high(means, np.asarray(means[0])))


def _names(
    values: np.ndarray, layers: Sequence[str] | None, areas: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if values.ndim not in (2, 3) or values.shape[0] < 3 or values.shape[1] < 2 or not values.size:
        raise ValueError(
            "Expected similarities of at least 3 layers and 2 areas, (layer, area) or (layer, "
            f"area, subject), but got the shape {values.shape}: fewer have no order to speak of. "
            "Give one row for each layer: `np.stack([score(layer) for layer in layers])`."
        )
    found = []
    for called, given, size in (
        ("layer", layers, values.shape[0]),
        ("area", areas, values.shape[1]),
    ):
        found.append(
            tuple(given) if given is not None else tuple(f"{called} {k + 1}" for k in range(size))
        )
        if len(found[-1]) != size:
            raise ValueError(
                f"The similarities have {size} {called}s, but {len(found[-1])} names were given: "
                f"which is which? Give one name for each, `{called}s=(...)`, in their order."
            )
    return found[0], found[1]


def _check_profiles(profiles: Profiles, layers: tuple[str, ...], areas: tuple[str, ...]) -> None:
    if not np.isfinite(profiles).all():
        who = np.argwhere(~np.isfinite(profiles).all(0))[0]
        raise ValueError(
            f"Expected finite similarities, but that of {layers[who[0]]!r} with {areas[who[1]]!r} "
            "is nan or infinite in some subject, and a best layer among unknown ones is no best "
            "layer. Leave out that layer, area or subject: `np.delete(similarity, k, axis)`."
        )
    flat = np.ptp(profiles, axis=1) <= 1e-12 * np.abs(profiles).max(1)
    if flat.any():
        who = [areas[k] for k in np.flatnonzero(flat.any(0))]
        raise ValueError(
            f"Expected layers that differ in similarity, but for {who} they are all equal: such an "
            "area lies nowhere among them. Leave it out: `np.delete(similarity, k, axis=1)`."
        )
