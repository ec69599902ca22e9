"""Writes numbers for readers: significant digits, powers of ten, a real minus sign."""

import math
from collections.abc import Sequence
from typing import Any

from .progress import duration

NONE, MINUS, TIMES = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: Any, digits: int = 3) -> str:
    """A number for readers: some significant digits, powers of ten, a real minus, or a dash."""
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        return str(value)
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(value)
    if size and not 1e-4 <= size < 1e7:
        fraction, power = f"{size:.{digits - 1}e}".split("e")
        text = f"{float(fraction):g} {TIMES} 10{str(int(power)).translate(RAISED)}"
    elif float(value).is_integer():
        text = f"{size:,.0f}"
    else:
        decimals = max(0, digits - 1 - math.floor(math.log10(size)))
        text = f"{size:,.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{MINUS}{text}" if value < 0 else text


def alike(*values: int | float | None) -> list[str]:
    """Numbers with as many decimals as their spread deserves; far from one, each for itself."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    spread = max(known, default=0.0) - min(known, default=0.0)
    if not 1e-4 < spread < 1e5:
        return [number(value) for value in values]
    decimals = max(0, 1 - math.floor(math.log10(spread)))
    rounded = [None if value is None else round(value, decimals) + 0.0 for value in values]
    return [
        NONE if value is None else f"{value:,.{decimals}f}".replace("-", MINUS) for value in rounded
    ]


def p_value(p: int | float | None) -> str:
    """A p-value with two digits."""
    return NONE if p is None else "<\N{NO-BREAK SPACE}0.001" if p < 0.001 else number(p, 2)


def seconds(value: int | float | None) -> str:
    """A time in words."""
    return NONE if value is None else f"{number(value, 2)} s" if value < 10 else duration(value)


def listed(values: Sequence[int]) -> str:
    """Integers, runs of neighbours as a range: `0 to 9, 12`."""
    parts: list[list[int]] = []
    for value in sorted(values):
        if parts and value == parts[-1][-1] + 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    return ", ".join(f"{p[0]} to {p[-1]}" if len(p) > 2 else ", ".join(map(str, p)) for p in parts)
