"""Refuse memories without cells, and memories that this computer cannot hold."""

from ..free_memory import afford

BYTES = 4  # of a number


def require_sizes(what: str, mend: str, **sizes: int) -> None:
    """Raise `ValueError` for a size below 1."""
    if small := {name: size for name, size in sizes.items() if size < 1}:
        name, size = next(iter(small.items()))
        raise ValueError(
            f"{what} expects {name} of 1 or more, got {size}. Without {name} nothing is taken in, "
            f"kept or given. Write {mend}."
        )


def afford_numbers(count: int, what: str, why: str, advice: str) -> None:
    """Raise `MemoryError` if so many numbers are more than this computer can hold."""
    afford(BYTES * count, what, why, advice)
