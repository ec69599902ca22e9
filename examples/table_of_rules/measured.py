"""Every rule on every kind of network on digits: what is measured, and how."""

import inspect
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from networks import COLUMNS, as_reader, choose, versions
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import neurula as nl
from neurula.cache import use_cache
from neurula.contracts import AbstractRule, AbstractTask
from neurula.costs import multiplications
from neurula.pool import Lost, hand_out
from neurula.rules.relaxation import Relaxed
from neurula.runner import processes
from neurula.tasks.digits import CLASSES
from neurula.tasks.marking import squared_error
from neurula.wirings import Transposed

SEEDS, UPDATES, BATCH = 5, 400, 16
RATES = (4e-4, 2e-3, 1e-2, 5e-2)  # of Adam; every cell of the table takes its best
LOOK, SETTLE = 4, 30  # steps for which loops, and networks that settle, are shown a picture
RULES = {  # where the settings that a rule comes with are too slow or too large for a table
    "Boltzmann": nl.rules.Boltzmann("contrastive divergence", sweeps=1, samples=1),
    "ContrastiveHebb": nl.rules.ContrastiveHebb(SETTLE, SETTLE // 2),
    "EquilibriumPropagation": nl.rules.EquilibriumPropagation(0.1, SETTLE, SETTLE // 2),
    "GeneralisedRecirculation": nl.rules.GeneralisedRecirculation(SETTLE, SETTLE // 2),
    "RecurrentBackprop": nl.rules.RecurrentBackprop(SETTLE),
}
READ_OUT = nl.rules.OutputOnly()


class Squared(nl.tasks.Digits):
    """Digits with half the squared difference for an error.

    Cross-entropy wants ever larger outputs, whose loops back would keep networks from settling.
    """

    def error(self, outputs, sample):
        return CLASSES / 2 * squared_error(outputs, sample)


class Pictures(nl.tasks.Digits):
    """Digits without their labels, for networks that answer with a picture."""

    @property
    def shape(self):
        return self.look, 64, 64

    def sample(self, split, *, key):
        return nl.Sample(super().sample(split, key=key).stimuli)


def shelf() -> dict[str, AbstractRule]:
    """All rules but `Mixed`, which combines others."""
    found = {}
    for name, rule in vars(nl.rules).items():
        is_rule = isinstance(rule, type) and issubclass(rule, AbstractRule)
        if is_rule and name != "Mixed" and not inspect.isabstract(rule):
            found[name] = RULES.get(name) or rule()
    return found


def leads_ahead(p: nl.Projection, network: nl.Network) -> bool:
    """Whether it brings to hidden cells what they work on: neither read-out nor feedback."""
    return p.target not in network.voices and not isinstance(p.wiring, Transposed)


def hidden_only(network: nl.Network) -> optax.GradientTransformation:
    """Keeps a rule that is not taught labels from the weights to the outputs."""
    none = jax.tree.map(lambda _: False, nl.trainable(network))
    above = [i for i, p in enumerate(network.projections) if p.target in network.voices]
    weights = lambda net: [net.projections[i].weight for i in above]  # noqa: E731
    return optax.masked(optax.set_to_zero(), eqx.tree_at(weights, none, [True] * len(above)))


class Cell:
    """One rule on one network: its life, and what an update costs."""

    def __init__(self, rule: AbstractRule, column: str, version: str):
        self.rule, self.version = rule, version
        self.make = versions(column)[version]
        self.machine = version in ("autoencoder", "Boltzmann machine")
        looped = column in ("free graph", "grid")
        look = SETTLE if version == "two-way" else LOOK if looped and not self.machine else 1
        self.task = Squared(look=look, answer="last")
        self.lesson: AbstractTask = Pictures() if self.machine else self.task
        self.unlabelled = "target" not in rule.needs

    def life(self, key: jax.Array, rate: jax.Array) -> dict[str, jax.Array]:
        """Teach one network; without labels its hidden cells, then a read-out for as long."""
        at_network, at_life, at_exam = jax.random.split(key, 3)
        network, optimiser = self.make(at_network), optax.adam(rate)
        how = {"steps": UPDATES, "batch": BATCH, "key": at_life}
        seen = {}
        if self.machine:  # has no labels that backprop could follow
            learned = nl.learn(network, self.rule, self.lesson, optimiser, **how)
        else:
            spare = optax.chain(optimiser, hidden_only(network)) if self.unlabelled else optimiser
            found = nl.alignments(network, self.rule, self.task, spare, probes=1, **how)
            learned = found.learned
            angles = [found.angles[p.name] for p in network.projections if leads_ahead(p, network)]
            seen["angles"] = jnp.mean(jnp.stack(angles), axis=0)
        exams = [self.task.exam(split, key=at_exam) for split in ("tune", "test")]

        def read(rate: jax.Array) -> tuple[jax.Array, jax.Array]:
            reader = as_reader(learned.brain, at_network) if self.machine else learned.brain
            return self.sit(nl.learn(reader, READ_OUT, self.task, optax.adam(rate), **how), exams)

        if self.unlabelled:
            tune, test = jax.vmap(read)(jnp.array(RATES))
            tune, test = jnp.max(tune), test[jnp.argmax(tune)]
        else:
            tune, test = self.sit(learned, exams)
        if isinstance(learned.rule_state, Relaxed):
            seen["residual"] = learned.rule_state.residual
        return seen | {"tune": tune, "test": test}

    def sit(self, learned: nl.Learned, exams: list[nl.Sample]) -> tuple[jax.Array, ...]:
        """The share of right answers in each exam; all as one program."""
        all_of_them = jax.tree.map(lambda *parts: jnp.concatenate(parts), *exams)
        mark = lambda s: self.task.score(nl.respond(learned.brain, s.stimuli), s)  # noqa: E731
        marks = jnp.split(jax.vmap(mark)(all_of_them), [len(exams[0].stimuli)])
        return tuple(map(jnp.mean, marks))

    def costs(self) -> dict[str, float | None]:
        """What an update costs, per example; the optimiser and a read-out are left out."""
        key = jax.random.key(0)
        network = self.make(key)
        rule, task = self.rule, self.lesson
        state = rule.init(network, key=key)
        samples = jax.vmap(lambda k: task.sample("train", key=k))(jax.random.split(key, BATCH))
        arrays, rest = eqx.partition((state, network, samples), eqx.is_array)

        def update(arrays):
            state, network, samples = eqx.combine(arrays, rest)
            return nl.rules.direction(rule, state, network, samples, task.error, key=key)

        example, sent = jax.tree.map(lambda x: x[0], samples), None
        if self.version != "Boltzmann machine":  # which has no forwards
            sent = nl.rules.messages(rule, network, example, task.error, key=key).flops
        compiled = jax.jit(update).lower(arrays).compile().memory_analysis()
        kept = sum(x.nbytes for x in jax.tree.leaves(eqx.filter(state, eqx.is_inexact_array)))
        return {
            "multiplications": multiplications(update, arrays) / BATCH,
            "messages": sent,
            "memory": kept + compiled.temp_size_in_bytes,
        }

    def measure(self) -> dict[str, Any]:
        """All seeds at all rates as one program; tuning data choose the rate."""
        began, keys = time.monotonic(), jax.random.split(jax.random.key(0), SEEDS)
        by_seed = jax.vmap(self.life, (0, None))
        program = eqx.filter_jit(jax.vmap(by_seed, (None, 0)))
        seen = {name: np.asarray(x) for name, x in program(keys, jnp.array(RATES)).items()}
        best = int(np.argmax(seen["tune"].mean(1)))
        found = {name: np.round(x[best].astype(float), 4).tolist() for name, x in seen.items()}
        how = {"network": self.version, "rate": RATES[best]}
        return how | found | self.costs() | {"seconds": round(time.monotonic() - began, 1)}


def work(piece: tuple[str, str, str]) -> dict[str, Any]:
    """One cell of the table, in a process of its own."""
    use_cache()
    name, column, version = piece
    return Cell(shelf()[name], column, version).measure()


def measure(kept: dict[str, Any], save: Callable[[], None]) -> int:
    """Fill what is missing, saved cell by cell, so that it can be interrupted; how many failed."""
    missing, lost = deque(), 0
    for name, rule in shelf().items():
        for column in COLUMNS:
            if column not in kept.setdefault(name, {}):
                version, why = choose(rule, column)
                if version is None:
                    kept[name][column] = {"cannot": why}
                else:
                    missing.append((name, column, version))
    look = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*look, TimeRemainingColumn(elapsed_when_finished=True)) as bar:
        task = bar.add_task("rules", total=len(missing))
        for (name, column, _), found in hand_out(missing, work, processes()):
            if isinstance(found, Lost):
                lost += 1
                bar.console.print(f"{name} on {column} was lost: {found.why}")
            else:
                kept[name][column] = found
                save()
            bar.update(task, advance=1, description=f"{name}, {column}")
    save()
    return lost
