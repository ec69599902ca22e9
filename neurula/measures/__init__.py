"""Numbers from recordings and networks. To add one: a file here, and a line below."""

from .agreement import kappa as kappa
from .alignment import alignment as alignment
from .direction import (
    direction_index as direction_index,
    orientation_index as orientation_index,
    preferred_direction as preferred_direction,
    shuffled_direction_index as shuffled_direction_index,
)
from .energy import energy as energy
from .filtered import filtered as filtered
from .gratings import (
    directions as directions,
    grating as grating,
    grating_responses as grating_responses,
    rectified as rectified,
)
from .motion_energy import (
    energy_correlation as energy_correlation,
    motion_energy as motion_energy,
    opponent_energy as opponent_energy,
)
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
from .transmission import linear_share as linear_share, roc_area as roc_area
