"""Cells that tell where an animal is. To add one: a file here, and a line below.

They are no neurons: a neuron turns inputs into activity over time, these turn a place into a rate.
"""

from .boundary_vector import (
    BoundaryVectorCells as BoundaryVectorCells,
    boundary_vector_cells as boundary_vector_cells,
)
from .grid import GridCells as GridCells, grid_cells as grid_cells
from .head_direction import (
    HeadDirectionCells as HeadDirectionCells,
    head_direction_cells as head_direction_cells,
)
from .place import PlaceCells as PlaceCells, place_cells as place_cells
from .spatial import (
    AbstractSpatialCells as AbstractSpatialCells,
    follow as follow,
    spikes as spikes,
)
