"""A run on disk: everything that goes on, in one file that is there in full or not at all."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .files import whole

FORMAT = 1
Notes = dict[str, Any]  # as JSON holds them


def write_checkpoint(file: Path, tree: Any, notes: Notes) -> None:
    """Write the arrays of a tree, random keys included, and notes."""
    import safetensors.numpy

    arrays = {str(i): _plain(x) for i, x in enumerate(_arrays(tree))}
    header = {"format": FORMAT, "sum": _sum(arrays), "notes": notes}
    with whole(file) as part:
        part.write_bytes(safetensors.numpy.save(arrays, {"neurula": json.dumps(header)}))


def read_checkpoint(file: Path, like: Callable[[Notes], Any]) -> Any:
    """The tree: its structure, its shapes and whatever is no array are those of `like(notes)`.

    Raises `ValueError` for a file that is damaged, or of another version.
    """
    import safetensors

    try:
        with safetensors.safe_open(file, framework="numpy") as opened:
            header = json.loads((opened.metadata() or {})["neurula"])
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        version = header["format"]
        if version == FORMAT and header["sum"] != _sum(arrays):
            raise OSError("its numbers are not those that were written")
    except Exception as error:
        raise ValueError(
            f"{file} should hold a run that can go on, but cannot be read as one "
            f"({type(error).__name__}: {error}). Nothing can be saved from it: remove the file to "
            "begin anew, or put back a copy of it."
        ) from None
    if version != FORMAT:
        raise ValueError(
            f"{file} has format {version}, but this neurula goes on from format {FORMAT}: numbers "
            "would land in the wrong places. Go on with the version that wrote it, or name "
            "another folder."
        )
    return _restored(file, like(header["notes"]), arrays)


def _restored(file: Path, like: Any, arrays: dict[str, np.ndarray]) -> Any:
    places = _arrays(like)
    rooms = [(x.shape, str(x.dtype)) for x in map(_plain, places)]
    found = [(x.shape, str(x.dtype)) for x in (arrays[str(i)] for i in range(len(arrays)))]
    if rooms != found:
        raise ValueError(
            f"{file} holds {len(found)} arrays {found[:3]}..., but this run goes on from "
            f"{len(rooms)} {rooms[:3]}...: it was written by another version of a part. Go on with "
            "the version that wrote it, or name another folder."
        )
    dynamic, rest = eqx.partition(like, _is_array)
    new = [_like(old, arrays[str(i)]) for i, old in enumerate(places)]
    return eqx.combine(jax.tree.unflatten(jax.tree.structure(dynamic), new), rest)


def settled(tree: Any) -> Any:
    """The tree as it would come back from disk, so that a stop makes no difference."""
    return jax.tree.map(lambda x: _like(x, _plain(x)) if _is_array(x) else x, tree)


@contextlib.contextmanager
def alone(folder: Path) -> Generator[None, None, None]:
    """Hold a folder; a second holder gets a `ValueError`. Whoever dies lets go."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"A run lives in a folder, but {folder} is a file, in which nothing else can lie. Name "
            "another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "a+b") as held:
        try:
            _hold(held.fileno())
        except OSError:
            raise ValueError(
                f"{folder} belongs to one run at a time, but another one is running in it: each "
                "would undo what the other saves. Wait for it, or name another folder."
            ) from None
        yield


def _hold(file: int) -> None:
    """Lock a file until it is closed. Raises `OSError` if somebody holds it."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _arrays(tree: Any) -> list[Any]:
    return jax.tree.leaves(eqx.filter(tree, _is_array))


def _is_array(thing: Any) -> bool:
    return isinstance(thing, jax.Array | np.ndarray)


def _is_key(array: Any) -> bool:
    return jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key)


def _plain(array: Any) -> np.ndarray:
    return np.array(jax.random.key_data(array) if _is_key(array) else array, order="C")


def _like(old: Any, array: np.ndarray) -> Any:
    if _is_key(old):
        return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(old))
    return array if isinstance(old, np.ndarray) else jnp.asarray(array)


def _sum(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
