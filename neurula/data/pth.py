"""Tensors out of a PyTorch `.pth` file of the older kind, without PyTorch and without its code.

Such a file is a pickle, and a pickle may run any code. So here only the few names that tensors
need are allowed, and they stand for functions of this file that do nothing but keep numbers.
"""

import collections
import io
import pickle
import struct
from typing import Any, NamedTuple

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C  # the first number of every such file
_KINDS = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ByteStorage": np.dtype("<u1"),
}


class _Storage(NamedTuple):
    """Where numbers lie: those of this key, further behind in the file."""

    kind: np.dtype
    key: str


class _Tensor(NamedTuple):
    """A tensor as a view of a storage; offset and strides count numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Reader(pickle.Unpickler):
    """Knows tensors, storages and ordered dictionaries; refuses every other name."""

    _allowed = (
        {("torch", kind): kind for kind in _KINDS}
        | {("torch._utils", "_rebuild_tensor_v2"): _tensor}
        | {("collections", "OrderedDict"): collections.OrderedDict}
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._allowed:
            return self._allowed[module, name]
        raise pickle.UnpicklingError(
            f"Expected a file of tensors alone, and it names {module}.{name}, which might run "
            "code. Nothing of it was run. Save the tensors by themselves, and as safetensors: "
            "safetensors.torch.save_file(model.state_dict(), path)"
        )

    def persistent_load(self, pid: Any) -> _Storage:
        return _Storage(_KINDS[pid[1]], str(pid[2]))


def read_pth(content: bytes) -> dict[str, np.ndarray]:
    """The tensors of a state dictionary by name, from the bytes of a file.

    Raises `ValueError` for files that are truncated, of another kind, or hold anything but
    tensors.
    """
    stream = io.BytesIO(content)
    try:
        if _Reader(stream).load() != _MAGIC:
            raise ValueError("it does not begin as PyTorch's older files do")
        for _ in ("version", "machine"):
            _Reader(stream).load()
        tensors, keys = _Reader(stream).load(), _Reader(stream).load()
        kinds = {each.storage.key: each.storage.kind for each in tensors.values()}
        numbers = {key: _numbers(stream, kinds[key]) for key in keys}
        return {str(name): _view(numbers[each.storage.key], each) for name, each in tensors.items()}
    except (pickle.UnpicklingError, struct.error, *_DAMAGE) as error:
        raise ValueError(
            f"Expected a .pth file of tensors, older kind, and it does not open: {error}. It is "
            "damaged, or it was saved in another way, as a zip file or with a whole model inside. "
            "Save it again: torch.save(model.state_dict(), path, "
            "_use_new_zipfile_serialization=False)"
        ) from error


_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError)


def _numbers(stream: io.BytesIO, kind: np.dtype) -> np.ndarray:
    (size,) = struct.unpack("<q", stream.read(8))
    return np.frombuffer(stream.read(size * kind.itemsize), kind, count=size)


def _view(numbers: np.ndarray, tensor: _Tensor) -> np.ndarray:
    """A copy of the part of a storage that a tensor shows; checked, for strides can point away."""
    steps = [(n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True)]
    inside = tensor.offset >= 0 and min(steps, default=0) >= 0 and all(n > 0 for n in tensor.shape)
    if not inside or tensor.offset + sum(steps) >= len(numbers):
        raise ValueError(f"a tensor of shape {tensor.shape} reaches out of its storage")
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    part = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides)
    return part.copy()
