"""Columns without their layers: the same cells and as many synapses, wired otherwise.

Haeusler & Maass (2007), Cereb. Cortex 17:149 (control circuits); Maslov & Sneppen (2002), Science
296:910 (swaps that keep degrees); Kaiser & Hilgetag (2004), Phys. Rev. E 69:036103 (small worlds in
space).
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from .columns import Laminar

WAYS = ("amorphous", "degree-controlled", "unspecific", "small-world")
TRIES = 20  # of a swap, for every connection
FALL = 5.7  # of the odds with distance; so a column of `THOMSON` keeps its clustering, 0.36


def rewired(graph: Laminar, how: str, *, seed: int) -> Laminar:
    """The same cells with other connections, as many from E or I to E or I as before.

    Strengths stay with their kind of synapse (E to E, E to I, I to E, I to I).
    "amorphous": every pair is as likely as any other. "degree-controlled": pairs of synapses swap
    their targets, so that every cell keeps the number of its inputs and of its outputs, and each
    synapse its source and strength. "unspecific": so, and then excitatory cells change labels among
    themselves, and so do inhibitory ones; hence degrees no longer go with layers nor with what
    enters and leaves through ports. "small-world": cells get random places in a square, and near
    ones are likelier to connect: odds fall as exp(-5.7 d), with d in widths of the square. No
    pair is connected twice in one direction, and no cell to itself.
    """
    if how not in WAYS:
        raise ValueError(
            f"Expected a way of rewiring, one of {WAYS}, but got {how!r}. The plainest null is "
            '`rewired(graph, "amorphous", seed=0)`.'
        )
    rng = np.random.default_rng(seed)
    if how in ("amorphous", "small-world"):
        places = rng.random((len(graph.kind), 2))
        apart = np.linalg.norm(places[:, None] - places, axis=-1)
        return _drawn(graph, -FALL * apart if how == "small-world" else 0 * apart, rng)
    swapped = _swapped(graph, rng)
    return _relabelled(swapped, rng) if how == "unspecific" else swapped


def _classes(graph: Laminar) -> list[np.ndarray]:
    """The synapses from E or I to E or I."""
    code = 2 * graph.excites[graph.source] + graph.excites[graph.target]
    return [np.flatnonzero(code == each) for each in range(4)]


def _drawn(graph: Laminar, lean: Float[np.ndarray, "cell cell"], rng) -> Laminar:
    """All synapses drawn anew without replacement; `lean` is the logarithm of a pair's odds."""
    source, target = graph.source.copy(), graph.target.copy()
    luck = lean + rng.gumbel(size=lean.shape)  # the largest n are a draw of n (Efraimidis 2006)
    np.fill_diagonal(luck, -np.inf)
    excites = graph.excites
    for code, edges in enumerate(_classes(graph)):
        pre, post = np.flatnonzero(excites == code // 2), np.flatnonzero(excites == code % 2)
        among = luck[np.ix_(pre, post)]
        best = np.argpartition(-among, len(edges) - 1, axis=None)[: len(edges)]
        from_, to = np.unravel_index(rng.permutation(best), among.shape)
        source[edges], target[edges] = pre[from_], post[to]
    return dataclasses.replace(graph, source=source, target=target)


def _swapped(graph: Laminar, rng: np.random.Generator) -> Laminar:
    """One pair after the other: swaps side by side, refused where they meet, favour some graphs."""
    target = graph.target.copy()
    for edges in _classes(graph):
        speaks, hears = graph.source[edges].tolist(), target[edges].tolist()
        pairs = set(zip(speaks, hears, strict=True))
        tries = rng.integers(max(len(edges), 1), size=(TRIES * len(edges), 2)).tolist()
        for i, j in tries:
            a, b, c, d = speaks[i], hears[i], speaks[j], hears[j]
            if a != d and c != b and (a, d) not in pairs and (c, b) not in pairs:
                pairs -= {(a, b), (c, d)}
                pairs |= {(a, d), (c, b)}
                hears[i], hears[j] = d, b
        target[edges] = hears
    return dataclasses.replace(graph, target=target)


def _relabelled(graph: Laminar, rng: np.random.Generator) -> Laminar:
    """Excitatory cells exchange their connections as a whole, and so do inhibitory ones."""
    stands = np.arange(len(graph.kind))
    for excites in (False, True):
        cells = np.flatnonzero(graph.excites == excites)
        stands[cells] = rng.permutation(cells)
    return dataclasses.replace(graph, source=stands[graph.source], target=stands[graph.target])
