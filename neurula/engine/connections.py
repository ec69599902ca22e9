"""Who talks to whom, as one long list sorted by who speaks, and buffers for what is on its way."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..arrivals import tires
from ..network import Network
from ..populations import Projection
from ..wirings import Sparse
from .layout import BLOCK, Cells, rank, slots
from .source import STARTS


class Connections:
    """All projections of a network: lists of edges, and a table with a row for each projection."""

    def __init__(self, network: Network, cells: Sequence[Cells], begins: Sequence[int]):
        by_name = {p.name: p for p in cells}
        starts, places, weights, delays, table = [], [], [], [], []
        edges = speakers = room = 0
        self.rings: dict[str, tuple[int, int]] = {}  # by projection: place and mask
        late = any(q.delays is not None for q in network.projections)
        for q in network.projections:
            speaks, hears = by_name[q.source], by_name[q.target]
            first, place, weight, steps = sorted_edges(q)
            if slots(q) == 1:
                row = hears.into.get(q.name) or f"in{rank(q, hears.heard)}"
                into, place, width = begins[hears.index], hears.place(place, row), 0
            else:
                into, width = room, hears.blocks * BLOCK
                self.rings[q.name] = into, slots(q) - 1
                room += width * slots(q)
            said = f"sent{rank(q, speaks.tiring)}" if tires(q) else "activity"
            amount = -1 if speaks.spikes and not tires(q) else speaks.rows.index(said) * BLOCK
            delay = q.delay if steps is None else 1
            ringed, mask = int(slots(q) > 1), slots(q) - 1
            table.append(
                (speaks.index, delay, into, ringed, width, mask, int(steps is not None), speakers,
                 amount, len(speaks.rows) * BLOCK)
            )  # fmt: skip
            starts.append(first + edges)
            places.append(place.astype(np.uint32))
            weights.append(np.asarray(weight, np.float32))
            if late:
                delays.append(np.zeros(place.size, np.int32) if steps is None else steps)
            speakers, edges = speakers + first.size, edges + place.size
        joined = lambda parts, kind: np.concatenate([np.zeros(0, kind), *parts])  # noqa: E731
        self.starts, self.places = joined(starts, np.int64), joined(places, np.uint32)
        self.weights, self.delays = joined(weights, np.float32), joined(delays, np.int32)
        self.table = np.array(table, np.int64).reshape(-1, 10)
        self.room = room

    def of(self, index: int, cell: int) -> slice:
        """The connections by which a cell speaks along a projection."""
        first = self.table[index, STARTS] + cell
        return slice(self.starts[first], self.starts[first + 1])


def sorted_edges(
    projection: Projection,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Where each speaking cell's connections begin; all targets, weights, delays (or `None`)."""
    wiring = projection.wiring
    post, pre = wiring.shape
    if isinstance(wiring, Sparse):  # without floats in between: there may be millions
        found: Sequence[Any] = (wiring.source, wiring.target)
    else:
        found = wiring.ends(jnp.arange(pre, dtype=jnp.float32), jnp.arange(post, dtype=jnp.float32))
    found = [*found, wiring.spread(projection.weight)]
    if projection.delays is not None:
        found.append(wiring.spread(projection.delays.astype(jnp.float32)))
    flat = [np.asarray(x) for x in found]
    if wiring.exists is not None:
        there = np.asarray(wiring.exists)
        flat = [np.broadcast_to(x, there.shape)[there] for x in flat]
    else:
        shape = np.broadcast_shapes(*(x.shape for x in flat))
        flat = [np.broadcast_to(x, shape).reshape(-1) for x in flat]
    source = flat[0].astype(np.int32)
    if np.any(source[1:] < source[:-1]):
        order = np.argsort(source, kind="stable")
        source, flat = source[order], [x[order] for x in flat]
    starts = np.searchsorted(source, np.arange(pre + 1))
    delays = flat[3].astype(np.int32) if len(flat) > 3 else None
    return starts, flat[1].astype(np.int64), flat[2], delays
