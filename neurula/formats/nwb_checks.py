"""What is wrong with a file that should hold NWB, or with its times."""

import contextlib
import os
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..extras import needed
from .hdf5 import check_hdf5

MANY = 100  # intervals between spikes that are enough to judge by
SHORT, SLOW = 0.1, 0.2  # s, Hz; random firing has 1 interval in 100 below SHORT above 0.1 Hz
LONG = 7 * 86_400.0  # s; 10 minutes in milliseconds
RATIO = 300.0, 3000.0  # between two clocks of a session, if one of them counts milliseconds


@contextlib.contextmanager
def opened(path: str | os.PathLike) -> Generator[Any, None, None]:
    """The NWB file at a path, open for reading."""
    pynwb, h5py = needed("pynwb", "nwb"), needed("h5py", "nwb")
    check_hdf5(path)
    try:
        with h5py.File(path, "r") as file:
            version = file.attrs.get("nwb_version")
    except OSError as error:
        raise ValueError(_damaged(path, error)) from None
    if version is None:
        raise ValueError(
            f"{path} should be an NWB file, but is an HDF5 file without `nwb_version`: something "
            "else lies in it. Read it with `h5py.File(path)` and make a `Recording` of it."
        )
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(pynwb.NWBHDF5IO(str(path), "r")).read()
        except Exception as error:
            raise ValueError(_damaged(path, error)) from error
        try:
            yield file
        except OSError as error:  # what is read late was not there
            raise ValueError(_damaged(path, error)) from None


def _damaged(path: Any, error: Exception) -> str:
    return (
        f"{path} should be an NWB file of {Path(path).stat().st_size:,} bytes, but cannot be read "
        f"({type(error).__name__}: {error}): it was cut off or damaged. Copy or download it again, "
        "and compare sizes."
    )


def check_name(name: str) -> None:
    """Refuse a name that would be taken for a path inside the file."""
    if "/" in name or ":" in name or not name:
        raise ValueError(
            f"The name of a series becomes part of a path inside the file, but got {name!r}: '/' "
            f"and ':' divide paths. Call it {name.replace('/', ' ').replace(':', ' ')!r}."
        )


def check_series(name: str, values: np.ndarray, times: np.ndarray) -> None:
    """Refuse a time series without a time for each row, in order."""
    if len(values) != len(times):
        raise ValueError(
            f"A series has a time for each row of values, but {name!r} has {len(values)} rows and "
            f"{len(times)} times. Perhaps time is not the first axis: try `values.T`."
        )
    back = int((~(np.diff(times) >= 0)).sum())
    if len(times) == 0 or back or not np.isfinite(times).all():
        raise ValueError(
            f"The times of a series ascend, but of the {len(times)} times of {name!r} {back} come "
            "before the one before them, or are not finite: nobody could tell what came first. "
            "Sort the rows by `np.argsort(times)`, or read other series by naming them: "
            '`from_nwb(path, series=["position"])`.'
        )


def check_order(where: Any, trains: Sequence[np.ndarray]) -> None:
    """Refuse spike times (s) of a cell that do not ascend."""
    for cell, train in enumerate(trains):
        wrong = np.flatnonzero(~(np.diff(train) >= 0))
        if len(wrong) or not np.isfinite(train).all():
            at = int(wrong[0]) if len(wrong) else 0
            near = ", ".join(f"{x:g}" for x in train[at : at + 2])
            raise ValueError(
                f"{where}: the spike times of a cell ascend, but those of unit {cell} do not: "
                f"spikes {at} and {at + 1} of {len(train)} are at {near} s. Times of several cells "
                "or trials may be mixed. If they are right but out of order, write them again, "
                "each unit's with `np.sort(times)`."
            )


def check_seconds(where: Any, trains: Sequence[np.ndarray], ends: Mapping[str, float]) -> None:
    """Refuse times that look like milliseconds. `ends` says when other clocks stop, s.

    Three signs, any of them enough: the last spike comes 300 to 3000 times later than the end of
    anything else in the file, or the other way round; 100 intervals or more between spikes have a
    mean above 5 s, and not one in 100 is below 0.1 s; something lasts over 7 days.
    """
    last = max((float(train[-1]) for train in trains if len(train)), default=0.0)
    advice = (
        "NWB counts in seconds. Divide the times by 1000 and write them again, or, if they are "
        "right: `from_nwb(path, trust=True)`."
    )
    for name, end in ends.items():
        for slow, quick in ((last, end), (end, last)):
            if quick > 0 and RATIO[0] <= slow / quick <= RATIO[1]:
                raise ValueError(
                    f"{where}: spikes and {name!r} should end at about the same time, but spikes "
                    f"end at {last:g} s and {name!r} at {end:g} s, {slow / quick:.0f} times apart: "
                    f"one of them looks like milliseconds. {advice}"
                )
    gaps = np.concatenate([np.diff(train) for train in trains]) if trains else np.zeros(0)
    rate = 1 / gaps.mean() if len(gaps) >= MANY else np.inf
    if rate < SLOW and np.quantile(gaps, 0.01) >= SHORT:
        raise ValueError(
            f"{where}: cells that fire should do so {SLOW} times a second or more, or twice within "
            f"{SHORT} s now and then, but of {len(gaps)} intervals the mean is {gaps.mean():.4g} s "
            f"({rate:.3g} spikes a second) and 99 in 100 are above "
            f"{np.quantile(gaps, 0.01):.3g} s: times look like milliseconds. {advice}"
        )
    for name, end in {"the spikes": last, **ends}.items():
        if end > LONG:
            raise ValueError(
                f"{where}: a session should last at most {LONG:g} s (7 days), but {name} end at "
                f"{end:.6g} s: times look like milliseconds. {advice}"
            )
