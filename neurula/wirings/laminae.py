"""Published tables of who talks to whom across the layers of cortex.

Thomson, West, Wang & Bannister (2002), Cereb. Cortex 12:936, as put into a circuit by Haeusler &
Maass (2007), Cereb. Cortex 17:149, figure 1; Potjans & Diesmann (2014), Cereb. Cortex 24:785,
table 5.

What has been checked. `THOMSON`: every number but those named below, against the published code of
the replication by Schulte to Brinke, Duarte & Morrison (2022), Front. Integr. Neurosci. 16:923468,
and the probabilities and amplitudes within layers 4 and 5, but for the probability of L4i onto L4i,
against a second model's code that cites the same figure; not against the figures of the papers
themselves. `POTJANS`: against the reference implementation that the authors' institute keeps.
Chosen here, from no table: the places of feedback and lateral input (after the scheme of Felleman &
Van Essen 1991, Cereb. Cortex 1:1) and all their probabilities, except that 0.2 onto excitatory
cells of layers 2/3 is the second input of Haeusler & Maass.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

PORTS = ("feedforward", "feedback", "lateral")
ByName = Mapping[str, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Laminae:
    """Kinds of cells, how likely one connects to another, and how strongly.

    `probability` and `strength` have the shape (post, pre), in the order of `names`; strengths are
    mean amplitudes of a single cell's potential, in mV, negative where they inhibit. `arrives`
    says for each port how likely a fibre reaches a cell of each kind, `leaves` which kind sends.
    """

    source: str
    names: tuple[str, ...]  # those of inhibitory kinds end in "i"
    share: Float[np.ndarray, " kind"]  # of all cells
    probability: Float[np.ndarray, "post pre"]
    strength: Float[np.ndarray, "post pre"]  # mV
    arrives: Mapping[str, ByName]  # by port, then kind
    leaves: Mapping[str, str]  # by port: the kind that sends
    fibre: float  # mV, mean amplitude of a fibre from outside

    @property
    def excites(self) -> np.ndarray:
        """Which kinds are excitatory, (kind,)."""
        return np.array([not name.endswith("i") for name in self.names])

    def sizes(self, cells: int) -> np.ndarray:
        """How many of `cells` cells are of each kind: largest remainders, at least one each."""
        if cells < len(self.names):
            raise ValueError(
                f"A column has {len(self.names)} kinds of cells {self.names}, so that it needs as "
                f"many cells or more, but got {cells}. Take 110 for a small one."
            )
        exact = self.share / self.share.sum() * (cells - len(self.names))
        found = np.floor(exact).astype(int)
        most = np.argsort(found - exact, kind="stable")[: cells - len(self.names) - found.sum()]
        found[most] += 1
        return found + 1


_SIX = ("L23e", "L23i", "L4e", "L4i", "L5e", "L5i")
THOMSON = Laminae(
    source="Thomson et al. (2002), Cereb. Cortex 12:936; Haeusler & Maass (2007), 17:149, fig. 1",
    names=_SIX,
    share=np.array([0.24, 0.06, 0.16, 0.04, 0.40, 0.10]),  # layers 0.3, 0.2, 0.5; a fifth inhibits
    probability=np.array([  # columns speak, in the same order
        [0.26, 0.16, 0.28, 0.50, 0.03, 0.00],
        [0.21, 0.25, 0.10, 0.20, 0.00, 0.00],
        [0.00, 0.00, 0.17, 0.10, 0.00, 0.00],
        [0.08, 0.00, 0.19, 0.50, 0.00, 0.00],
        [0.55, 0.20, 0.00, 0.00, 0.09, 0.12],
        [0.00, 0.00, 0.00, 0.00, 0.10, 0.60],
    ]),
    strength=np.array([
        [1.70, -0.65, 4.00, -1.75, 0.30, 0.00],
        [1.90, -1.35, 0.15, -1.50, 0.00, 0.00],
        [0.00, 0.00, 1.10, -0.85, 0.00, 0.00],
        [1.60, 0.00, 3.70, -1.55, 0.00, 0.00],
        [1.40, -5.20, 0.00, 0.00, 1.70, -1.20],
        [0.00, 0.00, 0.00, 0.00, 0.90, -1.20],
    ]),
    arrives={
        "feedforward": {"L23e": 0.2, "L4e": 0.8, "L4i": 0.5, "L5e": 0.1},
        "feedback": {"L23e": 0.2, "L5e": 0.1},
        "lateral": {"L23e": 0.2},
    },
    leaves={"feedforward": "L23e", "feedback": "L5e", "lateral": "L23e"},
    fibre=1.9,
)  # fmt: skip
_RATIO, _UNIT = -4.0, 0.15  # inhibition to excitation; mV
_EIGHT = (*_SIX, "L6e", "L6i")
_STRENGTH = np.tile([_UNIT, _RATIO * _UNIT], (8, 4))
_STRENGTH[0, 2] = 2 * _UNIT  # from layer 4 to layers 2/3, both excitatory
POTJANS = Laminae(
    source="Potjans & Diesmann (2014), Cereb. Cortex 24:785, table 5",
    names=_EIGHT,
    share=np.array([20683.0, 5834.0, 21915.0, 5479.0, 4850.0, 1065.0, 14395.0, 2948.0]),
    probability=np.array([
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]),
    strength=_STRENGTH,
    arrives={
        "feedforward": {"L4e": 0.0983, "L4i": 0.0619, "L6e": 0.0512, "L6i": 0.0196},
        "feedback": {"L23e": 0.1, "L5e": 0.1, "L6e": 0.1},
        "lateral": {"L23e": 0.1, "L23i": 0.1},
    },
    leaves={"feedforward": "L23e", "feedback": "L6e", "lateral": "L23e"},
    fibre=_UNIT,
)  # fmt: skip
