"""Grid scores, each by the name of its definition: they are not one number."""

from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Float

from .grid_deepmind import deepmind
from .grid_langston import SQUARE, langston
from .grid_neural_playground import neural_playground
from .grid_opexebo import opexebo
from .grid_spatial_maps import spatial_maps

CHUNK = 8  # maps at once: their transforms stay in the cache

_DEFINITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "langston": langston,
    "opexebo": opexebo,
    "spatial_maps": spatial_maps,
    "neural_playground": neural_playground,
    "deepmind": deepmind,
    "square": partial(langston, turns=SQUARE),
}


def grid_score(
    maps: Float[np.ndarray, "*cells row column"], *, definition: str = "langston"
) -> Float[np.ndarray, "*cells"]:
    """How hexagonal rate maps are: what turns by 60 and 120 degrees keep, and others do not.

    - `langston` (Langston et al. 2010): unvisited bins stay out, the best of growing annuli.
    - `opexebo`: the program of the same group; unvisited bins count as rate zero.
    - `spatial_maps`: one annulus; a turn by 180 degrees may lower the score.
    - `neural_playground`: one annulus along the fields' shapes; NaN for a single field.
    - `deepmind` (Banino et al. 2018): means of correlations in place of extremes.
    - `square`: `langston` with the turns of a square, r90 - max(r45, r135): no hexagon at all.

    Formulas and differences are in `neurula.measures.grid_langston` and its siblings. The same map
    can differ by more than one between definitions, and smooth noise scores high: say which one it
    is, and take thresholds from shuffles of the same cell (`shuffled`), never from the literature.
    Scores lie between -2 and 2; NaN where a definition does not apply. Raises `ValueError` for
    other names and for maps smaller than 8 bins on a side.
    """
    if definition not in _DEFINITIONS:
        raise ValueError(
            f"Expected a definition of {list(_DEFINITIONS)}, but got {definition!r}: there "
            'is no grid score of that name. Try `grid_score(maps, definition="langston")`.'
        )
    shape = maps.shape[-2:]
    if min(shape) < 8:
        raise ValueError(
            f"Expected maps of 8 x 8 bins or more, but got {shape[0]} x {shape[1]}: no ring of "
            "fields fits in. Bin more finely: `visits(positions, times, bin_width=0.025)`."
        )
    flat = np.ascontiguousarray(maps, float).reshape(-1, *shape)
    chunks = [flat[k : k + CHUNK] for k in range(0, len(flat), CHUNK)]
    found = [_DEFINITIONS[definition](chunk) for chunk in chunks]
    return np.concatenate([np.zeros(0), *found]).reshape(maps.shape[:-2])
