"""Kinds of cell. To add one: a file here, and a line below."""

from .adaptive_lif import AdaptiveLIF as AdaptiveLIF
from .binary import Binary as Binary
from .conductance_lif import ConductanceLIF as ConductanceLIF
from .heterogeneous import Heterogeneous as Heterogeneous
from .ifb import IFB as IFB
from .izhikevich import Izhikevich as Izhikevich
from .leaky import Leaky as Leaky
from .lif import LIF as LIF
from .poisson import Poisson as Poisson
from .rate import Rate as Rate
