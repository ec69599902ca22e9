"""Build a network, teach it real digits, ask how good it is."""

import equinox as eqx
import jax
import optax

import neurula as nl

key = jax.random.key(0)
task = nl.tasks.Digits()
network = nl.layered([64, 128, 10], key=key)


@eqx.filter_jit
def teach(network, key):
    """Learn, then sit the exam."""
    learned = nl.learn(
        network, nl.rules.Backprop(), task, optax.adam(3e-3), steps=600, batch=32, key=key
    )
    return learned.brain, nl.examine(learned.brain, task, "test", key=key)


network, accuracy = teach(network, key)
print(f"accuracy on 597 digits never seen: {accuracy:.3f}")

nl.save(network, "digits.safetensors")
again = nl.load("digits.safetensors")
print("saved and loaded:", ", ".join(p.name for p in again.projections))
