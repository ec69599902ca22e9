"""A rat with place and grid cells in RatInABox: timed for a while, then a longer path alone.

    python on_ratinabox.py given.npz result.npz

pip install ratinabox==1.15.3
"""

import importlib.metadata
import sys
import time
import warnings

import numpy as np
import ratinabox
from ratinabox import Agent, Environment
from ratinabox.Neurons import GridCells, PlaceCells

warnings.simplefilter("ignore")
ratinabox.verbose = False


def room(given):
    """The environment and an agent in it."""
    world = Environment(params={"scale": 1, "walls": given["walls"].tolist()})
    return world, Agent(world, params={"dt": float(given["dt"])})


def main() -> None:
    """Seconds for all, rates and path, and the positions of a longer path."""
    given = np.load(sys.argv[1])
    np.random.seed(0)
    _, rat = room(given)
    sight = "line_of_sight" if len(given["walls"]) else "euclidean"
    place = PlaceCells(
        rat,
        params={
            "place_cell_centres": given["centres"],
            "widths": float(given["spread"]),
            "wall_geometry": sight,
        },
    )
    cells = given["offset"].shape[1]
    # Its scale is the length of a wave, sqrt(3) / 2 of the spacing; waves stand 30 degrees off.
    wave = np.repeat(given["spacing"] * np.sqrt(3) / 2, cells)
    grid = GridCells(
        rat,
        params={
            "gridscale": wave,
            "orientation": np.repeat(given["orientation"] + np.pi / 6, cells),
            "phase_offset": 2 * np.pi * given["offset"].reshape(-1, 2) / wave[:, None],
            "description": "shifted_cosines",
        },
    )
    steps = round(float(given["seconds"]) / rat.dt)
    began = time.perf_counter()
    for _ in range(steps):
        rat.update()
        place.update()
        grid.update()
    seconds = time.perf_counter() - began
    rates = [np.array(each.history["firingrate"]) for each in (place, grid)]
    for _ in range(round(float(given["long"]) / rat.dt) - steps):
        rat.update()
    np.savez(
        sys.argv[2],
        seconds=seconds,
        rates=np.concatenate(rates, 1),
        positions=np.array(rat.history["pos"]),
        version=importlib.metadata.version("ratinabox"),
    )


if __name__ == "__main__":
    main()
