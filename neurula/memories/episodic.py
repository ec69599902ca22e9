"""What followed when something like this happened before: keys, values, and nearest neighbours.

Read as a mean: Blundell et al. (2016), arXiv 1606.04460; by a kernel that can be differentiated:
Pritzel et al. (2017), ICML 70:2827. In animals: Lengyel & Dayan (2008), NIPS 20:889. Random
projections: Johnson & Lindenstrauss (1984), Contemp. Math. 26:189.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..free_memory import afford


class Episodes(eqx.Module):
    """What an episodic memory holds. Values and keys may be learned like weights."""

    keys: Float[Array, "place number"]
    values: Float[Array, " place"]
    used: Int[Array, " place"]  # when it last was written or was a neighbour; -1: empty
    time: Int[Array, ""]  # reads and writes so far
    projection: Float[Array, "number size"] | None = None  # drawn once, then left alone


class Episodic(eqx.Module):
    """Remembers `capacity` pairs of a cue and one value, and tells what similar cues were worth.

    Equations, over the k nearest keys h_i with values v_i and squared distances d_i to the cue:
    reading "mean": v = v_1 if the cue is known (d_1 <= match^2), otherwise sum_i v_i / k;
    reading "kernel": v = sum_i w_i v_i / sum_i w_i with w_i = 1 / (d_i + softening).
    Fewer than k stored: over those there are. None: `unknown`.

    What is written goes to the place of its own key if it is known, where the larger value stays
    (`rate` None) or v_i + rate (v - v_i); otherwise to an empty place; in a full memory to the
    place least recently used, that is written or found among the k nearest by `read`.

    One memory per action is `jax.vmap` over states. Source: the module's.
    """

    size: int = eqx.field(static=True)  # numbers of a cue
    capacity: int = eqx.field(static=True, default=1000)  # pairs that fit
    neighbours: int = eqx.field(static=True, default=11)  # k
    reading: Literal["mean", "kernel"] = eqx.field(static=True, default="mean")
    rate: float | Float[Array, ""] | None = None  # of steps to new values; None: the larger stays
    softening: float = 1e-3  # squared distance below which neighbours count alike
    match: float = 1e-4  # distance below which two cues are the same; in roundings they differ
    projected: int | None = eqx.field(static=True, default=None)  # numbers kept of a cue, at random
    unknown: float | Float[Array, ""] = 0.0  # the value as long as nothing is stored

    def __check_init__(self):
        if self.size < 1 or not 1 <= self.neighbours <= self.capacity:
            raise ValueError(
                f"An episodic memory needs cues of a number or more, and at least as many places "
                f"as neighbours, but got size={self.size}, neighbours={self.neighbours}, "
                f"capacity={self.capacity}. For example `Episodic(64, capacity=1000)`."
            )
        if self.reading not in ("mean", "kernel"):
            raise ValueError(
                f'Expected reading "mean" or "kernel", got {self.reading!r}. Neighbours count '
                'alike or by distance. Write `Episodic(64, reading="kernel")`.'
            )
        if self.projected is not None and self.projected < 1:
            raise ValueError(
                f"Cues are projected to a number or more, got projected={self.projected}. "
                "`Episodic(64, projected=16)` keeps distances roughly; None keeps cues."
            )
        afford(
            4 * self.capacity * (self.width + 2),
            f"{self.capacity:,} places of an episodic memory, {self.width:,} numbers each,",
            "all places exist from the start",
            "Lower `capacity`, or give each cue fewer numbers: `projected=64`.",
        )

    @property
    def width(self) -> int:
        """Numbers of a key."""
        return self.size if self.projected is None else self.projected

    def init(self, *, key: PRNGKeyArray | None = None) -> Episodes:
        """Nothing remembered. Needs a key if cues are projected."""
        projection = None
        if self.projected is not None:
            if key is None:
                raise ValueError(
                    f"Cues are projected to {self.projected} numbers at random, but nothing says "
                    "which way: there is no key. Write `memory.init(key=jax.random.key(0))`."
                )
            drawn = jax.random.normal(key, (self.projected, self.size))
            projection = drawn / self.projected**0.5  # so that distances stay, on average
        return Episodes(
            jnp.zeros((self.capacity, self.width)),
            jnp.zeros(self.capacity),
            jnp.full(self.capacity, -1, jnp.int32),
            jnp.zeros((), jnp.int32),
            projection,
        )

    def nearest(
        self, state: Episodes, cue: Float[Array, " size"]
    ) -> tuple[Int[Array, " k"], Float[Array, " k"]]:
        """The k nearest places, nearest first, and their squared distances, infinite if empty."""
        coded = self._code(state, cue)
        still = jax.lax.stop_gradient
        apart = jnp.sum((still(state.keys) - still(coded)[None]) ** 2, -1)
        places = jax.lax.top_k(-jnp.where(state.used >= 0, apart, jnp.inf), self.neighbours)[1]
        # Once more for those few, so that a gradient to their keys costs as little.
        apart = jnp.sum((state.keys[places] - coded[None]) ** 2, -1)
        return places, jnp.where(state.used[places] >= 0, apart, jnp.inf)

    def recall(self, state: Episodes, cue: Float[Array, " size"]) -> Float[Array, ""]:
        """What the memory says, without a trace of having been asked.

        Differentiable in the values, and with reading "kernel" in the cue and the keys.
        """
        return self._value(state, *self.nearest(state, cue))

    def read(
        self, state: Episodes, cue: Float[Array, " size"]
    ) -> tuple[Episodes, Float[Array, ""]]:
        """What the memory says; the neighbours that it found count as used."""
        places, apart = self.nearest(state, cue)
        now = jnp.where(jnp.isfinite(apart), state.time, -1)
        used, time = state.used.at[places].set(now), state.time + 1
        marked = eqx.tree_at(lambda s: (s.used, s.time), state, (used, time))
        return marked, self._value(state, places, apart)

    def write(
        self, state: Episodes, cue: Float[Array, " size"], value: Float[Array, ""]
    ) -> Episodes:
        """Remember one pair."""
        return self.write_all(state, cue[None], value[None])

    def write_all(
        self,
        state: Episodes,
        cues: Float[Array, "time size"],
        values: Float[Array, " time"],
        *,
        when: Bool[Array, " time"] | None = None,
    ) -> Episodes:
        """Remember the pairs of an episode at once; only those with `when`, if it is given.

        Values of the same cue count together: the largest, or their mean if there is a `rate`. Of
        more new cues than there is room for, the first are kept.
        """
        when = jnp.ones(len(values), bool) if when is None else when
        coded, nowhere = jax.vmap(lambda cue: self._code(state, cue))(cues), self.capacity
        apart = jnp.where(state.used >= 0, _squares(coded, state.keys), jnp.inf)
        same = (_squares(coded, coded) <= self.match**2) & when[None]
        first = jnp.argmax(same, 1)  # the first time of the same cue stands for all
        known, place = jnp.min(apart, 1) <= self.match**2, jnp.argmin(apart, 1)
        new = when & ~known & (first == jnp.arange(len(values)))
        taken = _marked(jnp.where(when & known, place, nowhere), self.capacity)
        room = min(len(values), self.capacity)
        oldest = jax.lax.top_k(-jnp.where(taken, state.time, state.used), room)[1]
        rank = jnp.cumsum(new.astype(jnp.int32)) - 1
        fits = rank < self.capacity - jnp.sum(taken.astype(jnp.int32))
        fresh = jnp.where(fits, oldest[jnp.clip(rank, 0, room - 1)], nowhere)
        place = jnp.where(when, jnp.where(known, place, fresh)[first], nowhere)
        begun = jnp.where(new, place, nowhere)
        return Episodes(
            state.keys.at[begun].set(coded, mode="drop"),
            self._update(state.values, place, begun, values),
            state.used.at[place].set(state.time, mode="drop"),
            state.time + jnp.any(when).astype(jnp.int32),
            state.projection,
        )

    def _update(self, old: Array, place: Array, begun: Array, values: Array) -> Array:
        """Old values where nothing comes; what comes replaces them where a memory has begun."""
        arrived, new = _marked(place, self.capacity), _marked(begun, self.capacity)
        if self.rate is None:
            best = jnp.full_like(old, -jnp.inf).at[place].max(values, mode="drop")
            return jnp.where(arrived, jnp.where(new, best, jnp.maximum(old, best)), old)
        total, count = (
            jnp.zeros_like(old).at[place].add(x, mode="drop")
            for x in (values, jnp.ones_like(values))
        )
        mean = total / jnp.maximum(count, 1.0)
        return jnp.where(arrived, jnp.where(new, mean, old + self.rate * (mean - old)), old)

    def _code(self, state: Episodes, cue: Float[Array, " size"]) -> Float[Array, " number"]:
        """The cue as it is compared with keys."""
        if state.projection is None:
            return cue
        return jax.lax.stop_gradient(state.projection) @ cue

    def _value(
        self, state: Episodes, places: Int[Array, " k"], apart: Float[Array, " k"]
    ) -> Float[Array, ""]:
        """What neighbours at these squared distances say."""
        values, there = state.values[places], jnp.isfinite(apart)
        if self.reading == "kernel":
            weights = 1 / (apart + self.softening)
        else:
            known = apart[0] <= self.match**2
            first = jnp.arange(self.neighbours) == 0
            weights = jnp.where(known, first, there).astype(values.dtype)
        total = jnp.sum(weights)
        mean = jnp.sum(weights * values) / jnp.where(there[0], total, 1.0)
        return jnp.where(there[0], mean, self.unknown)


def _squares(a: Float[Array, "a number"], b: Float[Array, "b number"]) -> Float[Array, "a b"]:
    """Squared distances, exactly 0 between equals."""
    return jnp.sum((a[:, None] - b[None]) ** 2, -1)


def _marked(places: Int[Array, " any"], capacity: int) -> Bool[Array, " place"]:
    """Which places are in the list; numbers beyond the last are in no list."""
    return jnp.zeros(capacity, bool).at[places].set(True, mode="drop")
