"""How far rules point away from backprop while they learn, layer by layer, and a picture of it."""

import equinox as eqx
import jax
import optax

import neurula as nl

key, sizes = jax.random.key(0), [64, 64, 64, 10]
ahead, both_ways = nl.layered(sizes, key=key), nl.relaxing(sizes, key=key)
pairs = [
    (ahead, nl.rules.FeedbackAlignment()),
    (ahead, nl.rules.PredictiveCoding()),
    (ahead, nl.rules.TargetPropagation(rate=0.1)),
    (both_ways, nl.rules.EquilibriumPropagation()),
]


@eqx.filter_jit
def watch(brain, rule):
    """Angles in degrees before learning and at ten moments of 300 updates."""
    how = {"steps": 300, "probes": 10, "key": key}
    return nl.alignments(brain, rule, nl.tasks.Digits(), optax.adam(1e-3), **how)


for brain, rule in pairs:
    found = watch(brain, rule)
    for layer in ("input->hidden1", "hidden1->hidden2", "hidden2->output"):
        first, last = found.angles[layer][0], found.angles[layer][-1]
        print(f"{type(rule).__name__:24} {layer:18} {first:5.1f} -> {last:5.1f} degrees")
    picture = nl.pictures.angles(found.updates, found.angles)
    picture.write_html(f"{type(rule).__name__}.html")
