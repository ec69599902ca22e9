"""The nouns of evolution: recipes that are inherited, and ways to choose among them.

Settings (capacities, rates of mutation, the substrate to be filled) live on the genome and are the
same for everybody; what is inherited lives in the genes. A population is genes stacked along a
leading axis, so that a generation grows, lives and breeds as one compiled program.
"""

import abc
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

if TYPE_CHECKING:  # otherwise static checkers take these for constructor arguments
    from typing import ClassVar as AbstractVar
else:
    from equinox import AbstractVar

Genes = TypeVar("Genes")
State = TypeVar("State")


class AbstractGenome(eqx.Module, Generic[Genes]):
    """A recipe that grows into a network, any other block, a rule or an optimiser.

    Genes are a PyTree of arrays whose shapes never change: what may grow has a capacity.
    """

    @abc.abstractmethod
    def sample(self, *, key: PRNGKeyArray) -> Genes:
        """Genes to begin with, at random."""

    @abc.abstractmethod
    def develop(self, genes: Genes, *, key: PRNGKeyArray) -> Any:
        """Grow what the genes say. The key is the chance of development."""

    @abc.abstractmethod
    def mutate(self, genes: Genes, *, key: PRNGKeyArray) -> Genes:
        """A copy with errors."""

    @abc.abstractmethod
    def cross(self, fitter: Genes, other: Genes, *, key: PRNGKeyArray) -> Genes:
        """A child of two. The first parent is at least as fit as the second."""

    @abc.abstractmethod
    def distance(self, one: Genes, other: Genes) -> Float[Array, ""]:
        """How different two are: 0 for the same, the same in both directions."""

    def encode(self, developed: Any) -> Genes:
        """The genes from which `developed` would grow: what Lamarck's inheritance asks for.

        Raises `ValueError` where nobody can tell, which is the rule.
        """
        del developed
        raise ValueError(
            f"What a life has learned cannot be written back into the genes of a "
            f"{type(self).__name__}: it does not list its weights one by one. Use "
            "`genomes.Weights`, or let learning guide evolution without being inherited "
            "(`lamarck=False`)."
        )


class AbstractVectorGenome(AbstractGenome[Float[Array, " gene"]]):
    """A genome whose genes are one vector of `size` numbers: what vector strategies evolve."""

    mutation: AbstractVar[float]  # standard deviation of the change of a gene

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """How many genes."""

    def mutate(self, genes: Float[Array, " gene"], *, key: PRNGKeyArray) -> Float[Array, " gene"]:
        return genes + self.mutation * jax.random.normal(key, genes.shape)

    def cross(
        self,
        fitter: Float[Array, " gene"],
        other: Float[Array, " gene"],
        *,
        key: PRNGKeyArray,
    ) -> Float[Array, " gene"]:
        """Uniform crossover: every gene from either parent."""
        return crossed(fitter, other, None, key=key)

    def distance(
        self, one: Float[Array, " gene"], other: Float[Array, " gene"]
    ) -> Float[Array, ""]:
        """The root of the mean squared difference of genes."""
        return jnp.sqrt(jnp.mean((one - other) ** 2))


def crossed(fitter: Array, other: Array, points: int | None, *, key: PRNGKeyArray) -> Array:
    """A child of two strings of genes: `None` mixes gene by gene, else parents change at points.

    With points (cuts at different places, all equally likely) genes that lie side by side mostly
    stay together: the first stretch is of a random parent. Raises `ValueError` for more points than
    there are places between genes.
    """
    size = fitter.shape[0]
    if points is None:
        return jnp.where(jax.random.bernoulli(key, 0.5, (size,)), fitter, other)
    if not 1 <= points < size:
        raise ValueError(
            f"{size} genes can be cut at 1 to {size - 1} places, but got points={points}. Two are "
            "usual, `points=2`; `points=None` mixes gene by gene."
        )
    luck = jax.random.uniform(key, (points + 1,))
    change = jnp.zeros(size, bool)  # before which genes the parent changes
    for i in range(points):  # Floyd's way to draw different ones: what is taken gives the last
        last = size - points + i
        place = 1 + jnp.floor(luck[i] * last).astype(jnp.int32)
        change = change.at[jnp.where(change[place], last, place)].set(True)
    start = (luck[points] < 0.5).astype(jnp.int32)
    return jnp.where((start + jnp.cumsum(change.astype(jnp.int32))) % 2 == 0, fitter, other)


class AbstractEvolver(eqx.Module, Generic[State]):
    """A way to choose whose genes go on. Higher fitness is better; nobody asks for it twice.

    `ask` may breed at random, `tell` only takes in. Fitness that is told is finite or -infinity
    (the last in every ranking): `evolve` sees to that.
    """

    population: AbstractVar[int]  # how many genomes live in a generation

    @abc.abstractmethod
    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> State:
        """The state before the first generation. Raises `ValueError` for a genome it cannot use."""

    @abc.abstractmethod
    def ask(self, state: State, genome: AbstractGenome, *, key: PRNGKeyArray) -> tuple[State, Any]:
        """The genes of the next generation, stacked along a leading axis."""

    def judge(self, state: State, lives: "Life") -> tuple[State, Float[Array, " genome"]]:
        """What counts of their lives: what `tell` is told. For most evolvers their fitness.

        `lives` has a leading axis over genomes. A search for novelty judges their behaviour.
        """
        return state, lives.fitness

    @abc.abstractmethod
    def tell(
        self, state: State, genome: AbstractGenome, genes: Any, fitness: Float[Array, " genome"]
    ) -> State:
        """Take in how they did."""


def require_vector(evolver: AbstractEvolver, genome: AbstractGenome) -> AbstractVectorGenome:
    """The genome, if its genes are a vector. Refuses others."""
    if not isinstance(genome, AbstractVectorGenome):
        raise ValueError(
            f"{type(evolver).__name__} evolves vectors of numbers, but the genes of a "
            f"{type(genome).__name__} are no vector. Use `evolvers.GeneticAlgorithm()` or "
            "`evolvers.NeatSearch()`, or a genome with a vector, such as `genomes.Weights`."
        )
    return genome


class Life(eqx.Module):
    """What a fitness function may tell besides a number.

    `learned` is the block after its life, for Lamarck's inheritance; `steps` counts updates or
    steps of an environment; `behaviour` describes what was done, for a search for novelty.
    """

    fitness: Float[Array, "*genome"]
    learned: Any = None
    steps: Float[Array, "*genome"] = eqx.field(default_factory=lambda: jnp.zeros(()))
    behaviour: Float[Array, "*genome feature"] | None = None


def as_life(found: Any) -> Life:
    """What a fitness function gave, as a `Life`."""
    return found if isinstance(found, Life) else Life(jnp.asarray(found))
