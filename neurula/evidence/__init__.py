"""Kinds of evidence. To add one: a file here, and a line below."""

from .against_null import AgainstNull as AgainstNull
from .conjunction import AtLeast as AtLeast, weakest as weakest
from .identity import Identity as Identity
from .intervals import AbstractIntervalTest as AbstractIntervalTest, Interval as Interval
from .order import Order as Order, kendall as kendall
from .parity import Parity as Parity
from .resampled import (
    Resampled as Resampled,
    mean_over_both as mean_over_both,
    mean_over_pairs as mean_over_pairs,
)
from .scales import log_error as log_error, logit as logit
from .share import Share as Share
from .slope import Slope as Slope
from .successes import Successes as Successes, wilson as wilson
from .superiority import Superiority as Superiority
from .survival import Survival as Survival
