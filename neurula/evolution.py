"""The loop of evolution: ask, grow, live, tell, generation after generation, as one program."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from .bar import Bar
from .evolvable import Fitness, check_evolution
from .evolvers.packed import choose
from .heredity import AbstractEvolver, AbstractGenome, Life, as_life

Watch = Callable[[Any, Any, Life], PyTree[Array]]
CURVES = ("best", "mean", "broken", "steps")


class Evolved(eqx.Module):
    """What `evolve` gives back.

    Curves have one value per generation, NaN after the last one: `best`, `mean` (of finite
    fitness), `broken` (how many were NaN or infinite), `steps` (lived, as told by `Life`).
    `evaluations` counts lives, those of the generation that reached the target up to the first
    that did. `watched` is what `watch` said, zeros after the last generation.
    """

    genes: Any  # of the champion, the fittest ever seen; zeros if every life was broken
    fitness: Float[Array, ""]
    state: Any
    generations: Int[Array, ""]
    evaluations: Int[Array, ""]
    solved: Bool[Array, ""]
    curves: dict[str, Float[Array, " generation"]]
    watched: PyTree[Array]


def evolve(
    genome: AbstractGenome,
    evolver: AbstractEvolver,
    fitness: Fitness,
    *,
    generations: int,
    target: float | None = None,
    state: Any = None,
    first: Int[Array, ""] | int = 0,
    lamarck: bool = False,
    common_random_numbers: bool = False,
    watch: Watch | None = None,
    progress: bool = False,
    key: PRNGKeyArray,
) -> Evolved:
    """Let genomes grow, live and breed for at most `generations`, until one reaches `target`.

    `fitness(developed, key=key)` lives a life and gives a number, higher is better, or a `Life`.
    Pure and one compiled program: wrap it in `eqx.filter_jit`, and in `jax.vmap` over keys for
    many runs, which go on until all have reached the target. NaN and infinite fitness rank last
    and are counted. With `lamarck` what was learned is inherited. With `common_random_numbers` all
    lives of a generation meet the same chance. `watch(state, genes, lives)` is recorded in every
    generation. `state` continues an earlier run; with `first`, the generations that it has had, and
    the same key it goes on as if it had never stopped (`evolve_on_disk` does that).

    Raises `ValueError` before anything is compiled where genome, evolver and fitness do not fit.
    """
    genes = check_evolution(genome, evolver, fitness, generations, lamarck=lamarck)
    to_init, to_run = jax.random.split(key)
    state = evolver.init(genome, key=to_init) if state is None else state
    bar = Bar(type(evolver).__name__, generations) if progress else None

    def one(state: Any, generation: Array) -> tuple[Any, Any, Life, PyTree]:
        if bar is not None:
            bar.watch(generation)
        at_ask, at_life = jax.random.split(jax.random.fold_in(to_run, first + generation))
        state, genes = evolver.ask(state, genome, key=at_ask)
        lives = live(
            genome, genes, fitness, lamarck=lamarck, common=common_random_numbers, key=at_life
        )
        genes = _inherited(genes, lives.learned) if lamarck else genes
        state, judged = evolver.judge(state, lives)
        told = jnp.where(jnp.isfinite(judged), judged, -jnp.inf)
        state = evolver.tell(state, genome, genes, told)
        seen = None if watch is None else watch(state, genes, lives)
        return state, genes, lives, seen

    nobody = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), genes)
    seen = None if watch is None else _seen(one, state)
    return _run(one, state, (nobody, seen), generations, jnp.inf if target is None else target)


def live(
    genome: AbstractGenome,
    genes: Any,
    fitness: Fitness,
    *,
    lamarck: bool = False,
    common: bool = False,
    key: PRNGKeyArray,
) -> Life:
    """Grow stacked genes and let them live, side by side. `common`: all meet the same chance.

    With `lamarck`, `learned` of what comes back holds the genes of what was learned, else `None`.
    """
    count = jax.tree.leaves(genes)[0].shape[0]
    keys = jnp.broadcast_to(key, (count,)) if common else jax.random.split(key, count)

    def one(genes: Any, key: PRNGKeyArray) -> Life:
        to_grow, to_live = jax.random.split(key)
        found = as_life(fitness(genome.develop(genes, key=to_grow), key=to_live))
        learned = genome.encode(found.learned) if lamarck else None
        return Life(jnp.asarray(found.fitness), learned, found.steps, found.behaviour)

    return jax.vmap(one)(genes, keys)


def _inherited(born: Any, learned: Any) -> Any:
    """The genes of what was learned; those of birth where learning lost its numbers."""
    kinds = jax.tree.leaves(learned)
    fine = [jnp.all(jnp.isfinite(x.reshape(len(x), -1)), axis=1) for x in kinds]
    return choose(jnp.all(jnp.stack(fine), axis=0), learned, born)


class _Run(eqx.Module):
    """What the loop over generations carries."""

    state: Any
    champion: Any
    best: Float[Array, ""]
    done: Int[Array, ""]
    evaluations: Int[Array, ""]
    solved: Bool[Array, ""]
    curves: Float[Array, "curve generation"]
    watched: PyTree[Array]


def _run(
    one: Callable[..., Any], state: Any, blank: tuple, generations: int, target: Any
) -> Evolved:
    """Generation after generation until the target is reached or all are over."""
    arrays, rest = eqx.partition(state, eqx.is_array)
    arrays = jax.tree.map(jnp.asarray, arrays)

    def generation(run: _Run) -> _Run:
        state, genes, lives, seen = one(eqx.combine(run.state, rest), run.done)
        told = jnp.where(jnp.isfinite(lives.fitness), lives.fitness, -jnp.inf)
        first, leader = jnp.argmax(told >= target), jnp.argmax(told)
        solved = told[leader] >= target
        better = told[leader] > run.best
        pick = lambda new, old: jnp.where(better, new[leader], old)  # noqa: E731
        note = lambda curve, value: curve.at[run.done].set(value)  # noqa: E731
        summary = jnp.stack([jnp.asarray(x, jnp.float32) for x in _summary(lives)])
        lived = jnp.where(solved, first + 1, told.shape[0])
        return _Run(
            eqx.filter(state, eqx.is_array),
            jax.tree.map(pick, genes, run.champion),
            jnp.maximum(run.best, told[leader]),
            run.done + 1,
            run.evaluations + lived,
            solved,
            run.curves.at[:, run.done].set(summary),
            jax.tree.map(note, run.watched, seen),
        )

    start = _start(arrays, *blank, generations)
    going = lambda run: ~run.solved & (run.done < generations)  # noqa: E731
    end = jax.lax.while_loop(going, generation, start)
    state = eqx.combine(end.state, rest)
    ended = end.done, end.evaluations, end.solved
    curves = dict(zip(CURVES, end.curves, strict=True))
    return Evolved(end.champion, end.best, state, *ended, curves, end.watched)


def _seen(one: Callable[..., Any], state: Any) -> PyTree:
    """Shapes of what is watched, which only a whole generation can tell."""
    arrays, rest = eqx.partition(state, eqx.is_array)
    none = jnp.zeros((), jnp.int32)
    return eqx.filter_eval_shape(lambda arrays: one(eqx.combine(arrays, rest), none)[3], arrays)


def _start(arrays: Any, nobody: Any, seen: PyTree, generations: int) -> _Run:
    """Before the first generation: room for what will be noted."""
    room = lambda x: jnp.zeros((generations, *x.shape), x.dtype)  # noqa: E731
    curves = jnp.full((len(CURVES), generations), jnp.nan, jnp.float32)
    none = jnp.zeros((), jnp.int32)
    no = jnp.zeros((), bool)
    least = jnp.asarray(-jnp.inf)
    return _Run(arrays, nobody, least, none, none, no, curves, jax.tree.map(room, seen))


def _summary(lives: Life) -> tuple[Float[Array, ""], ...]:
    """One generation in four numbers, in the order of `CURVES`."""
    fine = jnp.isfinite(lives.fitness)
    count = jnp.sum(fine.astype(jnp.float32))
    mean = jnp.sum(jnp.where(fine, lives.fitness, 0.0)) / jnp.maximum(count, 1.0)
    return (
        jnp.max(jnp.where(fine, lives.fitness, -jnp.inf)),
        jnp.where(count > 0, mean, jnp.nan),
        float(fine.shape[0]) - count,
        jnp.sum(lives.steps),
    )
