"""Refuse what would not fit, with numbers, before anything is allocated."""

import os

PAIRS = "the number of pairs grows with the square of the number of stimuli"


def available() -> int | None:
    """Bytes that can still be had without swapping; `None` where the system does not say."""
    try:
        with open("/proc/meminfo") as lines:
            found = dict(line.split(":", 1) for line in lines)
        return 1024 * int(found["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def afford(needed: int, what: str, why: str, advice: str) -> None:
    """Raise `MemoryError` if `needed` bytes are more than there are."""
    free = available()
    if free is not None and needed > free:
        raise MemoryError(
            f"{what} need {needed / 2**30:.3g} GiB, but {free / 2**30:.3g} GiB are free: {why}. "
            f"{advice}"
        )
