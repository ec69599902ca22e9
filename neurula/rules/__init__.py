"""Ways to learn. To add one: a file here, and a line below."""

from .backprop import Backprop as Backprop
from .bcm import BCM as BCM
from .boltzmann import Boltzmann as Boltzmann
from .clamped_hebb import ClampedHebb as ClampedHebb
from .contrastive import AbstractContrastiveRule as AbstractContrastiveRule
from .contrastive_hebb import ContrastiveHebb as ContrastiveHebb
from .direct_feedback_alignment import DirectFeedbackAlignment as DirectFeedbackAlignment
from .eprop import EProp as EProp
from .equilibrium_propagation import EquilibriumPropagation as EquilibriumPropagation
from .feedback_alignment import FeedbackAlignment as FeedbackAlignment
from .generalised_recirculation import GeneralisedRecirculation as GeneralisedRecirculation
from .gradient import AbstractGradientRule as AbstractGradientRule, direction as direction
from .hebb import Hebb as Hebb
from .hopfield import store as store
from .local import AbstractLocalRule as AbstractLocalRule, End as End, Synapse as Synapse
from .messages import messages as messages, send_back as send_back
from .mixed import Mixed as Mixed
from .oja import Oja as Oja
from .oja_subspace import OjaSubspace as OjaSubspace
from .output_only import OutputOnly as OutputOnly
from .predictive_coding import PredictiveCoding as PredictiveCoding
from .recirculation import Recirculation as Recirculation
from .recurrent_backprop import RecurrentBackprop as RecurrentBackprop
from .relaxation import Settled as Settled, check_settled as check_settled, settle as settle
from .reversed import Reversed as Reversed
from .rewarded_stdp import RewardedSTDP as RewardedSTDP
from .sign_symmetry import SignSymmetry as SignSymmetry
from .stdp import STDP as STDP
from .target_propagation import TargetPropagation as TargetPropagation
from .triplet_stdp import TripletSTDP as TripletSTDP
from .weight_mirror import WeightMirror as WeightMirror
