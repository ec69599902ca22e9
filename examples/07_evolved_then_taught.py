"""A graph found by NEAT is taught: by backprop, by feedback alignment, and by Hebb's rule.

Evolution finds a graph and weights for a small task. Then the weights are drawn anew and the graph
is taught by rules, which see the same examples. The graph answers after a few steps, so every
example is shown for that long.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import neurula as nl

key = jax.random.key(0)
parts = jnp.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
odd = jax.nn.one_hot(jnp.array([0, 1, 1, 0]), 2)
cases = nl.Sample(parts[:, None, :], odd[:, None, :])
exclusive_or = nl.tasks.Examples({"train": cases, "tune": cases, "test": cases})
task = nl.tasks.Shown(exclusive_or, steps=4)

recipe = nl.genomes.Neat(  # outputs are not squashed: their softmax is what is marked
    2, 2, cells=12, connections=48, output="identity", add_connection=0.2, add_cell=0.1
)


def fitness(network, *, key):
    """The probability of right answers, as a geometric mean over the four cases."""
    exam = task.exam("tune", key=key)
    said = jax.vmap(lambda stimuli: nl.respond(network, stimuli))(exam.stimuli)
    return jnp.exp(-jnp.mean(jax.vmap(task.error)(said, exam)))


@eqx.filter_jit
def search(key):
    """Up to 60 generations of 150 networks; 0.9 is enough."""
    return nl.evolve(
        recipe, nl.evolvers.NeatSearch(150), fitness, generations=60, target=0.9, key=key
    )


found = search(key)
grown = recipe.develop(found.genes, key=key)
cells, connections = found.genes.sizes()
print(f"evolution: {int(found.evaluations)} networks lived; the best has {int(cells)} hidden cells")
print(f"and {int(connections)} connections. Right as it was born: ", end="")
print(f"{nl.examine(grown, task, 'test', key=key):.2f}")
for line in recipe.advice(found.state.genes):
    print(line)


def anew(network, key):
    """The same graph, other weights."""

    def draw(projection):
        normal = jax.random.normal(key, projection.weight.shape)
        weight = normal * projection.wiring.fill(1.0)
        return eqx.tree_at(lambda p: p.weight, projection, weight)

    return network.edit(draw)


def taught(network, rule, key):
    """The score after 300 updates with examples drawn at random."""
    learned = nl.learn(network, rule, task, optax.adam(3e-2), steps=300, batch=8, key=key)
    return nl.examine(learned.brain, task, "test", key=key)


rules = [nl.rules.Backprop(), nl.rules.FeedbackAlignment(), nl.rules.Hebb()]
for rule in rules:
    name = type(rule).__name__
    try:
        teach = eqx.filter_jit(jax.vmap(lambda k, rule=rule: taught(anew(grown, k), rule, k)))
        scores = teach(jax.random.split(key, 8))
    except ValueError as error:  # a rule says which graphs it can teach
        print(f"{name:18} refuses: {error}")
        continue
    print(f"{name:18} mean of eight sets of new weights: {scores.mean():.2f}")
print("Chance is 0.50. Hebb's rule is not told what is right.")
