"""Species: genomes that are alike compete among themselves, so that what is new has time.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99, section 3.3.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..heredity import AbstractGenome


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
    count, room = jax.tree.leaves(genes)[0].shape[0], species.name.shape[0]
    far = jax.vmap(genome.distance, in_axes=(0, None))

    def going(carry: tuple) -> Array:
        home, place = carry[1], carry[4]
        return (place < room) & jnp.any(home < 0)

    def one(carry: tuple) -> tuple:
        species, home, nearest, least, place = carry
        founder = jnp.argmax(home < 0)
        new = (species.name[place] < 0) & jnp.any(home < 0)
        used = (species.name[place] >= 0) | new
        example = jax.tree.map(
            lambda old, them: jnp.where(new, them[founder], old[place]), species.example, genes
        )
        away = jnp.where(used, far(genes, example), jnp.inf)
        home = jnp.where((home < 0) & (away < threshold), place, home)
        home = jnp.where(new & (jnp.arange(count) == founder), place, home)
        closer = away < least
        species = _found(species, place, new, example)
        nearest, least = jnp.where(closer, place, nearest), jnp.where(closer, away, least)
        return species, home, nearest, least, place + 1

    nowhere = jnp.full(count, -1, jnp.int32)
    start = species, nowhere, nowhere + 1, jnp.full(count, jnp.inf), jnp.zeros((), jnp.int32)
    species, home, nearest, *_ = jax.lax.while_loop(going, one, _settled(start))
    return species, jnp.where(home < 0, nearest, home)


def _settled(start: tuple) -> tuple:
    """The start of the loop, with places filled from the left so that free ones come last."""
    species, *rest = start
    order = jnp.argsort(~species.exists, stable=True)
    kept = [species.name, species.example, species.best, species.idle]
    name, example, best, idle = jax.tree.map(lambda x: x[order], kept)
    return Species(name, example, best, idle, species.born), *rest


def _found(species: Species, place: Array, new: Array, example: Any) -> Species:
    put = lambda old, value: old.at[place].set(jnp.where(new, value, old[place]))  # noqa: E731
    return Species(
        put(species.name, species.born),
        jax.tree.map(lambda old, value: old.at[place].set(value), species.example, example),
        put(species.best, -jnp.inf),
        put(species.idle, 0),
        species.born + new.astype(jnp.int32),
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
