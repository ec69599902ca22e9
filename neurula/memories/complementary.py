"""A small fast store beside a slow network: single examples are kept, and taught again and again.

McClelland, McNaughton & O'Reilly (1995), Psychol. Rev. 102:419; rehearsal: Robins (1995), Conn.
Sci. 7:123. What stays: Vitter (1985), ACM Trans. Math. Softw. 11:37, within each class, as in
Chrysakis & Moens (2020), ICML 119:1952.
"""

import abc
import math
from typing import Any, Generic

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray, PyTree

from ..contracts import State
from ..free_memory import afford


class AbstractRehearsal(eqx.Module, Generic[State]):
    """What the slow part of a brain can be taught again from. `tasks.Interleaved` does so."""

    @abc.abstractmethod
    def init(self, example: Any) -> State:
        """Nothing remembered. `example` is one, of whatever value: it gives shapes and types."""

    @abc.abstractmethod
    def see(
        self,
        state: State,
        examples: Any,
        labels: Int[Array, " example"],
        classes: Int[Array, " seen"],
        *,
        key: PRNGKeyArray,
    ) -> State:
        """Take in, of examples along a leading axis, those of these classes, each once."""

    @abc.abstractmethod
    def known(self, state: State) -> Bool[Array, " class"]:
        """The classes of which there is something."""

    @abc.abstractmethod
    def sample(self, state: State, *, key: PRNGKeyArray) -> tuple[Any, Int[Array, ""]]:
        """One example and its class: a class of those known, all alike, then one example of it."""


def one_of(there: Bool[Array, " any"], *, key: PRNGKeyArray) -> Int[Array, ""]:
    """The place of one that is true, all equally likely; the first place if none is."""
    rank = jnp.cumsum(there.astype(jnp.int32))
    return jnp.argmax(
        rank.astype(jnp.float32) > jnp.floor(rank[-1].astype(jnp.float32) * jax.random.uniform(key))
    )


class Kept(eqx.Module):
    """What a fast store holds."""

    examples: PyTree  # as one example, with leading axes (class, place)
    seen: Int[Array, " class"]  # examples of each class so far, kept or not


class FastStore(AbstractRehearsal[Kept]):
    """Keeps up to `places` examples of each of `classes` classes, each seen one equally likely.

    The n-th example of a class is kept with probability min(1, places / n), in place of one drawn
    from those there (reservoir sampling). So no class takes the room of another, however often it
    comes, and nobody needs to know beforehand how many there will be. `classes=1` is an ordinary
    reservoir. An example is whatever is given: a `Sample`, a picture, a dictionary of arrays.

    The slow part is any network and any rule: `tasks.Interleaved` mixes what is kept into the
    examples of a task.
    """

    classes: int = 10
    places: int = 10  # examples that fit, for each class

    def __check_init__(self):
        if self.classes < 1 or self.places < 1:
            raise ValueError(
                f"A fast store needs a class and a place or more, got classes={self.classes}, "
                f"places={self.places}. For example `FastStore(classes=10, places=10)`."
            )

    def init(self, example: Any) -> Kept:
        there = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, example))
        numbers = sum(math.prod(x.shape) * x.dtype.itemsize for x in jax.tree.leaves(there))
        fit = self.classes, self.places
        afford(
            math.prod(fit) * numbers,
            f"{fit[0]:,} x {fit[1]:,} examples of {numbers:,} bytes",
            "all places of a fast store exist from the start",
            "Lower `places`.",
        )
        empty = jax.tree.map(lambda x: jnp.zeros((*fit, *x.shape), x.dtype), there)
        return Kept(empty, jnp.zeros(self.classes, jnp.int32))

    def add(self, state: Kept, example: Any, label: Int[Array, ""], *, key: PRNGKeyArray) -> Kept:
        """Take in one example of class `label`, from 0; another one may have to go."""
        before = state.seen[label]
        drawn = jax.random.randint(key, (), 0, before + 1)
        place = jnp.where(before < self.places, before, drawn)  # from `places` on: not kept
        put = lambda all, one: all.at[label, place].set(one, mode="drop")  # noqa: E731
        return Kept(jax.tree.map(put, state.examples, example), state.seen.at[label].add(1))

    def add_all(
        self,
        state: Kept,
        examples: Any,
        labels: Int[Array, " time"],
        *,
        when: Bool[Array, " time"] | None = None,
        key: PRNGKeyArray,
    ) -> Kept:
        """Take in examples along a leading axis, one after the other, those with `when` only."""
        labels = labels if when is None else jnp.where(when, labels, self.classes)  # dropped

        def one(state, now):
            return self.add(state, now[0], now[1], key=now[2]), None

        keys = jax.random.split(key, len(labels))
        return jax.lax.scan(one, state, (examples, labels, keys))[0]

    def see(
        self,
        state: Kept,
        examples: Any,
        labels: Int[Array, " example"],
        classes: Int[Array, " seen"],
        *,
        key: PRNGKeyArray,
    ) -> Kept:
        when = jnp.any(labels[:, None] == classes[None, :], 1)
        return self.add_all(state, examples, labels, when=when, key=key)

    def there(self, state: Kept) -> Bool[Array, "class place"]:
        """Which places hold an example."""
        return jnp.arange(self.places)[None, :] < state.seen[:, None]

    def known(self, state: Kept) -> Bool[Array, " class"]:
        return state.seen > 0

    def sample(self, state: Kept, *, key: PRNGKeyArray) -> tuple[Any, Int[Array, ""]]:
        at_class, at_place = jax.random.split(key)
        label = one_of(self.known(state), key=at_class)
        full = jnp.minimum(state.seen[label], self.places).astype(jnp.float32)
        place = (full * jax.random.uniform(at_place)).astype(jnp.int32)
        return jax.tree.map(lambda x: x[label, place], state.examples), label
