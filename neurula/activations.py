"""What a model says to stimuli, layer by layer: out of a file, a function or a graph."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .contracts import Recording
from .formats.arrays import read_arrays
from .formats.matrices import STIMULI, texts
from .formats.responses import Contents, read_responses
from .importing import import_by_name, load_file
from .mistake import Mistake


class Stimuli:
    """What is shown: (stimulus, ...), usually pictures, and the names if they have any."""

    def __init__(self, shown: np.ndarray, names: tuple[str, ...] | None):
        self.shown, self.names = shown, names


def read_stimuli(path: str) -> Stimuli:
    """Stimuli out of a file: its only array that is no list of names, or the one called "images".

    Raises `Mistake` where it cannot be told which array they are.
    """
    arrays = read_arrays(path)
    named = next(
        (texts(a) for k, a in arrays.items() if k.lower() in STIMULI and a.ndim == 1), None
    )
    shown = {k: a for k, a in arrays.items() if a.dtype.kind in "fiub" and a.ndim >= 2}
    if "images" in shown:
        shown = {"images": shown["images"]}
    if len(shown) != 1:
        held = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise Mistake(
            f"Expected in {path} one array of stimuli (stimulus, height, width, colour), and found "
            f"{held}. Save it by the name of images: numpy.savez(path, images=..., stimuli=names)"
        )
    (array,) = shown.values()
    if named is not None and len(named) != len(array):
        raise Mistake(
            f"Expected in {path} a name for each stimulus, and found {len(named)} names for "
            f"{len(array)} stimuli. Save as many names as stimuli, in their order."
        )
    return Stimuli(array, named)


def read_model(model: str, stimuli: Stimuli | None, layers: tuple[str, ...] = ()) -> Contents:
    """The layers of MODEL: a file, `package.module:function`, `file.py:function` or a .onnx file.

    A function gets all stimuli at once and gives one array (stimulus, ...), or several by the name
    of their layer: of NumPy, JAX or PyTorch. `layers` are those to keep, in this order.
    """
    call = re.fullmatch(r"(?:(.+\.py)|(\w+(?:\.\w+)*)):(\w+)", model)
    if call or model.lower().endswith(".onnx"):
        if stimuli is None:
            raise Mistake(
                f"Expected stimuli to show to {model}, and got none. Give the file that holds "
                f"them: neurula compare {model} BRAIN --stimuli images.npz"
            )
        if call:
            said = ask(model, _function(call), stimuli.shown)
        else:
            from .formats.onnx_graph import run_onnx

            said = run_onnx(model, stimuli.shown, layers)
        found = _recorded(model, said, stimuli)
    else:
        found = read_responses(model, flatten=True)
    return chosen(found, layers, model)


def chosen(found: Contents, layers: tuple[str, ...], where: str) -> Contents:
    """The layers or areas that are asked for; all if none is. Raises `Mistake` for unknown ones."""
    there = [*found.recordings, *found.dissimilarities]
    if unknown := [name for name in layers if name not in there]:
        raise Mistake(
            f"Expected layers or areas of {where}, and it has no {', '.join(unknown)}. It has: "
            f"{', '.join(there)}"
        )
    if not layers:
        return found
    recordings = {name: found.recordings[name] for name in layers if name in found.recordings}
    rest = {name: found.dissimilarities[name] for name in layers if name in found.dissimilarities}
    return Contents(recordings, rest, found.named)


def _function(call: re.Match[str]) -> Any:
    file, module, name = call.groups()
    found = load_file(Path(file)) if file else import_by_name(module)
    if not callable(thing := getattr(found, name, None)):
        own = [k for k, v in vars(found).items() if callable(v) and not k.startswith("_")]
        raise Mistake(
            f"Expected a function {name} in {file or module}, and there is none. It has: "
            f"{', '.join(own) or 'no function'}"
        )
    return thing


def ask(model: str, function: Any, shown: np.ndarray) -> dict[str, np.ndarray]:
    """What a function says to stimuli, by layer. Raises `Mistake` for what is no such answer."""
    try:
        said = function(shown)
    except Exception as error:  # the user's code may raise anything
        raise Mistake(
            f"Expected {model} to answer {len(shown)} stimuli of the shape {shown.shape}, and it "
            f"raised {type(error).__name__}: {error}. It gets one NumPy array with all of them."
        ) from error
    by_layer = said if isinstance(said, Mapping) else {"output": said}
    found = {str(layer): _plain(values) for layer, values in by_layer.items()}
    for layer, values in found.items():
        if values.ndim < 2 or len(values) != len(shown) or values.dtype.kind not in "fiub":
            raise Mistake(
                f"Expected of {model} an array (stimulus, unit) of real numbers with "
                f"{len(shown)} rows, and its layer {layer!r} has the shape {values.shape} and the "
                f"type {values.dtype}. Return one row for each stimulus, in their order."
            )
    return found


def _plain(values: Any) -> np.ndarray:
    """NumPy from JAX, or from PyTorch, whose tensors may need a gradient and lie on a GPU."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return np.asarray(values)


def _recorded(model: str, said: Mapping[str, np.ndarray], stimuli: Stimuli) -> Contents:
    labels = {} if stimuli.names is None else {"stimulus": stimuli.names}
    recordings: dict[str, tuple[Recording, ...]] = {
        layer: (Recording(values.reshape(len(values), -1), layer, source=model, labels=labels),)
        for layer, values in said.items()
    }
    return Contents(recordings, {}, stimuli.names is not None)
