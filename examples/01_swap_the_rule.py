"""Any rule on any wiring: seven rules teach a layered network and a free graph with loops."""

import equinox as eqx
import jax
import optax

import neurula as nl

key = jax.random.key(0)
task = nl.tasks.Digits(look=4)  # shown for four steps, so that loops have time to work
graph = nl.wirings.small_world(100, 0.1, seed=0)
networks = {
    "layered": nl.layered([64, 64, 10], key=key),
    "free": nl.free(graph, inputs=64, outputs=10, key=key),
}
rules = [
    nl.rules.Backprop(),
    nl.rules.FeedbackAlignment(),
    nl.rules.DirectFeedbackAlignment(),
    nl.rules.SignSymmetry(),
    nl.rules.WeightMirror(),
    nl.rules.OutputOnly(),
]


@eqx.filter_jit
def grade(network, rule, key):
    """Accuracy on test digits after 300 updates."""
    learned = nl.learn(network, rule, task, optax.adam(3e-3), steps=300, key=key)
    return nl.examine(learned.brain, task, "test", key=key)


for name, network in networks.items():
    for rule in rules:
        print(f"{name:8} {type(rule).__name__:24} {grade(network, rule, key):.3f}")
