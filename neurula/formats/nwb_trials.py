"""Responses to stimuli out of an NWB file: spikes per second of every unit in every trial."""

from pathlib import Path

import numpy as np

from ..contracts import Recording
from .nwb_checks import check_order, opened

NAMES = ("stimulus", "stimulus_name", "stimulus_id", "image", "condition", "label")


def responses_of_trials(path: Path) -> Recording:
    """The rates (trial, unit), Hz, in the trials of a file, or its first other table of intervals.

    A column that names the stimulus is one of `NAMES`. Raises `ValueError` where units, trials or
    names are missing.
    """
    with opened(path) as file:
        units, trials = file.units, file.trials
        if trials is None:
            tables = [each for name, each in file.intervals.items() if name != "epochs"]
            trials = tables[0] if tables else None
        columns = set(trials.colnames) if trials is not None else set()
        named = next((name for name in NAMES if name in columns), None)
        if units is None or trials is None or named is None:
            raise ValueError(
                f"Expected in {path} units with spike times and a table of trials with a column "
                f"among {', '.join(NAMES)}, but found {'units' if units is not None else 'none'} "
                f"and the columns {sorted(columns)}. Responses are counted between start and stop "
                "of a stimulus: add the column with `nwbfile.add_trial_column`."
            )
        begin, end = (np.asarray(trials[name][:], float) for name in ("start_time", "stop_time"))
        stimuli = tuple(str(name) for name in trials[named][:])
        trains = [np.asarray(train, float) for train in units["spike_times"][:]]
    check_order(path, trains)
    if not len(begin) or not np.all(end > begin):
        raise ValueError(
            f"Expected in {path} trials that last longer than 0 s, but of {len(begin)} trials "
            f"{np.count_nonzero(end <= begin)} do not: a rate needs a time. Mend their stop_time."
        )
    counts = np.stack([np.searchsorted(t, end) - np.searchsorted(t, begin) for t in trains], 1)
    rates = counts / (end - begin)[:, None]
    return Recording(rates, Path(path).stem, source=str(path), labels={"stimulus": stimuli})
