"""Plain Hebbian learning climbs the gradient of its own output's power, and of nothing else.

Oja (1982), J. Math. Biol. 15:267.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractRule, AbstractTask, AbstractWiring, Sample, Split
from ..evidence import Identity, Parity
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Outcome, Outcomes, Range
from ..live import learn
from ..network import Network, Population, Projection
from ..neurons import Rate
from ..rules import AbstractLocalRule, Backprop, Hebb, Oja, Synapse, direction
from ..tasks import Digits, Patches
from ..weights import fan_in
from ..wirings import Dense

PRECISION = 1e-6  # of the identity, relative: what 32-bit numbers can show
GROWTH = 1000.0  # times its first length: a weight that became so long is called divergent
ANGLE = 1.0  # degrees from the first principal component
COSINE = 0.1  # mean cosine from which on a rule would be called aligned with a gradient


class OjaGradient(AbstractClaim):
    """One linear cell looks at real pictures, centred, and learns without being told anything."""

    statement: ClassVar[str] = (
        "Plain Hebb can be viewed as climbing the gradient of the power of a cell's output, and "
        "never stops; Oja's rule settles on the first principal component; but neither is used to "
        "follow the gradient of a supervised loss."
    )
    source: ClassVar[str] = "Oja (1982), J. Math. Biol. 15:267"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "mechanism"
    arms: ClassVar[dict[str, Arm]] = {
        "hebb": Arm("brain", "dw = y x, for a tenth of the updates: it would overflow"),
        "oja": Arm("brain", "dw = y (x - y w)"),
        "mispaired hebb": Arm("sham", "Hebb between the output now and the picture before"),
        "mispaired oja": Arm("sham", "Oja between the output now and the picture before"),
        "taught hebb": Arm("control", "Hebb while a teacher makes the cell say the right answer"),
    }
    margin: ClassVar[float] = 1.0
    unit: ClassVar[str] = "tolerances, of the part that strays most"
    refuted_if: ClassVar[str] = (
        "for any seed or set of pictures Hebb's change differs from the gradient by more than 1e-6 "
        "or grows less than a thousandfold, Oja's weights end more than 1 degree from the first "
        "principal component, or either rule has a mean cosine above 0.1 with descent on 50 tasks"
    )
    expected: ClassVar[str] = (
        "Supported: the first two parts are theorems. Bad outcome: cosines are not zero but "
        "negative, because a supervised gradient holds an anti-Hebbian part that Hebb opposes."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "'Can be viewed as' is not 'is used for': that a rule is some gradient says nothing about "
        "what a brain uses it for. Any field without curl is a gradient of something.",
        "The identity holds for linear cells, and for the weights held still while it is measured.",
        "Which answers a task calls right is drawn by chance, so a rule that is never told them "
        "could be aligned only by accident; what can fail is the claim that it is not harmed.",
        "Only cosines above zero count as alignment. The plain test for zero stands beside.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits", "photographs")
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, updates=200, tasks=4),
        "quick": Budget(10),
        "full": Budget(20, updates=12_000),
    }
    tour: ClassVar[bool] = True
