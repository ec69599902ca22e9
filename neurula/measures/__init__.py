"""Numbers from recordings and networks. To add one: a file here, and a line below."""

from .agreement import kappa as kappa
from .alignment import alignment as alignment
from .assigned import Assignment as Assignment
from .assignment import assignment as assignment
from .cka import cka as cka
from .dissimilarities import dissimilarities as dissimilarities
from .energy import energy as energy
from .filtered import filtered as filtered
from .inference import score_models as score_models
from .model_scores import ModelScores as ModelScores
from .multiplicity import benjamini_hochberg as benjamini_hochberg, holm as holm
from .noise import noise_covariance as noise_covariance
from .predictivity import Predictivity as Predictivity, predictivity as predictivity
from .procrustes import procrustes as procrustes
from .readout import readout as readout
from .recording_scores import score_recordings as score_recordings
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
