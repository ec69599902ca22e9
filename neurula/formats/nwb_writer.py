"""Spikes and behaviour into NWB, the file format in which neurophysiologists share data.

Rübel et al. (2022), eLife 11:e78362. Times are milliseconds here and seconds in the file.
"""

import datetime
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..contracts import Recording
from ..extras import needed
from ..files import whole
from ..simulation import Simulated, Spikes, count
from .nwb_checks import check_name, check_order, check_series

METRES = ("meters", "metres", "m")


class Series(NamedTuple):
    """A quantity over time, such as where an animal is: one row of values per time."""

    values: np.ndarray  # (time, ...)
    times: np.ndarray  # ms, ascending
    unit: str  # NWB wants SI units: "meters", "volts"; "a.u." for none


class Recorded(NamedTuple):
    """Who fired when, by population, and what else was recorded, by name."""

    spikes: dict[str, Spikes]
    sizes: dict[str, int]  # how many cells, by population
    series: dict[str, Series]
    duration: float  # ms
    dt: float | None = None  # ms; how finely spikes are dated, if known

    def recording(self, population: str, *, bin_width: float = 10.0) -> Recording:
        """The spikes of every cell in every bin of `bin_width` ms, as measures see them."""
        return count(self, population, bin_width, "NWB")


def to_nwb(
    data: Simulated | Recorded | Recording,
    path: str | os.PathLike,
    *,
    dt: float | None = None,
    series: Mapping[str, Series] | None = None,
    description: str = "A simulation with neurula.",
    start: datetime.datetime | None = None,
    subject: Mapping[str, str] | None = None,
    **about: Any,
) -> Path:
    """Write spikes as a table of units, and everything else as time series.

    Traces of a simulation have the shape (time, quantity, cell). A `Recording` needs `dt`, the ms
    between its samples. `series` adds behaviour; what is in metres becomes a position. `start` is
    the date of the session (default: now); `subject` (`subject_id`, `species`, `sex`, `age`) and
    `about` (`experimenter`, `institution`, `keywords`, ...) are passed on to `pynwb`. Either all is
    there afterwards, or nothing new.

    Raises `ValueError` for times that are not in order, and for labels, which NWB has no place for.
    """
    pynwb = needed("pynwb", "nwb")
    found = _gathered(data, dt)
    found = found._replace(series=found.series | dict(series or {}))
    for name, each in found.series.items():
        check_name(name)
        check_series(name, each.values, each.times)
    file = pynwb.NWBFile(
        session_description=description,
        identifier=str(uuid.uuid4()),
        session_start_time=start or datetime.datetime.now(datetime.UTC),
        subject=None if subject is None else needed("pynwb.file", "nwb").Subject(**subject),
        **about,
    )
    if found.sizes:
        _add_units(file, found)
    for name, each in found.series.items():
        _add_series(file, name, each, behaviour=series is not None and name in series)
    with whole(path) as temporary, pynwb.NWBHDF5IO(str(temporary), "w") as io:
        io.write(file)
    return Path(path)


def _gathered(data: Simulated | Recorded | Recording, dt: float | None) -> Recorded:
    """What there is to write, whatever it came in."""
    if isinstance(data, Recorded):
        return data
    if isinstance(data, Simulated):
        traces = {
            f"{name} traces": Series(trace, (np.arange(len(trace)) + 1) * data.dt, "a.u.")
            for name, trace in data.traces.items()
        }
        return Recorded(data.spikes, data.sizes, traces, data.duration, data.dt)
    if dt is None or not dt > 0:
        raise ValueError(
            f"A recording does not know how far apart its samples are, but got dt={dt}: NWB needs "
            "a time for each. Give the ms from one to the next: `to_nwb(recording, path, dt=10.0)`."
        )
    if data.labels:
        raise ValueError(
            f"The recording {data.name!r} has labels {sorted(data.labels)}, but a time series in "
            "NWB has none: they would be lost. Write those that are numbers beside it: "
            '`to_nwb(unlabelled, path, dt=dt, series={"x": Series(values, times, "a.u.")})`.'
        )
    values = np.asarray(data.responses)
    times = (np.arange(len(values)) + 1) * dt
    return Recorded({}, {}, {data.name: Series(values, times, "a.u.")}, len(values) * dt)


def _add_units(file: Any, found: Recorded) -> None:
    """The table of units, column by column: row by row it would take a millisecond each."""
    from hdmf.common import VectorData, VectorIndex
    from pynwb.misc import Units

    resolution = None if found.dt is None else found.dt / 1000
    trains = [train for name in found.spikes for train in _trains(name, found)]
    times = np.concatenate([*trains, np.zeros(0)])
    watched = np.tile([[0.0, found.duration / 1000]], (len(trains), 1))
    names = [name for name in found.spikes for _ in range(found.sizes[name])]
    numbers = [cell for name in found.spikes for cell in range(found.sizes[name])]
    columns = []
    for name, says, data, ends in (
        (
            "spike_times",
            "When the cell fired, s.",
            times,
            np.cumsum([len(train) for train in trains]),
        ),
        (
            "obs_intervals",
            "From when to when it was watched, s.",
            watched,
            np.arange(len(trains)) + 1,
        ),
        ("population", "The population that the cell belongs to.", names, None),
        ("cell", "The number of the cell in its population, from zero.", numbers, None),
    ):
        columns.append(VectorData(name=name, description=says, data=data))
        if ends is not None:
            columns.append(VectorIndex(name=f"{name}_index", data=ends, target=columns[-1]))
    file.units = Units(
        name="units",
        description="Cells, by population.",
        resolution=resolution,
        columns=columns,
        colnames=["spike_times", "obs_intervals", "population", "cell"],
        id=np.arange(len(trains)),
    )


def _trains(name: str, found: Recorded) -> list[np.ndarray]:
    """The spike times of every cell of a population, s."""
    times, cells = found.spikes[name]
    if len(cells) and not 0 <= cells.min() <= cells.max() < found.sizes[name]:
        raise ValueError(
            f"Cells of {name!r} are numbered from 0 to {found.sizes[name] - 1}, but spikes are "
            f"of cells {cells.min()} to {cells.max()}. Correct `sizes[{name!r}]`."
        )
    order = np.argsort(cells, kind="stable")
    ends = np.searchsorted(cells[order], np.arange(1, found.sizes[name]))
    trains = np.split(np.asarray(times, float)[order] / 1000, ends)
    check_order(name, trains)
    return trains


def _add_series(file: Any, name: str, series: Series, *, behaviour: bool) -> None:
    """Behaviour into the module of that name, the rest among what was acquired."""
    from pynwb import TimeSeries
    from pynwb.behavior import BehavioralTimeSeries, Position, SpatialSeries

    times = np.asarray(series.times, float) / 1000
    gap = (times[-1] - times[0]) / max(len(times) - 1, 1)
    regular = gap > 0 and np.allclose(np.diff(times), gap, rtol=1e-6, atol=1e-9)
    when = {"timestamps": times}
    if regular:
        when = {"starting_time": float(times[0]), "rate": float(1 / gap)}
    says = f"{name}, from neurula."
    settings = {"name": name, "data": np.asarray(series.values), "description": says, **when}
    if not behaviour:
        file.add_acquisition(TimeSeries(unit=series.unit, **settings))
        return
    module = file.processing.get("behavior") or file.create_processing_module(
        "behavior", "What was done and where."
    )
    place = series.unit in METRES
    kind, inside = (Position, SpatialSeries) if place else (BehavioralTimeSeries, TimeSeries)
    more = {"unit": "meters", "reference_frame": "unknown"} if place else {"unit": series.unit}
    held = inside(**settings, **more)
    if kind.__name__ not in module.data_interfaces:
        module.add(kind(name=kind.__name__))
    box = module[kind.__name__]
    (box.add_spatial_series if place else box.add_timeseries)(held)
