"""The nouns of the library and what each must answer. Read this file first.

Every noun is a frozen Equinox module, an interface (abstract) or a leaf (final). Settings live on
the object; whatever changes over time lives in a state that goes in first and comes out first.
Methods handle one example; batches and seeds come from `jax.vmap`. `None` stands for absent.
The nouns of experiments (claims, tests, verdicts) are in `experiment.py`.
"""

import abc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

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


# ---- what is measured ----------------------------------------------------------------------------


class Recording(eqx.Module):
    """Responses of any system, brain or network: all that a measure ever sees.

    Labels name what belongs to each sample: `stimulus` (repeats of a stimulus share its name),
    `fold` or `repeat`. Brain data stay in float64 where they are given as NumPy arrays.
    """

    responses: Float[Array | np.ndarray, "sample unit"]  # a sample is a stimulus or a time step
    name: str = eqx.field(static=True)
    source: str = eqx.field(static=True, default="")  # where it came from
    labels: dict[str, tuple[Any, ...]] = eqx.field(static=True, default_factory=dict)  # by sample
    subject: str = eqx.field(static=True, default="")  # whose responses; several are its sessions
    positions: Float[Array | np.ndarray, "unit axis"] | None = None  # where the units lie

    def __check_init__(self):
        samples = self.responses.shape[0]
        for label, values in self.labels.items():
            if len(values) != samples:
                raise ValueError(
                    f"The recording {self.name!r} has {samples} samples, but {len(values)} labels "
                    f"{label!r}: each sample needs its own. Give as many labels as rows: "
                    f"`labels={{{label!r}: tuple(names)}}` with len(names) == {samples}."
                )


class Dissimilarities(eqx.Module):
    """How far apart the responses to every two stimuli are: representational dissimilarities.

    The pairs are the upper triangle of the matrix, row by row, as in SciPy's `squareform`; NaN
    stands for a pair that was not measured. A model is a subject with one session.
    """

    values: Float[Array | np.ndarray, "subject session pair"]
    stimuli: tuple[str, ...] = eqx.field(static=True)
    subjects: tuple[str, ...] = eqx.field(static=True)  # whose: people, animals, models, layers
    measure: str = eqx.field(static=True, default="")  # with its unit
    source: str = eqx.field(static=True, default="")  # where they came from

    def __check_init__(self):
        n = len(self.stimuli)
        subjects, _, pairs = self.values.shape
        if (subjects, pairs) != (len(self.subjects), n * (n - 1) // 2):
            raise ValueError(
                f"{n} stimuli have {n * (n - 1) // 2} pairs, and {len(self.subjects)} subjects are "
                f"named, but the dissimilarities have the shape {self.values.shape}. It must be "
                "(subject, session, pair), without the diagonal: "
                "`scipy.spatial.distance.squareform(matrix, checks=False)[None, None]`."
            )
        if len(set(self.stimuli)) < n:
            twice = sorted({name for name in self.stimuli if self.stimuli.count(name) > 1})
            raise ValueError(
                f"Every stimulus needs a name of its own, but {twice[:10]} come more than once: "
                "models and brains are matched by these names. Number them: "
                "`tuple(f'{k} {name}' for k, name in enumerate(names))`."
            )

    def select(self, stimuli: Sequence[str]) -> "Dissimilarities":
        """These stimuli only, in this order. Raises `ValueError` that lists unknown names."""
        place = {name: k for k, name in enumerate(self.stimuli)}
        unknown = [name for name in stimuli if name not in place]
        if unknown:
            raise ValueError(
                f"{len(unknown)} of {len(stimuli)} stimuli are not among the {len(place)} of these "
                f"dissimilarities: {unknown[:10]}. Stimuli are matched by name, not by order. "
                "Choose among `dissimilarities.stimuli`."
            )
        chosen = np.array([place[name] for name in stimuli])
        one, other = np.triu_indices(len(chosen), 1)
        low = np.minimum(chosen[one], chosen[other])
        high = np.maximum(chosen[one], chosen[other])
        pairs = low * (2 * len(place) - low - 3) // 2 + high - 1
        return Dissimilarities(
            self.values[:, :, pairs], tuple(stimuli), self.subjects, self.measure, self.source
        )
