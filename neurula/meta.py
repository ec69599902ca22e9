"""Learning to learn by descent: errors go back through learning itself.

The first weights from which learning goes fast: Finn, Abbeel & Levine (2017), ICML 70:1126. The
optimiser: Andrychowicz et al. (2016), NeurIPS 29:3981.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from .learned_optimiser import AbstractLearnedOptimiser

Optimiser = TypeVar("Optimiser", bound=AbstractLearnedOptimiser)
Slope = Callable[..., Float[Array, ""]]  # error(weights, key=key), differentiable in the weights


class Followed(eqx.Module):
    """Where a way down an error led."""

    weights: PyTree
    state: PyTree  # of the optimiser
    errors: Float[Array, " step"]  # before the first update, ..., before the last one


def follow(
    weights: PyTree,
    error: Slope,
    optimiser: optax.GradientTransformation,
    *,
    steps: int,
    state: Any = None,
    second_order: bool = True,
    key: PRNGKeyArray,
) -> Followed:
    """Go down `error(weights, key=key)` by an optimiser, `steps` updates, differentiably.

    `weights` is a PyTree of arrays. `state` continues an earlier way. Without `second_order`, the
    gradients that the optimiser hears count as given, which is cheaper: what comes before an update
    reaches what comes after it through weights and memory alone. Raises `ValueError` for no step.
    """
    if steps < 1:
        raise ValueError(f"A way down has at least one update, but got {steps=}. Use `steps=5`.")
    state = optimiser.init(weights) if state is None else state

    def one(carry: tuple[PyTree, PyTree], step: Array) -> tuple[tuple[PyTree, PyTree], Array]:
        weights, state = carry
        luck = jax.random.fold_in(key, step)
        value, gradient = jax.value_and_grad(lambda w: error(w, key=luck))(weights)
        gradient = gradient if second_order else jax.lax.stop_gradient(gradient)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
            change, state = optimiser.update(gradient, state, weights)
        return (jax.tree.map(jnp.add, weights, change), state), value

    (weights, state), errors = jax.lax.scan(one, (weights, state), jnp.arange(steps))
    return Followed(weights, state, errors)


def after_learning(
    weights: PyTree,
    lessons: Slope,
    exam: Slope,
    optimiser: optax.GradientTransformation,
    *,
    steps: int,
    second_order: bool = True,
    key: PRNGKeyArray,
) -> Float[Array, ""]:
    """The error in the exam after `steps` updates on the lessons: what Finn's MAML descends.

    Its gradient with respect to `weights` is the change of the first weights; without
    `second_order` that of first-order MAML.
    """
    to_learn, to_exam = jax.random.split(key)
    learned = follow(
        weights, lessons, optimiser, steps=steps, second_order=second_order, key=to_learn
    )
    return exam(learned.weights, key=to_exam)


class LearnedToLearn(eqx.Module):
    """What meta-learning gives back. Errors are means over a batch; NaN where one diverged.

    Updates whose gradient was not finite were left out, and are counted by `broken`.
    """

    learned: Any
    errors: Float[Array, " update"]
    broken: Float[Array, ""]


def descend(
    learned: PyTree,
    loss: Slope,
    optimiser: optax.GradientTransformation,
    *,
    updates: int,
    batch: int,
    key: PRNGKeyArray,
) -> LearnedToLearn:
    """Lower the mean of `loss(learned, key=key)` over keys, `batch` in each update.

    With a loss such as `after_learning` this is MAML.
    """
    arrays, rest = eqx.partition(learned, eqx.is_inexact_array)

    def one(carry: tuple, step: Array) -> tuple[tuple, Array]:
        arrays, state, broken = carry
        keys = jax.random.split(jax.random.fold_in(key, step), batch)

        def mean(arrays: PyTree) -> Array:
            whole = eqx.combine(arrays, rest)
            return jnp.mean(jax.vmap(lambda k: loss(whole, key=k))(keys))

        value, gradient = jax.value_and_grad(mean)(arrays)
        arrays, state, fine = _careful(optimiser, gradient, state, arrays)
        return (arrays, state, broken + 1.0 - fine), value

    start = arrays, optimiser.init(arrays), jnp.zeros(())
    (arrays, _, broken), errors = jax.lax.scan(one, start, jnp.arange(updates))
    return LearnedToLearn(eqx.combine(arrays, rest), errors, broken)


def learn_to_optimise(
    learner: Optimiser,
    draw: Callable[[PRNGKeyArray], tuple[PyTree, Slope]],
    optimiser: optax.GradientTransformation,
    *,
    ways: int,
    steps: int = 100,
    unroll: int = 20,
    batch: int = 16,
    loss: Callable[[Float[Array, " step"]], Float[Array, ""]] = jnp.mean,
    second_order: bool = False,
    key: PRNGKeyArray,
) -> LearnedToLearn:
    """Teach a learned optimiser, by descent through its own updates, to lower errors.

    `draw(key)` gives first weights and an error to go down. Each of `ways` batches goes down
    `steps` updates; after every `unroll` of them (a divisor) the learner is changed to lower `loss`
    of the errors met on the way, and what came before counts as given (truncated backprop through
    time). `errors` holds the mean error at the end of each batch of ways.
    """
    if unroll < 1 or steps % unroll:
        raise ValueError(
            f"A way of {steps} updates is cut into pieces of {unroll}, which do not fill it. Use "
            f"an `unroll` that divides {steps}, such as `unroll={steps}`."
        )
    arrays, rest = eqx.partition(learner, eqx.is_inexact_array)
    to_draw, to_go = jax.random.split(key)

    def piece(arrays: PyTree, here: tuple, draws: Array, luck: Array) -> tuple[Array, tuple]:
        """The mean loss of one piece of all ways of a batch, and where they led."""
        transformation = eqx.combine(arrays, rest).transformation

        def one(weights: PyTree, state: PyTree, drawn: Array, luck: Array) -> Followed:
            error = draw(drawn)[1]
            way = follow(
                weights, error, transformation,
                steps=unroll, state=state, second_order=second_order, key=luck,
            )  # fmt: skip
            last = error(way.weights, key=jax.random.fold_in(luck, unroll))
            return eqx.tree_at(lambda w: w.errors, way, jnp.append(way.errors[1:], last))

        ways = jax.vmap(one)(*here, draws, jax.random.split(luck, batch))
        return jnp.mean(jax.vmap(loss)(ways.errors)), (ways.weights, ways.state, ways.errors)

    def cut(carry: tuple, numbers: Array) -> tuple[tuple, Array]:
        arrays, memory, broken, here, draws = carry
        luck = jax.random.fold_in(jax.random.fold_in(to_go, numbers[0]), numbers[1])
        gradient, (*there, errors) = jax.grad(piece, has_aux=True)(arrays, here, draws, luck)
        arrays, memory, fine = _careful(optimiser, gradient, memory, arrays)
        there = jax.tree.map(jax.lax.stop_gradient, tuple(there))
        return (arrays, memory, broken + 1.0 - fine, there, draws), jnp.mean(errors[:, -1])

    def batch_of_ways(carry: tuple, number: Array) -> tuple[tuple, Array]:
        draws = jax.random.split(jax.random.fold_in(to_draw, number), batch)
        weights = jax.vmap(lambda k: draw(k)[0])(draws)
        state = jax.vmap(eqx.combine(carry[0], rest).init)(weights)
        pieces = jnp.arange(steps // unroll)
        numbers = jnp.stack([jnp.full_like(pieces, number), pieces], -1)
        after, errors = jax.lax.scan(cut, (*carry, (weights, state), draws), numbers)
        return after[:3], errors[-1]

    start = arrays, optimiser.init(arrays), jnp.zeros(())
    (arrays, _, broken), errors = jax.lax.scan(batch_of_ways, start, jnp.arange(ways))
    return LearnedToLearn(eqx.combine(arrays, rest), errors, broken)


def _careful(
    optimiser: optax.GradientTransformation, gradient: PyTree, state: PyTree, arrays: PyTree
) -> tuple[PyTree, PyTree, Float[Array, ""]]:
    """One update, unless the gradient is not finite, which would end all learning."""
    fine = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(gradient)]))
    with jax.numpy_dtype_promotion("standard"):
        change, after = optimiser.update(gradient, state, arrays)
    pick = lambda new, old: jnp.where(fine, new, old)  # noqa: E731
    moved = jax.tree.map(jnp.add, arrays, change)
    return (
        jax.tree.map(pick, moved, arrays),
        jax.tree.map(pick, after, state),
        fine.astype(jnp.float32),
    )
