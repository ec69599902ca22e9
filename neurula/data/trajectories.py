"""Where two freely foraging rats were: a small square arena and a large rectangular one.

Sargolini et al. 2006, Science 312, 758-762; Tanni et al. 2022, Current Biology 32, 3505-3514.
"""

import io

import numpy as np

from .dataset import DataSet, Files
from .packages import Pip


def _read(files: Files) -> dict[str, np.ndarray]:
    arrays = {}
    for name, content in zip(("sargolini", "tanni"), files.values(), strict=True):
        with np.load(io.BytesIO(content)) as rat:
            arrays[f"{name}_time"], arrays[f"{name}_position"] = rat["t"], rat["pos"]
    return arrays


TRAJECTORIES = DataSet(
    name="trajectories",
    holds="sargolini_time (29800,) s at 50 Hz, sargolini_position (29800, 2) m in 1.0 x 1.0; "
    "tanni_time (219670,) s at 30 Hz, tanni_position (219670, 2) m in 3.5 x 2.5. No spikes",
    citation="Sargolini et al. 2006, Conjunctive representation of position, direction, and "
    "velocity in entorhinal cortex, Science 312, 758-762, doi 10.1126/science.1125572; Tanni et "
    "al. 2022, State transitions in the statistically stable place cell population correspond to "
    "rate of perceptual change, Current Biology 32, 3505-3514, doi 10.1016/j.cub.2022.06.046",
    licence="MIT (the package, which republishes them with permission of the authors)",
    package=Pip("ratinabox==1.15.3"),
    files=("ratinabox/data/sargolini.npz", "ratinabox/data/tanni.npz"),
    checksum="148e79486f1188be9322f9a72b4b42a25ce9f427d641a8c971bf1a524938a885",
    size=2_727_727,
    read=_read,
)
