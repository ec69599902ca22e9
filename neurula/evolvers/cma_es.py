"""Learn the shape of the landscape: evolution with a covariance that adapts.

Hansen (2016), The CMA evolution strategy: a tutorial, arXiv:1604.00772; Ros & Hansen (2008), PPSN
X:296, for the separable form.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..heredity import AbstractEvolver, AbstractGenome, require_vector
from .last_finite import last_finite, none_refused
from .ranks import ranks

LEAST = 1e-7  # smallest eigenvalue, of the largest: what single precision can tell apart


class Ellipsoid(eqx.Module):
    """Where genomes are drawn from, and the paths along which it has moved.

    A separable strategy holds its covariance as the vector of variances, and no axes.
    """

    mean: Float[Array, " gene"]
    deviation: Float[Array, ""]  # the step size, sigma
    covariance: Float[Array, "gene gene"] | Float[Array, " gene"]
    axes: Float[Array, "gene gene"] | None  # eigenvectors, one a column
    lengths: Float[Array, " gene"]  # roots of eigenvalues
    path: Float[Array, " gene"]  # p_c
    path_deviation: Float[Array, " gene"]  # p_sigma
    generation: Int[Array, ""]
    refused: Int[Array, ""]  # updates that were not finite, and not taken

    def whiten(self, moves: Float[Array, "... gene"]) -> Float[Array, "... gene"]:
        """C^(-1/2) y."""
        if self.axes is None:
            return moves * self._over(1 / self.lengths, moves)
        turned = moves @ self.axes
        return (turned * self._over(1 / self.lengths, moves)) @ self.axes.T

    def colour(self, drawn: Float[Array, "... gene"]) -> Float[Array, "... gene"]:
        """B D z, with covariance C if z is standard normal."""
        scaled = drawn * self._over(self.lengths, drawn)
        return scaled if self.axes is None else scaled @ self.axes.T

    def _over(self, lengths: Float[Array, " gene"], moves: Array) -> Array:
        return jnp.broadcast_to(lengths, moves.shape)


class Rates(eqx.Module):
    """The default settings for n genes and a population (Hansen 2016, table 1)."""

    weights: Float[np.ndarray, " rank"]
    selected: float  # mu_eff, the variance effective selection mass
    damping: float  # d_sigma, the damping
    deviation: float  # c_sigma
    path: float  # c_c
    one: float  # c_1
    many: float  # c_mu
    norm: float  # of a standard normal vector, on average

    @classmethod
    def of(cls, size: int, population: int, diagonal: bool) -> "Rates":
        n = size
        raw = math.log((population + 1) / 2) - np.log(np.arange(1, population + 1))
        parents, losers = raw[: population // 2], raw[population // 2 :]
        mass = parents.sum() ** 2 / (parents**2).sum()
        mass_losers = losers.sum() ** 2 / (losers**2).sum()
        c_sigma = (mass + 2) / (n + mass + 5)
        damping = 1 + 2 * max(0.0, math.sqrt((mass - 1) / (n + 1)) - 1) + c_sigma
        one = 2 / ((n + 1.3) ** 2 + mass)
        many = min(1 - one, 2 * (0.25 + mass + 1 / mass - 2) / ((n + 2) ** 2 + mass))
        if diagonal:  # n numbers are learned faster than n (n + 1) / 2
            one = min(1.0, one * (n + 2) / 3)
            many = min(1 - one, many * (n + 2) / 3)
        bounds = (
            1 + one / many,
            1 + 2 * mass_losers / (mass + 2),
            (1 - one - many) / (n * many),
        )
        positive = raw / raw[raw > 0].sum()
        negative = min(bounds) * raw / -raw[raw < 0].sum()
        return cls(
            weights=np.where(raw >= 0, positive, negative),
            selected=float(mass),
            damping=float(damping),
            deviation=float(c_sigma),
            path=float((4 + mass / n) / (n + 4 + 2 * mass / n)),
            one=float(one),
            many=float(many),
            norm=math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2)),
        )


class CMAES(AbstractEvolver[Ellipsoid]):
    """Covariance matrix adaptation, with negative weights for the worse half.

    Draws x_k = m + s y_k, y_k normal with covariance C. By rank, m += s sum_i w_i y_i over the
    better half; s grows where steps go on in one direction, C towards sum_i w_i y_i y_i' and the
    path p p'. With `diagonal` only variances are learned (sep-CMA-ES), for many genes: the full
    covariance takes a matrix of genes by genes and its eigenvectors in every generation. Ties are
    broken by order, that is by chance. Hansen's population is 4 + 3 ln(genes), rounded down.
    """

    population: int = eqx.field(static=True, default=16)
    deviation: float = 1.0  # of genes in the first generation
    diagonal: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        if self.population < 4 or not self.deviation > 0:
            raise ValueError(
                f"`CMAES` ranks at least 4 genomes, drawn with a deviation above 0, but got "
                f"population={self.population}, deviation={self.deviation}. Use "
                "`CMAES(population=16, deviation=1.0)`."
            )

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> Ellipsoid:
        del key
        size = require_vector(self, genome).size
        zeros, ones = jnp.zeros(size), jnp.ones(size)
        return Ellipsoid(
            mean=zeros,
            deviation=jnp.full((), self.deviation),
            covariance=ones if self.diagonal else jnp.eye(size),
            axes=None if self.diagonal else jnp.eye(size),
            lengths=ones,
            path=zeros,
            path_deviation=zeros,
            generation=jnp.zeros((), jnp.int32),
            refused=none_refused(),
        )

    def ask(
        self, state: Ellipsoid, genome: AbstractGenome, *, key: PRNGKeyArray
    ) -> tuple[Ellipsoid, Float[Array, "genome gene"]]:
        drawn = jax.random.normal(key, (self.population, *state.mean.shape))
        return state, state.mean[None, :] + state.deviation * state.colour(drawn)

    def tell(
        self,
        state: Ellipsoid,
        genome: AbstractGenome,
        genes: Float[Array, "genome gene"],
        fitness: Float[Array, " genome"],
    ) -> Ellipsoid:
        size = state.mean.shape[0]
        r = Rates.of(size, self.population, self.diagonal)
        weight = jnp.asarray(r.weights, jnp.float32)[ranks(fitness)]
        moves = (genes - state.mean[None, :]) / state.deviation
        move = jnp.maximum(weight, 0.0) @ moves

        onward = math.sqrt(r.deviation * (2 - r.deviation) * r.selected)
        path_deviation = (1 - r.deviation) * state.path_deviation + onward * state.whiten(move)
        length = jnp.linalg.norm(path_deviation) / r.norm
        grown = state.deviation * jnp.exp(r.deviation / r.damping * (length - 1))

        age = (state.generation + 1).astype(jnp.float32)
        fair = length / jnp.sqrt(1 - (1 - r.deviation) ** (2 * age))
        steady = (fair < 1.4 + 2 / (size + 1)).astype(jnp.float32)  # h_sigma: no burst of growth
        onward = math.sqrt(r.path * (2 - r.path) * r.selected)
        path = (1 - r.path) * state.path + steady * onward * move

        covariance = self._learn(state, r, weight, moves, path, steady)
        axes, lengths = self._decompose(covariance)
        new = Ellipsoid(
            state.mean + state.deviation * move, grown, covariance, axes, lengths,
            path, path_deviation, state.generation + 1, state.refused,
        )  # fmt: skip
        return last_finite(new, state)

    def _learn(
        self, state: Ellipsoid, r: Rates, weight: Array, moves: Array, path: Array, steady: Array
    ) -> Array:
        """The next covariance, or the next variances."""
        size = state.mean.shape[0]
        far = jnp.sum(state.whiten(moves) ** 2, axis=1)
        scaled = weight * jnp.where(weight >= 0, 1.0, size / jnp.maximum(far, 1e-20))
        lost = (1 - steady) * r.path * (2 - r.path)
        keep = 1 + r.one * lost - r.one - r.many * float(r.weights.sum())
        if self.diagonal:
            return keep * state.covariance + r.one * path**2 + r.many * (scaled @ moves**2)
        along = path[:, None] * path[None, :]
        spread = (moves * scaled[:, None]).T @ moves
        new = keep * state.covariance + r.one * along + r.many * spread
        return (new + new.T) / 2

    def _decompose(self, covariance: Array) -> tuple[Array | None, Array]:
        """Eigenvectors and the roots of eigenvalues, none too small for its precision."""
        if self.diagonal:
            values, axes = covariance, None
        else:
            values, axes = jnp.linalg.eigh(covariance)
        return axes, jnp.sqrt(jnp.maximum(values, LEAST * jnp.max(values)))
