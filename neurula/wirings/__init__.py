"""Who talks to whom. To add one: a file here, and a line below."""

from .dense import Dense as Dense
from .graphs import (
    acyclic as acyclic,
    from_edges as from_edges,
    random as random,
    small_world as small_world,
    spatial as spatial,
)
from .grid import Grid as Grid
from .one_to_one import OneToOne as OneToOne
from .patches import patches as patches
from .sparse import Sparse as Sparse
from .transposed import Transposed as Transposed
