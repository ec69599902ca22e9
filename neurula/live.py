"""The loops of a life: `learn` a task by a rule, `examine` without learning, and live `many`."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.core import Tracer
from jax.sharding import AxisType, PartitionSpec
from jaxtyping import Array, Float, PRNGKeyArray

from .bar import Bar
from .contracts import AbstractBlock, AbstractRule, AbstractTask, Sample, Split
from .network import Network, trainable
from .response import respond
from .rules.gradient import direction


class Learned(eqx.Module):
    """What `learn` gives back. Curves have one value, or array, for each of the `probes`."""

    brain: Any
    rule_state: Any
    curves: dict[str, Float[Array, "probe ..."]]
    costs: dict[str, Float[Array, ""]]


def learn(
    brain: AbstractBlock,
    rule: AbstractRule,
    task: AbstractTask,
    optimiser: optax.GradientTransformation,
    *,
    steps: int,
    batch: int = 32,
    probe: Callable[[Any], dict[str, Float[Array, "..."]]] | None = None,
    watch: Callable[[Any, Any], dict[str, Float[Array, "..."]]] | None = None,
    probes: int = 0,
    progress: bool = False,
    key: PRNGKeyArray,
) -> Learned:
    """Teach a brain a task by a rule, `steps` updates with `batch` training examples each.

    Pure and compiled as a whole: wrap it in `eqx.filter_jit`, and in `jax.vmap` over keys for many
    seeds. `probe(brain)` is called `probes` times, evenly spaced, the last time at the end, or
    instead `watch(brain, rule_state)`. The same key always draws the same examples, whatever the
    rule. `progress` shows a bar with the time left, if it takes over two seconds.
    """
    check_fit(brain, rule, task, steps, batch)
    if probe is not None:
        watch = lambda brain, _: probe(brain)  # noqa: E731
    bar = Bar(type(rule).__name__, steps) if progress else None
    to_rule, to_life = jax.random.split(key)
    start = brain, rule.init(brain, key=to_rule), optimiser.init(trainable(brain))

    def update(carry, step):
        brain, state, momentum = carry
        if bar is not None:
            bar.watch(step)
        at_sample, at_rule = jax.random.split(jax.random.fold_in(to_life, step))
        draw = lambda k: task.sample("train", key=k)  # noqa: E731
        samples = jax.vmap(draw)(jax.random.split(at_sample, batch))
        change, notes = direction(rule, state, brain, samples, task.error, key=at_rule)
        if isinstance(brain, Network):
            change = brain.mask(change)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
            change, momentum = optimiser.update(change, momentum, trainable(brain))
        brain = eqx.apply_updates(brain, change)
        brain = brain.constrain() if isinstance(brain, Network) else brain
        return (brain, rule.remember(state, notes), momentum), None

    carry, curves = _run(update, start, steps, watch, probes)
    costs = {"parameters": parameters(brain), "updates": steps, "samples": steps * batch}
    costs = {name: jnp.asarray(value, jnp.float32) for name, value in costs.items()}
    return Learned(carry[0], carry[1], curves, costs)


def parameters(brain: AbstractBlock) -> Float[Array, ""]:
    """How many numbers learning may change; connections that do not exist are none."""
    ones = jax.tree.map(jnp.ones_like, trainable(brain))
    ones = brain.mask(ones) if isinstance(brain, Network) else ones
    return sum((jnp.sum(x) for x in jax.tree.leaves(ones)), jnp.zeros(()))


def _run(update, start, steps, watch, probes) -> tuple[Any, dict[str, Float[Array, "probe ..."]]]:
    """Scan over all steps, stopping to watch."""
    arrays, rest = eqx.partition(start, eqx.is_array)

    def one(arrays, step):
        carry, _ = update(eqx.combine(arrays, rest), step)
        return eqx.filter(carry, eqx.is_array), None

    def stretch(arrays, begin):
        arrays, _ = jax.lax.scan(one, arrays, begin + jnp.arange(steps // probes))
        brain, state, _ = eqx.combine(arrays, rest)
        return arrays, watch(brain, state)

    if watch is None or probes == 0:
        arrays, _ = jax.lax.scan(one, arrays, jnp.arange(steps))
        return eqx.combine(arrays, rest), {}
    if left := steps % probes:  # these come first, so that the last probe is at the end
        arrays, _ = jax.lax.scan(one, arrays, jnp.arange(left))
    begins = left + jnp.arange(probes) * (steps // probes)
    arrays, curves = jax.lax.scan(stretch, arrays, begins)
    return eqx.combine(arrays, rest), curves


def examine(
    brain: AbstractBlock,
    task: AbstractTask,
    split: Split,
    *,
    score: Callable[[Float[Array, "time out"], Sample], Any] | None = None,
    key: PRNGKeyArray,
) -> Any:
    """The mean score over the exam of a split, or the mean of any `score(outputs, sample)`."""
    at_exam, at_brain = jax.random.split(key)
    exam = task.exam(split, key=at_exam)
    score = score or task.score
    keys = jax.random.split(at_brain, exam.stimuli.shape[0])
    answer = lambda s, k: score(respond(brain, s.stimuli, key=k), s)  # noqa: E731
    return jax.tree.map(lambda x: jnp.mean(x, 0), jax.vmap(answer)(exam, keys))


def many(
    life: Callable[[PRNGKeyArray], Any], *, at_once: int | None = None
) -> Callable[[Array], Any]:
    """What `life(key)` gives back, for every key of an array of keys, stacked.

    All keys run as one program, compiled at the first call and shared out evenly among JAX's
    devices. A computer without a GPU counts as one device; start Python with the environment
    variable `JAX_NUM_CPU_DEVICES` at the number of cores to use each of them. On a device lives run
    side by side, which suits small networks, or `at_once` of them, 1 for networks of hundreds of
    cells, where one keeps a core busy.
    """

    def share(keys: Array) -> Any:
        return (
            jax.vmap(life)(keys) if at_once is None else jax.lax.map(life, keys, batch_size=at_once)
        )

    @eqx.filter_jit
    def run(keys: Array) -> Any:
        devices, count = jax.devices(), keys.shape[0]
        used = max(n for n in range(1, len(devices) + 1) if count % n == 0)
        mesh = jax.make_mesh((used,), ("seed",), (AxisType.Auto,), devices=devices[:used])
        by_seed = PartitionSpec("seed")
        shares = jax.shard_map(
            share, mesh=mesh, in_specs=by_seed, out_specs=by_seed, check_vma=False
        )
        return shares(keys)

    return run


def check_fit(
    brain: AbstractBlock, rule: AbstractRule, task: AbstractTask, steps: int, batch: int
) -> None:
    """Refuse, before anything is compiled, what cannot work together."""
    if steps < 1 or batch < 1:
        raise ValueError(
            f"Learning needs at least one update of one example, got {steps=}, {batch=}."
        )
    check_sizes(brain, task)
    example = eqx.filter_eval_shape(lambda k: task.sample("train", key=k), jax.random.key(0))
    if missing := sorted(part for part in rule.needs if getattr(example, part) is None):
        raise ValueError(
            f"{type(rule).__name__} needs the {' and the '.join(missing)} of a sample, but "
            f"{type(task).__name__} gives none. Use a rule that needs none, such as `Oja()`, or a "
            "task that gives it."
        )
    if "target" in rule.ignores and example.target is not None and not _copies(task):
        raise ValueError(
            f"{type(rule).__name__} learns what stimuli look like and uses no target, but "
            f"{type(task).__name__} gives targets that differ from its stimuli: they would teach "
            "nothing. Use a rule that needs a target, such as `Backprop()`, or a task whose target "
            "is `None` or the stimuli themselves."
        )


def check_sizes(brain: AbstractBlock, task: AbstractTask) -> None:
    """Refuse a brain that cannot take the examples of a task, or not answer them."""
    _, numbers_in, numbers_out = task.shape
    sizes = sum(brain.inputs.values()), sum(brain.outputs.values())
    if sizes != (numbers_in, numbers_out):
        raise ValueError(
            f"{type(task).__name__} shows {numbers_in} numbers and wants {numbers_out}, but the "
            f"brain takes {sizes[0]} and gives {sizes[1]}. Build it with {numbers_in} inputs and "
            f"{numbers_out} outputs."
        )


def _copies(task: AbstractTask) -> bool:
    """Whether targets are the stimuli themselves, which an example tells."""
    with jax.ensure_compile_time_eval():
        sample = task.sample("train", key=jax.random.key(0))
        if sample.target is None or sample.target.shape != sample.stimuli.shape:
            return False
        same = jnp.all(sample.target == sample.stimuli)
    return isinstance(same, Tracer) or bool(same)  # a tracer: nobody can tell
