"""Settings that are numbers within limits, and what is said of one that is not."""

import dataclasses
import math
from typing import Any

import numpy as np
from jax.core import Tracer


def require_between(
    part: Any, names: str, low: float, high: float = math.inf, *, above: bool = False
) -> None:
    """Raise `ValueError` where a field of `part`, of those named, lies outside `low` to `high`.

    So does NaN, and `low` itself if it has to be `above`. None, and what is known only when a
    compiled program runs, pass.
    """
    wrong, usual = [], []
    defaults = {field.name: field.default for field in dataclasses.fields(part)}
    for name in names.split():
        value = getattr(part, name)
        if value is None or isinstance(value, Tracer) or _within(value, low, high, above):
            continue
        wrong.append(f"{name}={value}")
        default = defaults[name]
        none = default is dataclasses.MISSING or default is None
        usual.append(f"{name}={max(low, 1):g}" if none else f"{name}={default}")
    if wrong:
        kind = type(part).__name__
        span = (
            f"from {low:g} to {high:g}"
            if high < math.inf
            else f"{'above' if above else 'at least'} {low:g}"
        )
        why = "chances and shares" if high == 1 else "counts, rates, lengths and spreads"
        raise ValueError(
            f"`{kind}` needs {' and '.join(w.split('=')[0] for w in wrong)} to be {span}, as "
            f"{why} are, but got {', '.join(wrong)}. Use for example "
            f"`{kind}(..., {', '.join(usual)})`."
        )


def require_discount(discount: Any, example: str) -> None:
    """Raise `ValueError` for a discount outside 0 to 1; arrays pass."""
    if isinstance(discount, float | int) and not 0 <= discount <= 1:
        raise ValueError(
            f"A discount lies between 0 and 1, got {discount}: what comes later would count more "
            f"the later it comes, without end. Use for example {example}."
        )


def require_kind(part: Any, name: str, kind: type, example: str) -> None:
    """Raise `ValueError` where a field of `part` is not of a `kind`."""
    value = getattr(part, name)
    if not isinstance(value, kind):
        raise ValueError(
            f"`{type(part).__name__}` needs {name} to be of type {kind.__name__}, but got "
            f"{type(value).__name__}, out of which it could grow nothing. Use for example "
            f"`{example}`."
        )


def _within(value: Any, low: float, high: float, above: bool) -> bool:
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "biuf":
        return False
    reached = numbers > low if above else numbers >= low
    return bool(np.all(reached & (numbers <= high)))
