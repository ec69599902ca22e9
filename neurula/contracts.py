"""The nouns of the library and what each must answer. Read this file first.

Every noun is a frozen Equinox module, an interface (abstract) or a leaf (final). Settings live on
the object; whatever changes over time lives in a state that goes in first and comes out first.
Methods handle one example; batches and seeds come from `jax.vmap`. `None` stands for absent.
What acts (`AbstractAgent`, `AbstractEnvironment`) is in `behaviour.py`, what is measured
(`Recording`, `Dissimilarities`) in `recordings.py`; the nouns of experiments (claims, tests,
verdicts) are in `experiment.py`.
"""

import abc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

import equinox as eqx
import jax
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from .behaviour import (
    AbstractAgent as AbstractAgent,
    AbstractEnvironment as AbstractEnvironment,
    Event as Event,
    Transition as Transition,
)
from .recordings import Dissimilarities as Dissimilarities, Recording as Recording

if TYPE_CHECKING:  # otherwise static checkers take these for constructor arguments
    from typing import ClassVar as AbstractClassVar
else:
    from equinox import AbstractClassVar

Activity = Float[Array, " cell"]
Activities = dict[str, Float[Array, " _"]]  # by population or projection
Weight = Float[Array, "..."]  # one number per connection or per shared weight, as the wiring likes
Weights = dict[str, Float[Array, "..."]]  # by projection
Split = Literal["train", "tune", "test"]  # "tune" is all that hyper-parameter search may see
State = TypeVar("State")
Sending = TypeVar("Sending")
Receiving = TypeVar("Receiving")

# ---- what a network is made of ---------------------------------------------------------------


class AbstractWiring(eqx.Module):
    """Who talks to whom between two populations: places for weights, no weights, no dynamics.

    A wiring lays its connections out in one array; `ends` and `spread` bring activities and weights
    into that layout, broadcastable against each other. Weights are zero where nothing `exists`:
    `fill` and `learn` keep them so, and `drive` relies on it.
    """

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, int]:
        """How many cells listen, and how many speak: (post, pre)."""

    @property
    @abc.abstractmethod
    def exists(self) -> Bool[Array, "*edge"] | None:
        """Which places of the layout hold a connection; `None`: all of them."""

    @abc.abstractmethod
    def drive(self, weight: Weight, activity: Float[Array, " pre"]) -> Float[Array, " post"]:
        """Sum the input of every listening cell. Linear in the weight and in the activity."""

    @abc.abstractmethod
    def ends(
        self, pre: Float[Array, " pre"], post: Float[Array, " post"]
    ) -> tuple[Float[Array, "*a"], Float[Array, "*b"]]:
        """What is found at the two ends of every connection."""

    @abc.abstractmethod
    def fill(self, value: Float[Array, ""] | float) -> Weight:
        """A weight that holds `value` on every connection."""

    @abc.abstractmethod
    def spread(self, weight: Weight) -> Float[Array, "*edge"]:
        """The weight of every connection; its transpose collects changes into shared weights."""

    @abc.abstractmethod
    def keep(self, pre: Bool[Array, " pre"], post: Bool[Array, " post"]) -> "AbstractWiring":
        """The same places without the connections of cells that are not kept (a lesion)."""

    def back(self, weight: Weight, signal: Float[Array, " post"]) -> Float[Array, " pre"]:
        """Send a signal backwards through a weight: the transpose of `drive`."""
        start = jax.ShapeDtypeStruct((self.shape[1],), signal.dtype)
        return jax.linear_transpose(lambda pre: self.drive(weight, pre), start)(signal)[0]


class AbstractNeuron(eqx.Module, Generic[State]):
    """How a kind of cell turns its drive into activity; elementwise over cells.

    Array fields (a bias) are trainable, numbers are not. The docstring of every neuron shows its
    equations, units and paper.
    """

    emits: AbstractClassVar[Literal["rates", "spikes"]]
    ports: AbstractClassVar[tuple[str, ...]]  # kinds of input, e.g. a current
    noisy: AbstractClassVar[bool]  # asks for one uniform number per cell and step

    @abc.abstractmethod
    def init(self, size: int) -> State:
        """`size` cells at rest. Every leaf of the state has the shape (size,)."""

    @abc.abstractmethod
    def step(
        self,
        state: State,
        drive: Float[Array, "port cell"],
        noise: Float[Array, " cell"] | None,
        *,
        dt: float,
    ) -> tuple[State, Activity]:
        """Advance by `dt` milliseconds. `noise` is uniform in [0, 1), `None` if not noisy."""


class AbstractSynapse(eqx.Module, Generic[Sending, Receiving]):
    """What happens between the activity of one cell and the input that another one feels.

    One half lives at the cells that speak (before the delay), the other at the cells that listen
    (after it); each is elementwise over its cells. A synapse without a half of its own on one side
    has no state there and hands on what it gets.
    """

    @abc.abstractmethod
    def init(self, pre: int, post: int) -> tuple[Sending, Receiving]:
        """Both halves at rest. Leaves have the shape (pre,) in the first, (post,) in the second."""

    @abc.abstractmethod
    def send(self, state: Sending, activity: Activity, *, dt: float) -> tuple[Sending, Activity]:
        """What leaves the cells that speak, in the step of their activity."""

    @abc.abstractmethod
    def receive(
        self, state: Receiving, arriving: Activity, *, dt: float
    ) -> tuple[Receiving, Activity]:
        """The drive of the cells that listen; `arriving` is summed over connections, weighted."""


class AbstractRateNeuron(AbstractNeuron[State]):
    """A cell whose activity is a function of its potential."""

    @abc.abstractmethod
    def activation(self, potential: Activity) -> Activity:
        """The activity that belongs to a potential."""


class AbstractBlock(eqx.Module, Generic[State]):
    """Anything with inputs, a state and outputs: a network, a column, an LSTM, a circuit.

    Inputs and outputs are single vectors, in which named ports lie side by side.
    """

    @property
    @abc.abstractmethod
    def inputs(self) -> dict[str, int]:
        """Names and sizes of the input ports, in the order of the input vector."""

    @property
    @abc.abstractmethod
    def outputs(self) -> dict[str, int]:
        """Names and sizes of the output ports, in the order of the output vector."""

    @abc.abstractmethod
    def init(self, *, key: PRNGKeyArray | None = None) -> State:
        """The block at rest. Only blocks with noisy cells need a key."""

    @abc.abstractmethod
    def step(self, state: State, inputs: Float[Array, " in"]) -> tuple[State, Float[Array, " out"]]:
        """Advance by one time step."""


# ---- what it learns, and how -------------------------------------------------------------------


class Sample(eqx.Module):
    """One example of experience."""

    stimuli: Float[Array, "*batch time in"]
    target: Float[Array, "*batch time out"] | None = None
    counts: Float[Array, "*batch time"] | None = None  # weight of a step in the error; None: equal
    reward: Float[Array, "*batch time"] | None = None


Error = Callable[[Float[Array, "time out"], Sample], Float[Array, ""]]


class AbstractTask(eqx.Module):
    """A source of examples, and what counts as a good answer."""

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """Time steps, numbers in and numbers out of one example: (time, in, out)."""

    @abc.abstractmethod
    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        """Draw one example of a split."""

    @abc.abstractmethod
    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        """All examples by which a split is judged, along a leading axis.

        Tasks with real data give each example of the split once, generated ones a fixed number.
        """

    @abc.abstractmethod
    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        """What learning lowers; differentiable in the outputs."""

    @abc.abstractmethod
    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        """How good the answer is; higher is better."""


class AbstractRule(eqx.Module, Generic[State]):
    """How experience changes a block. A rule proposes a direction, an optimiser follows it.

    A direction has the structure of `trainable(brain)` and the sign of a gradient: the optimiser
    goes the other way. What a rule owns (feedback weights, traces) lives in its state.
    """

    needs: AbstractClassVar[frozenset[str]]  # the parts of a sample without which it cannot learn
    ignores: ClassVar[frozenset[str]] = frozenset()  # those that nobody should expect it to learn

    @abc.abstractmethod
    def init(self, brain: Any, *, key: PRNGKeyArray) -> State:
        """The rule's own state. Raises `ValueError` for a brain that it cannot teach."""

    @abc.abstractmethod
    def propose(
        self, state: State, brain: Any, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[PyTree, PyTree]:
        """A direction from one example, and notes for `remember`. `learn` averages both."""

    @abc.abstractmethod
    def remember(self, state: State, notes: PyTree) -> State:
        """Take in the notes, averaged over a batch."""
