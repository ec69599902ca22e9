"""Whether eigenvectors of a successor representation are grids of triangles, or of squares.

Stachenfeld, Botvinick & Gershman (2014), NeurIPS 27, and (2017), Nat. Neurosci. 20:1643; grids from
components of place cells: Dordek, Soudry, Meir & Derdikman (2016), eLife 5:e10094. Squares, because
components mix: Sorscher, Mel, Ganguli & Ocko (2019), NeurIPS 32.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..agents import successor_matrix
from ..environments import Arena, circle
from ..evidence import AgainstNull, Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..measures import grid_score, non_negative_components
from ..predictive_map import counted_chances
from ..wandering import wander

ROOMS = {
    "square": Arena(dt=0.05),
    "circle": Arena(circle(0.5), dt=0.05),
    "triangle": Arena(((0.0, 0.0), (1.0, 0.0), (0.5, 0.866)), dt=0.05),
}
SIDE = 24  # bins
EVERY = 4  # steps of the walk in a step of learning
FIRST, LAST = 1, 41  # eigenvectors, counted from 0, the largest first, which is flat
TOP = 99.0  # percentile of the null
SR, COMPONENTS, SHUFFLED = "successors", "place cells", "shuffled"
POSITIVE = "place cells, non-negative"
SCORES = {"triangles": "langston", "squares": "square"}
Maps = Float[np.ndarray, "map row column"]


class SrEigenGrids(AbstractClaim):
    """Rat-like walks in rooms 1 m wide. Maps are eigenvectors, cut off below zero.

    A map is a grid of triangles, or of squares, if its score is above the 99th percentile of scores
    of noise that is as coarse as the same network's eigenvectors, cut off as they are.
    """

    statement: ClassVar[str] = (
        "More eigenvectors of a successor representation are grids of triangles than noise as "
        "coarse as they are gives by chance, and than are grids of squares."
    )
    source: ClassVar[str] = (
        "Stachenfeld et al. (2014), NeurIPS 27, and (2017), Nat. Neurosci. 20:1643: grid cells "
        "compute the eigendecomposition of place fields"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "computation"
    kind: ClassVar[str] = "emergence"
    arms: ClassVar[dict[str, Arm]] = {
        SR: Arm("brain", "eigenvectors 2 to 41 of the SR of a walk in three rooms"),
        COMPONENTS: Arm("control", "principal components 2 to 41 of Gaussian place cells, no SR"),
        POSITIVE: Arm("probe", "40 components of these that may not be negative"),
        SHUFFLED: Arm("sham", "eigenvectors of the SR of the same places in shuffled order"),
    }
    margin: ClassVar[float] = 10.0
    unit: ClassVar[str] = "points of the share of eigenvectors that are grids, mean of three rooms"
    refuted_if: ClassVar[str] = (
        "the share of grids of triangles is less than 10 points above that of noise with the same "
        "power at every spatial frequency, in all directions alike, or less than 10 points above "
        "the share of grids of squares. The weaker comparison rules"
    )
    expected: ClassVar[str] = (
        "More than noise. Bad outcome, and likely: eigenvectors of a square room are products of "
        "cosines, so that squares dominate."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Eigenvalues come in pairs: any mixture of two eigenvectors is as valid, and walks choose.",
        "Symmetry by 6 and by 4 are scored alike (langston, square), each against its own null: "
        "raw scores of the two cannot be compared.",
        "The arm of components that may not be negative (Dordek et al.) was added after the others "
        "were seen. Each is sought in what earlier ones leave over.",
        "Noise with the whole spectrum of a map, tried first on a tuning seed, has its very grid: "
        "the spectrum decides the autocorrelogram. So only the power at each frequency is kept.",
        "The SR is the exact one of the transitions that were counted on the walk, made symmetric.",
        "The kind of noise was chosen on tuning seeds with scores in view: see its description.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, minutes=2.0, draws=2),
        "quick": Budget(8),
        "full": Budget(20, minutes=240.0, draws=50),
    }
    batched: ClassVar[bool] = False  # scores are NumPy's

    minutes: float = 60.0  # of walking in each room
    discount: float = 0.9  # in a step of 0.2 s
    draws: int = 10  # of noise for every eigenvector

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # nothing is learned

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        kept: dict[str, list] = {name: [] for name in ("shares", "null", "maps", "scores")}
        for number, room in enumerate(ROOMS.values()):
            at_walk, at_order = jax.random.split(jax.random.fold_in(key, number))
            path = walked(room, self.minutes, key=at_walk)
            if arm == SHUFFLED:
                path = jax.random.permutation(at_order, path)
            seen = np.bincount(np.asarray(path), minlength=SIDE**2).reshape(SIDE, SIDE) > 0
            rng = np.random.default_rng(int(jax.random.bits(at_order) >> 1))
            if arm == POSITIVE:
                found = non_negative_components(np.asarray(covariance(path)), LAST - FIRST, rng=rng)
            else:
                found = np.asarray(vectors(arm, path, self.discount))
            found = found.reshape(-1, SIDE, SIDE)
            maps = drawn(found, seen)
            if arm == POSITIVE:  # noise is made from what has both signs, and cut off likewise
                found = found - found.mean((1, 2), keepdims=True)
            noise = drawn(np.stack([as_coarse(found, rng) for _ in range(self.draws)]), seen)
            scores, shares, null = [], [], []
            for definition in SCORES.values():
                score, chance = (sharp(each, definition) for each in (maps, noise))
                limit = np.percentile(chance, TOP)
                scores.append(score)
                shares.append((score > limit).mean())
                null.append((chance > limit).mean(1))
            shown = np.linspace(0, len(maps) - 1, 5).astype(int)
            for name, one in zip(kept, (shares, null, maps[shown], scores), strict=True):
                kept[name].append(np.asarray(one, np.float32))
        arrays = {name: jnp.asarray(np.stack(found)) for name, found in kept.items()}
        return Outcome(100 * jnp.mean(arrays["shares"][:, 0]), kept=arrays)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        kept = {arm: {k: np.asarray(x, np.float64) for k, x in o.kept.items()}
                for arm, o in outcomes.items()}  # fmt: skip
        percent = {arm: 100 * each["shares"].mean(1) for arm, each in kept.items()}
        null = 100 * kept[SR]["null"].mean(1)[:, 0]  # (seed, draw), of triangles
        triangles, squares = percent[SR].T
        parts = {
            "beyond noise": AgainstNull(triangles, null, self.margin),
            "beyond squares": Superiority(triangles, squares, self.margin),
        }
        beside = {
            f"triangles beyond {other}": Superiority(triangles, percent[other][:, 0], self.margin)
            for other in (COMPONENTS, POSITIVE, SHUFFLED)
        }
        for room, shares in zip(ROOMS, 100 * kept[SR]["shares"].swapaxes(0, 1), strict=True):
            beside[f"{room}: triangles beyond squares"] = Superiority(
                shares[:, 0], shares[:, 1], self.margin
            )
        plain = float(percent[SHUFFLED].max())
        order = "Order counts: without it, fewer than 15 % of eigenvectors are grids of any kind."
        return Evidence(
            weakest(*parts.values()),
            gates=(Gate(order, bool(percent[SHUFFLED].mean() < 15), f"{plain:.1f} % at most"),),
            secondary={**parts, **beside},
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..measures import autocorrelogram
        from ..pictures import rate_maps

        maps, scores = (np.asarray(outcomes[SR].kept[name])[0] for name in ("maps", "scores"))
        shown = np.linspace(0, scores.shape[-1] - 1, maps.shape[1]).astype(int)
        titles = [
            f"{room} {FIRST + k + 1}: {six:.1f}, {four:.1f}"
            for room, both in zip(ROOMS, scores, strict=True)
            for k, six, four in zip(shown, *both[:, shown], strict=True)
        ]
        flat = maps.reshape(-1, SIDE, SIDE)
        return rate_maps(flat, autocorrelogram(flat), titles=titles, columns=5, unit="")


@eqx.filter_jit
def walked(room: Arena, minutes: float, *, key: PRNGKeyArray) -> Int[Array, " time"]:
    """The bins of a walk, one for every step of 0.2 s."""
    _, seen = wander(room, seconds=60 * minutes, key=key)
    bins = jnp.clip((seen.position[::EVERY] * SIDE).astype(jnp.int32), 0, SIDE - 1)
    return bins[:, 1] * SIDE + bins[:, 0]


@eqx.filter_jit
def vectors(arm: str, path: Int[Array, " time"], discount: float) -> Float[Array, "vector state"]:
    """Eigenvectors, or components, of which the largest eigenvalues come first, without the first.

    Places that the walk never saw are left out: their rows are zero.
    """
    if arm == COMPONENTS:
        square, skipped = covariance(path), 0
    else:
        learned = successor_matrix(counted_chances(path, SIDE**2), discount)
        there = (jnp.zeros(SIDE**2).at[path].add(1.0) > 0).astype(jnp.float32)
        square, skipped = (learned + learned.T) / 2 * there[:, None] * there[None], FIRST
    _, found = jnp.linalg.eigh(square)
    return found[:, ::-1].T[skipped : skipped + LAST - FIRST]


def covariance(path: Int[Array, " time"]) -> Float[Array, "state state"]:
    """How place cells, Gaussian and 12 cm wide, go together on the walk; 0 where it never was."""
    seen = jnp.zeros(SIDE**2).at[path].add(1.0)
    there = (seen > 0).astype(jnp.float32)
    place = jnp.stack(jnp.divmod(jnp.arange(SIDE**2), SIDE)[::-1], 1)
    spots = (place.astype(jnp.float32) + 0.5) / SIDE
    away = jnp.sum((spots[:, None] - spots[None]) ** 2, axis=-1)
    rates = jnp.exp(-away / (2 * 0.12**2)) * there[:, None] * there[None]
    rates = rates - jnp.sum(rates * seen[:, None], 0, keepdims=True) / jnp.sum(seen)
    return rates @ rates.T * there[:, None] * there[None]


def drawn(vectors: Float[np.ndarray, "*any row column"], seen: np.ndarray) -> np.ndarray:
    """Maps: cut off below zero, NaN where the walk never was."""
    return np.where(seen, np.maximum(vectors, 0), np.nan).astype(float)


def as_coarse(vectors: Maps, rng: np.random.Generator) -> Maps:
    """Noise whose power falls with spatial frequency as that of vectors, in all directions alike.

    Its scale is its own: scores are made of correlations.
    """
    line = np.fft.fftfreq(SIDE, 1 / SIDE)
    ring = np.round(np.hypot(line[:, None], line[None])).astype(int).ravel()
    power = np.abs(np.fft.fft2(vectors)).reshape(len(vectors), -1) ** 2
    sums = np.stack([np.bincount(ring, one) for one in power]) / np.bincount(ring)
    filters = np.sqrt(sums[:, ring]).reshape(vectors.shape)
    return np.fft.ifft2(filters * np.fft.fft2(rng.normal(size=vectors.shape))).real


def sharp(maps: Float[np.ndarray, "*draws map row column"], definition: str) -> np.ndarray:
    """Scores; a map without any counts as the worst."""
    return np.nan_to_num(grid_score(maps, definition=definition), nan=-2.0)
