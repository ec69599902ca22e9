"""Ways to learn. To add one: a file here, and a line below."""

from .backprop import Backprop as Backprop
from .direct_feedback_alignment import DirectFeedbackAlignment as DirectFeedbackAlignment
from .feedback_alignment import FeedbackAlignment as FeedbackAlignment
from .gradient import AbstractGradientRule as AbstractGradientRule, direction as direction
from .hebb import Hebb as Hebb
from .hopfield import store as store
from .local import AbstractLocalRule as AbstractLocalRule, End as End, Synapse as Synapse
from .mixed import Mixed as Mixed
from .oja import Oja as Oja
from .output_only import OutputOnly as OutputOnly
from .sign_symmetry import SignSymmetry as SignSymmetry
from .weight_mirror import WeightMirror as WeightMirror
