"""Species: genomes that are alike compete among themselves, so that what is new has time.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99, section 3.3.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..heredity import AbstractGenome
from .packed import pack


class Species(eqx.Module):
    """Room for so many species. Places with the name -1 are free.

    `name` is counted up over a run and never given twice: what pictures of species over time want.
    """

    name: Int[Array, " species"]
    example: Any  # genes, stacked: whoever is near enough belongs to the species
    best: Float[Array, " species"]  # the highest fitness ever
    idle: Int[Array, " species"]  # generations since it rose
    born: Int[Array, ""]  # how many species there have been

    @property
    def exists(self) -> Bool[Array, " species"]:
        return self.name >= 0


def nobody(example: Any, room: int) -> Species:
    """No species yet. `example` has the shapes of genes."""
    blank = jax.tree.map(lambda x: jnp.zeros((room, *x.shape), x.dtype), example)
    none = jnp.zeros(room, jnp.int32)
    return Species(none - 1, blank, jnp.full(room, -jnp.inf), none, jnp.zeros((), jnp.int32))


def assign(
    species: Species, genome: AbstractGenome, genes: Any, threshold: Float[Array, ""]
) -> tuple[Species, Int[Array, " genome"]]:
    """The first species, in the order of places, that each genome is near enough to.

    Whoever fits nowhere founds a species; if there is no place left, it joins the nearest one.
    """
    packed, unpack = pack(genes)
    count, room = packed[0].shape[0], species.name.shape[0]
    far = jax.vmap(genome.distance, in_axes=(0, None))
    species, kept = _settled(species)

    def going(carry: tuple) -> Array:
        return (carry[-1] < room) & jnp.any(carry[0] < 0)

    def one(carry: tuple) -> tuple:
        home, nearest, least, examples, place = carry
        new, founder = place >= kept, jnp.argmax(home < 0)
        either = lambda them, old: jnp.where(new, them[founder], old[place])  # noqa: E731
        example = [either(*both) for both in zip(packed, examples, strict=True)]
        away = far(genes, unpack(example))
        home = jnp.where((home < 0) & (away < threshold), place, home)
        home = jnp.where(new & (jnp.arange(count) == founder), place, home)
        closer = away < least
        nearest, least = jnp.where(closer, place, nearest), jnp.where(closer, away, least)
        examples = [old.at[place].set(x) for old, x in zip(examples, example, strict=True)]
        return home, nearest, least, examples, place + 1

    nowhere, least = jnp.full(count, -1, jnp.int32), jnp.full(count, jnp.inf)
    start = nowhere, nowhere + 1, least, pack(species.example)[0], jnp.zeros((), jnp.int32)
    home, nearest, _, examples, tried = jax.lax.while_loop(going, one, start)
    species = _founded(species, unpack(examples), kept, tried)
    return species, jnp.where(home < 0, nearest, home)


def _settled(species: Species) -> tuple[Species, Int[Array, ""]]:
    """The species with places filled from the left, so that free ones come last, and how many."""
    order = jnp.argsort(~species.exists, stable=True)
    packed, unpack = pack(species.example)
    name, best, idle = (x[order] for x in (species.name, species.best, species.idle))
    settled = Species(name, unpack([x[order] for x in packed]), best, idle, species.born)
    return settled, jnp.sum(species.exists.astype(jnp.int32), dtype=jnp.int32)


def _founded(species: Species, examples: Any, kept: Array, tried: Array) -> Species:
    """Whoever tried a free place, after those that are kept, founded a species there."""
    place = jnp.arange(species.name.shape[0], dtype=jnp.int32)
    new = (place >= kept) & (place < tried)
    return Species(
        jnp.where(new, species.born + place - kept, species.name),
        examples,
        jnp.where(new, -jnp.inf, species.best),
        jnp.where(new, 0, species.idle),
        species.born + jnp.maximum(tried - kept, 0),
    )


def members(home: Int[Array, " genome"], room: int) -> Bool[Array, "species genome"]:
    """Who belongs to which species."""
    return home[None, :] == jnp.arange(room, dtype=jnp.int32)[:, None]


def shares(
    fitness: Float[Array, " genome"],
    home: Int[Array, " genome"],
    fertile: Bool[Array, " species"],
    population: int,
) -> Int[Array, " species"]:
    """How many children each species has: in proportion to its mean fitness, above the least.

    Fitness below 0 is lifted so that the worst finite one counts as 0. Where nobody's counts, all
    genomes count the same. Largest remainders get what rounding leaves.
    """
    room = fertile.shape[0]
    fine = jnp.isfinite(fitness)
    lift = jnp.minimum(jnp.min(jnp.where(fine, fitness, 0.0)), 0.0)
    worth = jnp.where(fine, fitness - lift, 0.0)
    mine = members(home, room)
    size = jnp.sum(jnp.where(mine, 1.0, 0.0), axis=1)
    total = jnp.sum(jnp.where(mine, worth[None, :], 0.0), axis=1) / jnp.maximum(size, 1.0)
    total = jnp.where(fertile & (size > 0), total, 0.0)
    even = jnp.where(fertile & (size > 0), size, 0.0)
    total = jnp.where(jnp.sum(total) > 0, total, even)
    exact = population * total / jnp.maximum(jnp.sum(total), 1e-30)
    whole = jnp.floor(exact).astype(jnp.int32)
    left = population - jnp.sum(whole, dtype=jnp.int32)
    rank = jnp.argsort(jnp.argsort(-(exact - whole.astype(jnp.float32)), stable=True))
    return whole + (rank < left).astype(jnp.int32)
