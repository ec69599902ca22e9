"""Spikes and behaviour out of NWB, the file format in which neurophysiologists share data.

Rübel et al. (2022), eLife 11:e78362. Times are seconds in the file and milliseconds here.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..simulation import Spikes
from .nwb_checks import check_order, check_seconds, check_series, opened
from .nwb_writer import Recorded, Series


def from_nwb(
    path: str | os.PathLike, *, series: Sequence[str] | None = None, trust: bool = False
) -> Recorded:
    """Read the units and the time series of a file, or of the series only those that are named.

    Units become the cells of a population "units", or of those that a column `population` names.
    Values are in the unit that the file gives. `trust` skips the check for milliseconds.

    Raises `FileNotFoundError`, and `ValueError` for what is no NWB file or is cut off, for spike
    times that are not in order, and for times that look like milliseconds.
    """
    with opened(path) as file:
        units = _units(file)
        found = _all_series(file, series)
        resolution = getattr(file.units, "resolution", None) if units else None
    ends = {name: float(each.times[-1]) / 1000 for name, each in found.items() if len(each.times)}
    trains = [train for _, _, train, _ in units]
    check_order(path, trains)
    watched = [end for *_, end in units if end is not None]
    if watched:
        ends["the observed intervals"] = max(watched)
    if not trust:
        check_seconds(path, trains, ends)
    last = max([*ends.values(), *(train[-1] for train in trains if len(train)), 0.0])
    known = resolution is not None and resolution > 0
    spikes, sizes = _by_population(units)
    return Recorded(
        spikes, sizes, found, float(last) * 1000, float(resolution) * 1000 if known else None
    )


def _units(file: Any) -> list[tuple[str, int, np.ndarray, float | None]]:
    """Population, number, spike times (s) and the end of what was observed (s), unit by unit."""
    table = file.units
    if table is None or "spike_times" not in table.colnames:
        return []
    columns = set(table.colnames)
    named = "population" in columns
    numbers = table["cell"][:] if named and "cell" in columns else range(len(table))
    names = table["population"][:] if named else ["units"] * len(table)
    flat, ends = np.asarray(table["spike_times"].target[:], float), table["spike_times"].data[:]
    trains = np.split(flat, np.asarray(ends[:-1], int))
    last = [None] * len(table)
    if "obs_intervals" in columns:
        watched = [np.asarray(each) for each in table["obs_intervals"][:]]
        last = [float(each.max()) if each.size else None for each in watched]
    return [(str(n), int(c), t, e) for n, c, t, e in zip(names, numbers, trains, last, strict=True)]


def _by_population(units: Sequence[tuple[str, int, np.ndarray, float | None]]) -> Any:
    spikes, sizes = {}, {}
    for name in dict.fromkeys(name for name, *_ in units):
        mine = [(cell, train) for other, cell, train, _ in units if other == name]
        times = np.concatenate([train for _, train in mine])
        cells = np.repeat([cell for cell, _ in mine], [len(train) for _, train in mine])
        order = np.argsort(times, kind="stable")
        spikes[name] = Spikes(times[order] * 1000, cells[order].astype(np.int64))
        sizes[name] = max(cell for cell, _ in mine) + 1
    return spikes, sizes


def _all_series(file: Any, wanted: Sequence[str] | None) -> dict[str, Series]:
    """Every time series of numbers, in the unit that the file gives, by name."""
    from pynwb import TimeSeries
    from pynwb.image import ImageSeries

    every = [s for s in file.objects.values() if isinstance(s, TimeSeries)]
    every = [s for s in every if not isinstance(s, ImageSeries)]
    found = {}
    for each in every:
        twice = sum(other.name == each.name for other in every) > 1
        name = f"{each.parent.name}/{each.name}" if twice else each.name
        if (wanted is not None and name not in wanted) or not len(each.data):
            continue
        values = np.asarray(each.data[:]) * 1.0
        values = values * each.conversion * _by_channel(each) + each.offset
        if each.timestamps is not None:
            times = np.asarray(each.timestamps[:], float)
        else:
            times = each.starting_time + np.arange(len(values)) / each.rate
        check_series(name, values, times)
        found[name] = Series(values, times * 1000, str(each.unit))
    if missing := sorted(set(wanted or ()) - set(found)):
        raise ValueError(
            f"The file has the time series {[s.name for s in every]}, but got {missing}. Name "
            "some of these, or none for all of them."
        )
    return found


def _by_channel(series: Any) -> Any:
    factor = getattr(series, "channel_conversion", None)
    return 1.0 if factor is None else np.asarray(factor[:])
