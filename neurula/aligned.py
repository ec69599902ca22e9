"""How far a rule strays from backprop while it learns."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from .contracts import AbstractRule, AbstractTask
from .live import Learned, learn
from .measures import alignment
from .network import Network
from .rules.backprop import Backprop
from .rules.contrastive import AbstractContrastiveRule
from .rules.gradient import direction
from .rules.recurrent_backprop import RecurrentBackprop


class Aligned(eqx.Module):
    """What `alignments` gives back. `pictures.angles(found.updates, found.angles)` draws it."""

    updates: Int[Array, " probe"]  # so many before each angle; the first: 0
    angles: dict[str, Float[Array, " probe"]]  # degrees away from backprop, by projection
    learned: Learned


def alignments(
    brain: Network,
    rule: AbstractRule,
    task: AbstractTask,
    optimiser: optax.GradientTransformation,
    *,
    steps: int,
    batch: int = 32,
    probes: int = 20,
    seen: int = 128,
    teacher: AbstractRule | None = None,
    key: PRNGKeyArray,
) -> Aligned:
    """Teach a brain as `learn` does, and compare the rule's direction with backprop's on the way.

    Both directions come from the same `seen` training examples, before learning and at `probes`
    moments, the last one at the end. `teacher` may be any rule without a state that learns; unless
    given it is `Backprop()`, or `RecurrentBackprop()` for rules that contrast settled states.
    """
    teacher = _teacher(rule) if teacher is None else teacher
    to_seen, to_teacher = jax.random.split(jax.random.fold_in(key, 2))  # `learn` uses 0 and 1
    draw = lambda k: task.sample("train", key=k)  # noqa: E731
    samples = jax.vmap(draw)(jax.random.split(to_seen, seen))
    best = teacher.init(brain, key=to_teacher)

    def watch(brain: Network, state: Any) -> dict[str, Float[Array, ""]]:
        mine, theirs = (
            brain.mask(direction(r, s, brain, samples, task.error, key=to_teacher)[0])
            for r, s in ((rule, state), (teacher, best))
        )
        return alignment(mine, theirs)

    before = watch(brain, rule.init(brain, key=jax.random.split(key)[0]))  # as `learn` draws it
    how: dict[str, Any] = {
        "steps": steps,
        "batch": batch,
        "watch": watch,
        "probes": probes,
        "key": key,
    }
    learned = learn(brain, rule, task, optimiser, **how)
    angles = {name: jnp.append(before[name], later) for name, later in learned.curves.items()}
    updates = steps - jnp.arange(probes, -1, -1) * (steps // probes)
    return Aligned(updates.at[0].set(0), angles, learned)


def _teacher(rule: AbstractRule) -> AbstractRule:
    if isinstance(rule, AbstractContrastiveRule):
        return RecurrentBackprop(rule.free_steps, rule.symmetric)
    return Backprop()
