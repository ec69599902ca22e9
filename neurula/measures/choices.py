"""Refuse a choice that there is not, and list those there are."""

from typing import Any, get_args


def check_choice(given: str, choices: Any, called: str, example: str) -> None:
    """Raise `ValueError` if `given` is none of the strings of a `Literal`."""
    if given not in get_args(choices):
        raise ValueError(
            f"Expected {called} among {', '.join(get_args(choices))}, but got {given!r}, which "
            f"has no formula here. Write `{example}`."
        )
