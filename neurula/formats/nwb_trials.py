"""Responses to stimuli out of an NWB file: spikes per second of every unit in every trial.

Tables of presentations and areas of electrodes are those of the Allen Brain Observatory: Siegle et
al. (2021), Nature 592:86.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..contracts import Recording
from .nwb_checks import check_order, opened

NAMES = (
    "stimulus", "stimulus_id", "image", "image_name", "condition", "label", "frame",
    "stimulus_name",
)  # fmt: skip
GRATINGS = (
    "orientation", "direction", "spatial_frequency", "temporal_frequency", "phase", "contrast",
    "color", "x_position", "y_position",
)  # fmt: skip
AREAS = ("area", "brain_area", "location", "structure_acronym", "ecephys_structure_acronym")
NO_STIMULI = ("epochs", "invalid_times")


def responses_of_trials(path: Path, table: str = "") -> dict[str, tuple[Recording, ...]]:
    """By area, the rates (presentation, unit), Hz, between start and stop of each presentation.

    `table` is the name of a table of intervals; without it the trials count, or the only other
    table. A column among `NAMES` that differs between rows names the stimuli; without one, all
    columns among `GRATINGS` do. Areas are those of a column among `AREAS`, of units or of their
    electrodes; without one all units are in one area, called by the file.

    Raises `ValueError` where units, the table or names are missing, or several tables are there.
    """
    with opened(path) as file:
        units, shown = file.units, _table(file, path, table)
        stimuli = _stimuli(shown) if shown is not None else None
        if units is None or "spike_times" not in units.colnames or stimuli is None:
            has = "units" if units is not None else "no units"
            columns = sorted(shown.colnames) if shown is not None else "no trials"
            raise ValueError(
                f"Expected in {path} units with spike times and a table of trials with a column "
                f"among {', '.join((*NAMES, *GRATINGS))}, but found {has} and {columns}. Responses "
                "are counted between start and stop of a stimulus: add the column with "
                "`nwbfile.add_trial_column`."
            )
        begin, end = (np.asarray(shown[name][:], float) for name in ("start_time", "stop_time"))
        trains = [np.asarray(train, float) for train in units["spike_times"][:]]
        areas = _areas(file) or [path.stem] * len(trains)
    check_order(path, trains)
    if not len(begin) or not np.all(end > begin):
        raise ValueError(
            f"Expected in {path} trials that last longer than 0 s, but of {len(begin)} trials "
            f"{np.count_nonzero(~(end > begin))} do not: a rate needs a time. Mend their stop_time."
        )
    counts = np.stack([np.searchsorted(t, end) - np.searchsorted(t, begin) for t in trains], 1)
    rates, labels = counts / (end - begin)[:, None], {"stimulus": tuple(stimuli)}
    found = {}
    for area in dict.fromkeys(areas):
        mine = rates[:, [k for k, each in enumerate(areas) if each == area]]
        found[area] = (Recording(mine, area, source=str(path), labels=labels),)
    return found


def _table(file: Any, path: Path, name: str) -> Any:
    """The table of what was shown; `None` if there is none."""
    tables = {k: v for k, v in (file.intervals or {}).items() if k not in NO_STIMULI}
    if file.trials is not None:
        tables["trials"] = file.trials
    if name and name not in tables:
        raise ValueError(
            f"Expected the table {name!r} in {path}, but it has {', '.join(tables) or 'none'}. "
            "Write one of these behind the file and a colon."
        )
    if name or "trials" in tables:
        return tables[name or "trials"]
    if len(tables) > 1:
        raise ValueError(
            f"Expected one table of presentations in {path}, but it has {', '.join(tables)}: each "
            f"holds stimuli of another kind. Say which: {path.name}:{next(iter(tables))}"
        )
    return next(iter(tables.values()), None)


def _stimuli(shown: Any) -> list[str] | None:
    """The name of the stimulus of every row; `None` where no column gives one."""
    columns = {
        k: [_text(x) for x in shown[k][:]] for k in (*NAMES, *GRATINGS) if k in shown.colnames
    }
    names = [columns[k] for k in NAMES if k in columns]
    if told := next((each for each in names if len(set(each)) > 1), None):
        return told
    if kinds := [k for k in GRATINGS if k in columns and len(set(columns[k])) > 1]:
        rows = zip(*(columns[k] for k in kinds), strict=True)
        return [", ".join(f"{k} {x}" for k, x in zip(kinds, row, strict=True)) for row in rows]
    return names[0] if names else None


def _text(value: Any) -> str:
    """Numbers as short as they are: a frame 3.0 is picture 3."""
    if isinstance(value, bytes):
        return value.decode()
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _areas(file: Any) -> list[str] | None:
    """The area of every unit, from the units or from their electrodes; `None` if nobody says."""
    units, electrodes = file.units, file.electrodes
    if own := next((name for name in AREAS if name in units.colnames), None):
        return [_text(x) or "no area" for x in units[own][:]]
    there = () if electrodes is None else electrodes.colnames
    place = next((name for name in AREAS if name in there), None)
    if place is None:
        return None
    where = {int(k): _text(x) for k, x in zip(electrodes.id[:], electrodes[place][:], strict=True)}
    if "peak_channel_id" in units.colnames:
        return [where.get(int(k), "no area") for k in units["peak_channel_id"][:]]
    if "electrodes" in units.colnames:
        rows = [list(each.index) for each in units["electrodes"][:]]
        return [where.get(int(each[0]), "no area") if each else "no area" for each in rows]
    return None
