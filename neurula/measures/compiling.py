"""Loops for machine code, kept between runs. `numba` is imported with this file: import it late."""

import inspect
from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The loop, compiled when it is first called; without what run-time type checks put around."""
    loop = inspect.unwrap(function)
    try:
        return numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # no folder can be written, so nothing can be kept
        return numba.njit(nogil=True)(loop)
