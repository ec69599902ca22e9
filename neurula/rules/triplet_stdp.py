"""Two spikes on one side and one on the other: plasticity that also minds the rate.

Pfister & Gerstner (2006), J. Neurosci. 26:9673.
"""

from jaxtyping import Array, Float

from ..contracts import AbstractWiring
from .local import Synapse
from .stdp import AbstractTimingRule, room


class TripletSTDP(AbstractTimingRule):
    """Triplets of spikes, all with all.

    Equations: traces r1, r2 before and o1, o2 after the synapse decay with their times and grow by
    1 at a spike. At a spike after it dw = r1 (pair_up + triplet_up o2), at a spike before it
    dw = -o1 (pair_down + triplet_down r2), with r2 and o2 just before that spike. Defaults: the
    minimal rule for visual cortex of table 4 (all to all), within the bounds 0 < w < largest.
    Units: times in ms, changes in those of w. Source: Pfister & Gerstner (2006).
    """

    pair_up: float = 0.0
    triplet_up: float = 6.5e-3
    pair_down: float = 7.1e-3
    triplet_down: float = 0.0
    before_times: tuple[float, float] = (16.8, 101.0)  # ms, of r1 and r2
    after_times: tuple[float, float] = (33.7, 114.0)  # ms, of o1 and o2
    largest: float = 1.0  # weight

    @property
    def trace_times(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return self.before_times, self.after_times

    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], None]:
        pre, post = synapse.pre, synapse.post
        (r1, r2), (o1, o2) = pre.traces, post.traces
        up, down = room(synapse.weight, self.largest, 0.0)
        growing = self.pair_up + self.triplet_up * (o2 - post.activity)
        shrinking = self.pair_down + self.triplet_down * (r2 - pre.activity)
        earlier = o1 - post.activity
        return up * post.activity * r1 * growing - down * pre.activity * earlier * shrinking, None

    def edge_memory(self, wiring: AbstractWiring) -> None:
        del wiring
