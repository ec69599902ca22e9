"""Numbers from recordings and networks. To add one: a file here, and a line below."""

from .agreement import kappa as kappa
from .alignment import alignment as alignment
from .autocorrelograms import autocorrelogram as autocorrelogram
from .border_scores import border_score as border_score
from .energy import energy as energy
from .filtered import filtered as filtered
from .grid_lattice import grid_lattice as grid_lattice
from .grid_scores import grid_score as grid_score
from .head_direction import head_direction as head_direction
from .information import spatial_information as spatial_information
from .place_fields import place_fields as place_fields
from .rate_maps import rate_map as rate_map
from .readout import readout as readout
from .spike_counts import (
    correlogram as correlogram,
    fano_factor as fano_factor,
    spike_counts as spike_counts,
)
from .spike_patterns import (
    adaptation_index as adaptation_index,
    first_burst as first_burst,
    pauses as pauses,
    spike_times as spike_times,
    variation as variation,
)
from .spike_tiling import spike_time_tiling as spike_time_tiling
from .time_shifts import shifted_maps as shifted_maps, shuffled as shuffled
from .transmission import linear_share as linear_share, roc_area as roc_area
from .visited import visits as visits
