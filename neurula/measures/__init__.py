"""Numbers from recordings and networks. To add one: a file here, and a line below."""

from .agreement import kappa as kappa
from .alignment import alignment as alignment
from .assigned import Assignment as Assignment
from .assignment import assignment as assignment
from .autocorrelograms import autocorrelogram as autocorrelogram
from .border_scores import border_score as border_score
from .cka import cka as cka
from .codes import code_filters as code_filters
from .direction import (
    direction_index as direction_index,
    orientation_index as orientation_index,
    preferred_direction as preferred_direction,
    shuffled_direction_index as shuffled_direction_index,
)
from .dissimilarities import dissimilarities as dissimilarities
from .effective_fields import effective_side as effective_side
from .energy import energy as energy
from .filtered import filtered as filtered
from .gabors import Gabors as Gabors, fit_gabors as fit_gabors
from .gratings import (
    directions as directions,
    grating as grating,
    grating_responses as grating_responses,
    rectified as rectified,
)
from .grid_lattice import grid_lattice as grid_lattice
from .grid_scores import grid_score as grid_score
from .head_direction import head_direction as head_direction
from .inference import score_models as score_models
from .information import spatial_information as spatial_information
from .isotropic_noise import against_noise as against_noise, isotropic_noise as isotropic_noise
from .linear_responses import linear_responses as linear_responses
from .matched_units import matched_correlation as matched_correlation
from .model_scores import ModelScores as ModelScores
from .modulation import modulation_ratio as modulation_ratio
from .motion_energy import (
    energy_correlation as energy_correlation,
    motion_energy as motion_energy,
    opponent_energy as opponent_energy,
)
from .multiplicity import benjamini_hochberg as benjamini_hochberg, holm as holm
from .noise import noise_covariance as noise_covariance
from .non_negative import non_negative_components as non_negative_components
from .nonlinearity import nonlinear_share as nonlinear_share
from .orientation import orientation_tuning as orientation_tuning
from .phase_modulation import (
    PhaseModulation as PhaseModulation,
    phase_modulation as phase_modulation,
)
from .place_fields import place_fields as place_fields
from .predictivity import Predictivity as Predictivity, predictivity as predictivity
from .procrustes import procrustes as procrustes
from .rate_maps import rate_map as rate_map
from .readout import readout as readout
from .receptive_fields import (
    ReceptiveFields as ReceptiveFields,
    receptive_fields as receptive_fields,
)
from .recording_scores import score_recordings as score_recordings
from .sessions import joined_sessions as joined_sessions
from .similarity import (
    Similarity as Similarity,
    noise_ceiling as noise_ceiling,
    similarity as similarity,
)
from .sparse_coding import (
    coding_cost as coding_cost,
    random_dictionary as random_dictionary,
    sparse_codes as sparse_codes,
    sparse_dictionary as sparse_dictionary,
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
from .spike_tiling import spike_time_tiling as spike_time_tiling
from .spike_triggered import SpikeTriggered as SpikeTriggered, spike_triggered as spike_triggered
from .time_shifts import shifted_maps as shifted_maps, shuffled as shuffled
from .transmission import linear_share as linear_share, roc_area as roc_area
from .visited import visits as visits
