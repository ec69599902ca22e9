"""A network that grows: a row of cells folds into a tube, and the tube connects.

All cells run the same small programme, whose weights are the genes. Evolution looks for genes by
which a neural plate becomes a neural tube; the film shows one embryo. It takes about half a minute.
"""

import equinox as eqx
import jax
import jax.numpy as jnp

import neurula as nl
from neurula.evolvers import SNES
from neurula.genomes import Development, Morphogens
from neurula.pictures import growth, growth_strip

genome = Development(
    inputs=6, outputs=3, capacity=64, steps=12, founders=8, states=4, hidden=8, pushes=6,
    morphogens=Morphogens(plates=("floor", "roof", "left", "right"), reach=0.3), axon=0.3,
)  # fmt: skip


def tube(network, *, key):
    """How much of the tissue is a ring around the middle, evenly filled: at best 1."""
    places = network.populations["cells"].positions.places
    born = (places[:, 0] >= 0).astype(jnp.float32)
    share = born / jnp.sum(born)
    out = places - 0.5
    distance = jnp.sqrt(jnp.sum(out**2, axis=1) + 1e-9)
    ring = share @ (distance - 0.3) ** 2 / 0.3**2
    angle = jnp.arctan2(out[:, 1], out[:, 0])
    waves = jnp.arange(1.0, 5.0)[:, None] * angle[None]
    uneven = jnp.sum((jnp.cos(waves) @ share) ** 2 + (jnp.sin(waves) @ share) ** 2)
    return jnp.mean(born) - 8 * ring - uneven


@eqx.filter_jit
def run(key):
    """Evolve, and let the champion grow once more, all stages kept."""
    found = nl.evolve(genome, SNES(32, deviation=0.7), tube, generations=160, key=key)
    stages, network = genome.stages(found.genes, key=key)
    return found, stages, network, genome.concentrations(stages, 40)


found, stages, network, fields = run(jax.random.key(1))
curve = found.curves["best"]
print(f"{genome.size} genes; tube: {curve[0]:.2f} in the first generation, {curve[-1]:.2f} now")
look = {"radius": genome.radius, "background": fields[-1, 0]}
growth(stages, network, **look).write_html("growing.html", auto_play=False)
growth_strip(stages, network, **look).write_html("growing_strip.html")
print("growing.html: press Play. growing_strip.html: all of it at once.")
