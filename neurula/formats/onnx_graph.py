"""Runs a network in an ONNX file, and gives its layers. ONNX Runtime does the work."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..extras import needed

MANY = 40  # layers that are all kept where none is chosen
BATCH = 16  # stimuli at once


def run_onnx(
    path: str | os.PathLike, shown: np.ndarray, layers: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """The activations (stimulus, ...) of the chosen layers: outputs of the graph's nodes, by name.

    `shown` (stimulus, ...) has to fit the graph's only input; images with colours last are turned
    if the graph wants them first. Without a choice up to 40 layers are kept, spread evenly, the
    last among them. Raises `ImportError` without the extra, `FileNotFoundError`, and `ValueError`
    for what is no such graph, for unknown layers (it lists those there are) and for other shapes.
    """
    onnx, runtime = needed("onnx", "onnx"), needed("onnxruntime", "onnx")
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"{path} should be an ONNX file, but there is none (looked from {Path.cwd()}). Export "
            "one: `torch.onnx.export(model, example, 'model.onnx')`."
        )
    try:
        graph = onnx.load(os.fspath(path))
        onnx.checker.check_model(graph)
    except Exception as error:  # protobuf and the checker have no common class
        raise ValueError(
            f"{path} should be a whole ONNX file, but could not be read: "
            f"{str(error).splitlines()[0][:200]}. Export or copy it again."
        ) from error
    there = [name for node in graph.graph.node for name in node.output if name]
    if unknown := [name for name in layers if name not in there]:
        raise ValueError(
            f"Expected layers of {path}, but it has no {', '.join(unknown)}. Its layers are the "
            f"outputs of its nodes: {', '.join(there)}."
        )
    spread = np.unique(np.linspace(0, len(there) - 1, min(MANY, len(there))).round().astype(int))
    kept = list(layers) or [there[k] for k in spread]
    known = {output.name for output in graph.graph.output}
    graph.graph.output.extend(onnx.ValueInfoProto(name=n) for n in kept if n not in known)
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    if len(inputs := session.get_inputs()) != 1:
        raise ValueError(
            f"Expected {path} to have one input, but it has {[i.name for i in inputs]}: what to "
            "show to which cannot be told. Export the network with one input."
        )
    return _played(session, inputs[0], kept, _turned(shown, inputs[0], path), path)


def _turned(shown: np.ndarray, wanted: Any, path: str | os.PathLike) -> np.ndarray:
    """Stimuli in the shape and type that the graph wants; sizes that it leaves open fit all."""
    shape = [size if isinstance(size, int) else None for size in wanted.shape][1:]
    if len(shape) == 3 and shape[0] in (1, 3) and shown.ndim == 4 and shown.shape[1] != shape[0]:
        shown = np.moveaxis(shown, -1, 1)
    pairs = zip(shown.shape[1:], shape, strict=False)
    if shown.ndim - 1 != len(shape) or any(size not in (None, have) for have, size in pairs):
        raise ValueError(
            f"{path} wants stimuli of the shape {wanted.shape} (words are free sizes), but got "
            f"{shown.shape}: resize and normalise them as the network was trained, and save them "
            "with `numpy.save('stimuli.npy', stimuli)`."
        )
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}
    return shown.astype(kinds.get(wanted.type, np.float32))


def _played(
    session: Any, entry: Any, kept: list[str], shown: np.ndarray, path: str | os.PathLike
) -> dict[str, np.ndarray]:
    """Batch after batch; one by one where the graph has a fixed batch size of one."""
    first = entry.shape[0]
    batch = first if isinstance(first, int) else BATCH
    if len(shown) % batch and isinstance(first, int):
        raise ValueError(
            f"{path} takes exactly {first} stimuli at once, but {len(shown)} cannot be shared out. "
            "Export it with a free batch size (`dynamic_axes`), or for one stimulus."
        )
    parts = [
        session.run(kept, {entry.name: shown[at : at + batch]})
        for at in range(0, len(shown), batch)
    ]
    found = {}
    for name, pieces in zip(kept, zip(*parts, strict=True), strict=True):
        if all(np.ndim(piece) >= 2 and piece.dtype.kind in "fiub" for piece in pieces):
            whole = np.concatenate(pieces)
            if len(whole) == len(shown):
                found[name] = whole.reshape(len(shown), -1)
    if not found:
        raise ValueError(
            f"None of the layers {kept} of {path} answers each stimulus with numbers of its own. "
            "Choose others with --layers."
        )
    return found
