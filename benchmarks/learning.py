"""The abstraction costs nothing: against the same models in plain Equinox and plain JAX."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from neurula import free, layered, learn, rules, tasks, wirings

from .stopwatch import compare

STEPS, BATCH = 500, 64


def _plain(task, loss, model, optimiser, steps, key):
    """The same learning loop without neurula: same examples, same optimiser."""
    _, to_life = jax.random.split(key)

    def update(carry, step):
        model, momentum = carry
        at_sample, _ = jax.random.split(jax.random.fold_in(to_life, step))
        draw = lambda k: task.sample("train", key=k)  # noqa: E731
        samples = jax.vmap(draw)(jax.random.split(at_sample, BATCH))
        slope = jax.grad(loss)(model, samples)
        change, momentum = optimiser.update(slope, momentum, model)
        return (optax.apply_updates(model, change), momentum), None

    return jax.lax.scan(update, (model, optimiser.init(model)), jnp.arange(steps))[0][0]


def digits_mlp() -> dict:
    """64-128-10, backprop, Adam, batch 64: steps per second against plain Equinox + Optax."""
    key, task, optimiser = jax.random.key(0), tasks.Digits(), optax.adam(1e-3)
    network = layered([64, 128, 10], key=key)
    mlp = eqx.nn.MLP(64, 10, 128, 1, jnp.tanh, key=key)
    hidden, output = network.projections
    zeros = jnp.zeros(128), jnp.zeros(10)
    places = lambda m: [m.layers[0].weight, m.layers[1].weight, m.layers[0].bias, m.layers[1].bias]  # noqa: E731
    mlp = eqx.tree_at(places, mlp, [hidden.weight, output.weight, *zeros])
    arrays, rest = eqx.partition(mlp, eqx.is_array)

    def loss(arrays, samples):
        outputs = jax.vmap(eqx.combine(arrays, rest))(samples.stimuli[:, 0])
        return jnp.mean(optax.softmax_cross_entropy(outputs, samples.target[:, 0]))

    backprop = rules.Backprop()
    ours = eqx.filter_jit(
        lambda: learn(network, backprop, task, optimiser, steps=STEPS, batch=BATCH, key=key).brain
    )
    theirs = jax.jit(lambda: _plain(task, loss, arrays, optimiser, STEPS, key))
    learned, plain = ours(), eqx.combine(theirs(), rest)
    np.testing.assert_allclose(learned.projections[0].weight, plain.layers[0].weight, atol=2e-3)
    result = compare(ours, theirs)
    return result | {"steps_per_second": STEPS / result["warm_seconds"]["ours"]}


def free_graph() -> dict:
    """1,000 cells, 10 % density, 20 steps, batch 64: against hand-written JAX."""
    cells, look, steps = 1_000, 20, 5
    key, task, optimiser = jax.random.key(0), tasks.Digits(look=look), optax.adam(1e-3)
    network = free(wirings.random(cells, 0.1, seed=0), inputs=64, outputs=10, key=key)
    enter, loop, leave = network.projections
    mask = loop.wiring.mask
    weights = [enter.weight, loop.weight, leave.weight, jnp.zeros(cells), jnp.zeros(10)]

    def loss(weights, samples):
        enter, loop, leave, bias, offset = weights
        loop = jnp.where(mask, loop, 0.0)

        def step(cells, stimulus):
            cells = jnp.tanh(stimulus @ enter.T + cells @ loop.T + bias)
            return cells, cells @ leave.T + offset

        rest = jnp.zeros((BATCH, cells))
        _, outputs = jax.lax.scan(step, rest, jnp.swapaxes(samples.stimuli, 0, 1))
        targets = jnp.swapaxes(samples.target, 0, 1)
        return jnp.mean(optax.softmax_cross_entropy(outputs, targets))

    backprop = rules.Backprop()
    ours = eqx.filter_jit(
        lambda: learn(network, backprop, task, optimiser, steps=steps, batch=BATCH, key=key).brain
    )
    theirs = jax.jit(lambda: _plain(task, loss, weights, optimiser, steps, key))
    np.testing.assert_allclose(ours().projections[1].weight, theirs()[1], atol=2e-3)
    result = compare(ours, theirs)
    return result | {"steps_per_second": steps / result["warm_seconds"]["ours"]}
