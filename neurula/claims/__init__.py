"""One sentence, one experiment per file. To add one: a file here, and a line below."""

from .attractor_completion import AttractorCompletion as AttractorCompletion
from .balanced_amplification import BalancedAmplification as BalancedAmplification
from .baldwin_effect import BaldwinEffect as BaldwinEffect
from .bci_spike_triggered import BciSpikeTriggered as BciSpikeTriggered
from .boltzmann_encoder import BoltzmannEncoder as BoltzmannEncoder
from .cls_fast_slow import ClsFastSlow as ClsFastSlow
from .column_laminar import ColumnLaminar as ColumnLaminar
from .direction_selectivity import DirectionSelectivity as DirectionSelectivity
from .dual_dqn import DualDqn as DualDqn
from .episodic_control_early import EpisodicControlEarly as EpisodicControlEarly
from .es_matches_gradient import EsMatchesGradient as EsMatchesGradient
from .evolution_discontinuous import EvolutionDiscontinuous as EvolutionDiscontinuous
from .evolution_gradient_alignment import (
    EvolutionGradientAlignment as EvolutionGradientAlignment,
)
from .evolve_then_learn import EvolveThenLearn as EvolveThenLearn
from .evolved_learning_rule import EvolvedLearningRule as EvolvedLearningRule
from .feedback_alignment import FeedbackAlignment as FeedbackAlignment
from .firing_patterns import FiringPatterns as FiringPatterns
from .free_graph import FreeGraph as FreeGraph
from .gabor_emergence import GaborEmergence as GaborEmergence
from .genomic_bottleneck import GenomicBottleneck as GenomicBottleneck
from .grid_cells_pathint import GridCellsPathint as GridCellsPathint
from .grid_omnidirectional import GridOmnidirectional as GridOmnidirectional
from .growth_regeneration import GrowthRegeneration as GrowthRegeneration
from .growth_vs_direct import GrowthVsDirect as GrowthVsDirect
from .hebb_bp_equivalence import HebbBpEquivalence as HebbBpEquivalence
from .hierarchy_layer_area import HierarchyLayerArea as HierarchyLayerArea
from .hyperneat_regularity import HyperneatRegularity as HyperneatRegularity
from .innate_at_birth import InnateAtBirth as InnateAtBirth
from .late_layers_it import LateLayersIt as LateLayersIt
from .learned_optimizer import LearnedOptimizer as LearnedOptimizer
from .local_error_signals import LocalErrorSignals as LocalErrorSignals
from .local_grid_consensus import LocalGridConsensus as LocalGridConsensus
from .lstm_long_lag import LstmLongLag as LstmLongLag
from .marr_gradient import MarrGradient as MarrGradient
from .masking_interrupts import MaskingInterrupts as MaskingInterrupts
from .neat_double_pole import NeatDoublePole as NeatDoublePole
from .null_calibration import NullCalibration as NullCalibration
from .occlusion_recurrence import OcclusionRecurrence as OcclusionRecurrence
from .oja_gradient import OjaGradient as OjaGradient
from .potential_memory import PotentialMemory as PotentialMemory
from .recirculation_gradient import RecirculationGradient as RecirculationGradient
from .replay_random_order import ReplayRandomOrder as ReplayRandomOrder
from .replay_reward_sequences import ReplayRewardSequences as ReplayRewardSequences
from .replay_vs_online import ReplayVsOnline as ReplayVsOnline
from .representational_convergence import (
    RepresentationalConvergence as RepresentationalConvergence,
)
from .simple_complex_gradient import SimpleComplexGradient as SimpleComplexGradient
from .spiking_parity import SpikingParity as SpikingParity
from .sr_eigen_grids import SrEigenGrids as SrEigenGrids
from .sr_revaluation import SrRevaluation as SrRevaluation
from .sr_rewards import SrRewards as SrRewards
from .sr_skew import SrSkew as SrSkew
from .sr_walls import SrWalls as SrWalls
from .stare_longer import StareLonger as StareLonger
from .tonic_burst import TonicBurst as TonicBurst
from .width_vs_depth import WidthVsDepth as WidthVsDepth
from .wm_maintain_manipulate import WmMaintainManipulate as WmMaintainManipulate
