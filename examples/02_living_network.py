"""Learning while living: a cell under Oja's rule finds the main direction of natural patches."""

import jax
import jax.numpy as jnp

import neurula as nl

key = jax.random.key(0)
task = nl.tasks.Patches(size=8, whitening="none")
patches = task.exam("train", key=key).stimuli[:, 0]
patches = patches - patches.mean(0)

network = nl.Network(
    {
        "pixels": nl.Population(64, nl.neurons.Rate("identity")),
        "cell": nl.Population(1, nl.neurons.Rate("identity")),
    },
    [
        nl.Projection(
            "pixels", "cell", wiring := nl.wirings.Dense(1, 64), wiring.fill(0.05), delay=0
        )
    ],
    senses=["pixels"],
    voices=["cell"],
)
living = nl.Plastic(network, nl.rules.Oja(), rate=0.002)
state = living.init()
state, _ = jax.lax.scan(lambda s, x: living.step(s, x), state, jnp.tile(patches, (20, 1)))

weight = state.weights[0][0]
principal = jnp.linalg.svd(patches, full_matrices=False)[2][0]
print(f"length of the weight: {jnp.linalg.norm(weight):.3f}")
print(f"cosine with the first principal component: {abs(weight @ principal):.4f}")
