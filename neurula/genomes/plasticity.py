"""Genes that are the coefficients of a local learning rule: evolution looks for how to learn.

Chalmers (1990), Connectionist Models 81 (products of activity, target and weight, over many tasks);
Najarro & Risi (2020), NeurIPS 33:20719 (A pre post + B pre + C post + D).
"""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractWiring, Error, Sample
from ..heredity import AbstractVectorGenome
from ..network import Network
from ..rules.local import AbstractLocalRule, Synapse, experience, open_diary, uphill
from ..rules.relaxation import split_outputs

Term = tuple[int, int, int, int]  # powers of pre, post, told and weight
HEBB, TAUGHT, DECAY, OJA = (1, 1, 0, 0), (1, 0, 1, 0), (0, 0, 0, 1), (0, 2, 0, 1)
ABCD: tuple[Term, ...] = (HEBB, (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0))
# All products of at most two of the four, without the constant: Chalmers's ten.
CHALMERS: tuple[Term, ...] = (
    (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), DECAY,
    HEBB, TAUGHT, (1, 0, 0, 1), (0, 1, 1, 0), (0, 1, 0, 1), (0, 0, 1, 1),
)  # fmt: skip


class LocalPolynomial(AbstractLocalRule):
    """A sum of products of what a synapse can know.

    dw = sum_k c_k pre^a_k post^b_k told^d_k w^e_k, with `terms[k]` = (a, b, d, e). What a cell is
    `told` is its target, where the sample has one and the cell is an output; all other cells are
    told what they did anyway, so that TAUGHT - HEBB (the delta rule) leaves them alone. In
    `Plastic`, which knows no targets, it is the reward.
    Raises `ValueError` for coefficients that do not fit the terms, and where a target is missing.
    """

    coefficients: Float[Array, " term"]
    terms: tuple[Term, ...] = eqx.field(static=True, default=CHALMERS)
    trace_times: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def __check_init__(self):
        count = getattr(self.coefficients, "shape", (len(self.terms),))
        if count != (len(self.terms),) or any(min(t) < 0 or len(t) != 4 for t in self.terms):
            raise ValueError(
                f"A polynomial has a coefficient for each of its terms, but got coefficients of "
                f"shape {count} for {len(self.terms)} terms of four powers >= 0. Use for example "
                "`LocalPolynomial(jnp.array([1.0]), (HEBB,))`."
            )

    @classmethod
    def of(cls, terms: dict[Term, float]) -> "LocalPolynomial":
        """A rule written by hand, as {HEBB: 1.0, OJA: -1.0}."""
        return cls(jnp.array(list(terms.values()), jnp.float32), tuple(terms))

    @property
    def taught(self) -> bool:
        """Whether any term asks what a cell is told."""
        return any(term[2] for term in self.terms)

    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], None]:
        post = synapse.post.activity
        told = post if synapse.third is None else synapse.third
        known = jnp.broadcast_arrays(synapse.pre.activity, post, told, synapse.weight)
        powers, factors = jnp.array(self.terms), jnp.arange(4)[None, :]
        highest = max(max(term) for term in self.terms)
        table = jnp.stack([jnp.stack(known) ** power for power in range(highest + 1)])
        products = jnp.prod(table[powers, factors], axis=1)  # one for every term
        return jnp.tensordot(self.coefficients, products, axes=1), None

    def edge_memory(self, wiring: AbstractWiring) -> None:
        del wiring

    def propose(
        self, state: None, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Network, None]:
        if not self.taught:
            return super().propose(state, brain, sample, error, key=key)
        if sample.target is None:
            raise ValueError(
                "This polynomial has terms with what a cell is told, but the sample has no target. "
                "Use a task with targets, or terms without, such as `ABCD`."
            )

        def live(carry: tuple, now: tuple) -> tuple:
            cells, diary, total = carry
            cells, _, signals = brain.observe(cells, now[0])
            told = signals.activity | split_outputs(brain, now[1])
            changes, diary = experience(self, brain, diary, signals, told)
            return (cells, diary, jax.tree.map(jnp.add, total, changes)), None

        nothing = tuple(jnp.zeros_like(p.weight) for p in brain.projections)
        start = brain.init(key=key), open_diary(self, brain), nothing
        (_, _, total), _ = jax.lax.scan(live, start, (sample.stimuli, sample.target))
        return uphill(brain, total, sample.stimuli.shape[0]), None


class Plasticity(AbstractVectorGenome):
    """The genes are the coefficients of a `LocalPolynomial` with these `terms`.

    coefficient = scale * gene. Random genes are standard normal.
    """

    terms: tuple[Term, ...] = eqx.field(static=True, default=CHALMERS)
    scale: float = 1.0  # of a coefficient whose gene is 1
    mutation: float = 0.1  # standard deviation of the change of a gene

    def __check_init__(self):
        if not (self.scale > 0 and self.mutation >= 0 and self.terms):
            raise ValueError(
                f"`Plasticity` needs a term or more, a scale above 0 and a mutation of at least 0, "
                f"got {len(self.terms)} terms, scale={self.scale}, mutation={self.mutation}. Use "
                "`Plasticity(CHALMERS)`."
            )

    @property
    def size(self) -> int:
        return len(self.terms)

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " gene"]:
        return jax.random.normal(key, (self.size,))

    def develop(self, genes: Float[Array, " gene"], *, key: PRNGKeyArray) -> LocalPolynomial:
        del key
        return LocalPolynomial(self.scale * genes, self.terms)

    def encode(self, developed: Any) -> Float[Array, " gene"]:
        return developed.coefficients / self.scale
