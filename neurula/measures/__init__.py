"""Numbers from recordings and networks. To add one: a file here, and a line below."""

from .agreement import kappa as kappa
from .alignment import alignment as alignment
from .dissimilarities import dissimilarities as dissimilarities
from .energy import energy as energy
from .filtered import filtered as filtered
from .inference import score_models as score_models
from .model_scores import ModelScores as ModelScores
from .multiplicity import benjamini_hochberg as benjamini_hochberg, holm as holm
from .noise import noise_covariance as noise_covariance
from .readout import readout as readout
from .similarity import (
    Similarity as Similarity,
    noise_ceiling as noise_ceiling,
    similarity as similarity,
)
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
