"""What something was made of, in words that can be compared with what it is made of today."""

import dataclasses
import functools
import hashlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np


def settings_of(thing: Any, name: str) -> dict[str, str]:
    """Every setting inside of `thing`, by its path: {"genome.mutation": "0.1", ...}.

    Arrays are told apart by their bytes, functions by their name and by what they hold (not by
    their code).
    """
    return dict(_walk(thing, name, ()))


def differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The settings that are not what they were, each in words."""
    names = [*then, *(name for name in now if name not in then)]
    found = [(name, then.get(name, "absent"), now.get(name, "absent")) for name in names]
    return [f"{name} was {old} and is {new}" for name, old, new in found if old != new]


def _walk(value: Any, name: str, above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    if id(value) in above:
        yield name, "itself"
        return
    inside = _parts(value)
    yield name, _said(value)
    for part, held in inside.items():
        yield from _walk(held, f"{name}.{part}", (*above, id(value)))


def _parts(value: Any) -> dict[str, Any]:
    """What a thing holds, by name."""
    if isinstance(value, type):
        return {}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): held for key, held in value.items()}
    if hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=True))
    if isinstance(value, list | tuple):
        return {str(i): held for i, held in enumerate(value)}
    if isinstance(value, functools.partial):
        return {"function": value.func, "given": value.args, "named": value.keywords}
    if inspect.ismethod(value):
        return {"of": value.__self__}
    cells = getattr(value, "__closure__", None) or ()
    names = getattr(getattr(value, "__code__", None), "co_freevars", ())
    return {
        name: cell.cell_contents for name, cell in zip(names, cells, strict=True) if _full(cell)
    }


def _full(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _said(value: Any) -> str:
    """One thing in a word, the same in every process."""
    if isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        value = np.asarray(value)
        if value.ndim == 0:
            return repr(value.item())
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:12]
        return f"{value.dtype} {value.shape} {digest}"
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    kind = value if hasattr(value, "__qualname__") else type(value)
    return f"{getattr(kind, '__module__', '')}.{kind.__qualname__}"
