"""Who talks to whom. To add one: a file here, and a line below."""

from .columns import (
    Bundle as Bundle,
    Laminar as Laminar,
    column as column,
    join as join,
    sheet as sheet,
    stream as stream,
)
from .dense import Dense as Dense
from .graphs import (
    acyclic as acyclic,
    from_edges as from_edges,
    random as random,
    small_world as small_world,
    spatial as spatial,
)
from .grid import Grid as Grid
from .laminae import POTJANS as POTJANS, THOMSON as THOMSON, Laminae as Laminae
from .one_to_one import OneToOne as OneToOne
from .patches import patches as patches
from .rewired import WAYS as WAYS, rewired as rewired
from .sparse import Sparse as Sparse
from .transposed import Transposed as Transposed
