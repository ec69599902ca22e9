"""What a run of evolution has been so far, in memory and on disk."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .checkpoints import Notes, read_checkpoint, settled, write_checkpoint
from .evolution import Evolved
from .heredity import AbstractGenome
from .settings import differences


class History:
    """The state after `done` generations, the champion, and the curves until there.

    `begin` is the state before the first generation, `shapes` are those of what a stretch of one
    generation gives.
    """

    def __init__(
        self, file: Path, settings: Mapping[str, str], begin: Any, shapes: Evolved, population: int
    ):
        self.file, self.settings, self.population = file, dict(settings), population
        self.kept = 0  # generations on disk
        self.evaluations = 0
        self._tree = self._blank(0, begin, shapes)
        if file.exists():
            self._tree = read_checkpoint(file, lambda notes: self._room(notes, begin, shapes))

    @property
    def state(self) -> Any:
        return self._tree["state"]

    @property
    def champion(self) -> Any:
        return self._tree["champion"]

    @property
    def best(self) -> float:
        """Of the fittest ever seen."""
        return float(self._tree["best"])

    @property
    def done(self) -> int:
        """Generations."""
        return len(self._tree["curves"]["best"])

    @property
    def what_is_kept(self) -> str:
        """In words."""
        return f"{self.kept} generations are kept in {self.file.parent}"

    def reached(self, target: float | None) -> bool:
        """Whether anybody was as fit as that, in the precision of `evolve`."""
        return target is not None and bool(np.float32(self.best) >= np.float32(target))

    def take(self, found: Evolved) -> None:
        """Append a stretch."""
        lived = int(found.generations)
        self.evaluations = self.done * self.population + int(found.evaluations)
        if float(found.fitness) > self.best:
            self._tree |= {"champion": settled(found.genes), "best": settled(found.fitness)}
        self._tree["state"] = settled(found.state)
        add = lambda old, new: np.concatenate([old, np.asarray(new)[:lived]])  # noqa: E731
        for name, new in (("curves", found.curves), ("watched", found.watched)):
            self._tree[name] = jax.tree.map(add, self._tree[name], new)

    def save(self) -> None:
        """All of it to disk, in one piece."""
        notes = {"settings": self.settings, "done": self.done, "evaluations": self.evaluations}
        write_checkpoint(self.file, self._tree, notes)
        self.kept = self.done

    def evolved(self, generations: int, target: float | None) -> Evolved:
        """As `evolve` would give it, with room for so many generations."""

        def pad(rows: np.ndarray, fill: float | int) -> jax.Array:
            more = [(0, generations - self.done)] + [(0, 0)] * (rows.ndim - 1)
            return jnp.asarray(np.pad(rows, more, constant_values=fill))

        numbers = jnp.asarray(self.done), jnp.asarray(self.evaluations)
        return Evolved(
            self.champion,
            self._tree["best"],
            self.state,
            *numbers,
            jnp.asarray(self.reached(target)),
            {name: pad(curve, np.nan) for name, curve in self._tree["curves"].items()},
            jax.tree.map(lambda rows: pad(rows, 0), self._tree["watched"]),
        )

    def warn(self, genome: AbstractGenome) -> None:
        """Say what nobody should miss."""
        broken = int(np.sum(self._tree["curves"]["broken"]))
        if broken:
            share = broken / (self.done * self.population)
            warnings.warn(
                f"{broken} of {self.done * self.population} lives ({share:.1%}) had a fitness that "
                "was NaN or infinite, and ranked last. Look where it comes from if these are many: "
                "`evolved.curves['broken']` has them by generation.",
                stacklevel=3,
            )
        advice = getattr(genome, "advice", None)
        for line in () if advice is None else advice(self.champion):
            warnings.warn(line, stacklevel=3)

    def _room(self, notes: Notes, begin: Any, shapes: Evolved) -> Any:
        """A tree for what lies on disk. Refuses a run that was of other settings."""
        changed = differences(notes["settings"], self.settings)
        if changed:
            few = "; ".join(changed[:3]) + ("; ..." if len(changed) > 3 else "")
            raise ValueError(
                f"{self.file} holds {notes['done']} generations of another run: {few}. Going on "
                "would mix the two. Call it with the old settings, or name another folder."
            )
        self.kept, self.evaluations = notes["done"], notes["evaluations"]
        return self._blank(notes["done"], begin, shapes)

    def _blank(self, done: int, begin: Any, shapes: Evolved) -> Any:
        rows = lambda x: np.zeros((done, *x.shape[1:]), x.dtype)  # noqa: E731
        return {
            "state": settled(begin),
            "champion": jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes.genes),
            "best": jnp.asarray(-jnp.inf),
            "curves": jax.tree.map(rows, shapes.curves),
            "watched": jax.tree.map(rows, shapes.watched),
        }
