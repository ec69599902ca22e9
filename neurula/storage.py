"""Networks on disk: one safetensors file, with the structure as JSON in its header.

No code is stored and none is run on loading: parts are looked up on neurula's shelves and among
those that the caller names.
"""

import dataclasses
import inspect
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .files import whole
from .network import Network

FORMAT = 1


def save(network: Network, path: str | os.PathLike) -> Path:
    """Write a network to one file. Either all of it is there afterwards, or nothing new."""
    import safetensors.numpy

    arrays: dict[str, np.ndarray] = {}
    structure = _describe(network, "network", arrays)
    header = {"neurula": json.dumps({"format": FORMAT, "network": structure})}
    with whole(path) as temporary:
        temporary.write_bytes(safetensors.numpy.save(arrays, header))
    return Path(path)


def load(path: str | os.PathLike, *, parts: Sequence[type] = ()) -> Network:
    """Read a network. `parts` are the classes of your own that it uses."""
    import safetensors

    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["neurula"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if header["format"] == FORMAT:
            return _rebuild(header["network"], arrays, _known(parts))
    except (FileNotFoundError, ValueError):
        raise
    except Exception as error:
        raise ValueError(
            f"{path} should hold a network saved by `neurula.save`, but cannot be read as one "
            f"({type(error).__name__}: {error}). Save the network again."
        ) from None
    raise ValueError(
        f"{path} has format {header['format']}, but this neurula reads {FORMAT}. Load it with the "
        "version that wrote it, or install a newer neurula."
    )


def _describe(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, jax.Array | np.ndarray):
        arrays[name] = np.asarray(value)
        return {"array": name}
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        inside = {k: _describe(v, f"{name}.{k}", arrays) for k, v in fields.items()}
        return {"part": type(value).__name__, "fields": inside}
    if isinstance(value, dict):
        return {"dict": {k: _describe(v, f"{name}.{k}", arrays) for k, v in value.items()}}
    if isinstance(value, list | tuple):
        return {"tuple": [_describe(v, f"{name}.{i}", arrays) for i, v in enumerate(value)]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(
        f"A setting is a number, a text, an array or a part, but {name} is a "
        f"{type(value).__name__}, which a file cannot hold. Name it by a text, and look it up in "
        "the part."
    )


def _known(parts: Sequence[type]) -> dict[str, type]:
    from . import neurons, populations, synapses, wirings

    shelves = [vars(module).values() for module in (neurons, synapses, wirings, populations)]
    classes = [c for shelf in shelves for c in shelf if inspect.isclass(c)]
    return {c.__name__: c for c in [*classes, Network, *parts]}


def _rebuild(value: Any, arrays: dict[str, np.ndarray], known: dict[str, type]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return jnp.asarray(arrays[value["array"]])
    if "tuple" in value:
        return tuple(_rebuild(v, arrays, known) for v in value["tuple"])
    if "dict" in value:
        return {k: _rebuild(v, arrays, known) for k, v in value["dict"].items()}
    if value["part"] not in known:
        raise ValueError(
            f"The network uses the part {value['part']!r}, which is on no shelf of neurula. "
            f"If it is yours: `neurula.load(path, parts=[{value['part']}])`."
        )
    return known[value["part"]](
        **{k: _rebuild(v, arrays, known) for k, v in value["fields"].items()}
    )
