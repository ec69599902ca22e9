"""A progress bar for loops that run as one compiled program, which calls back as it goes.

And one for loops of such loops.
"""

import time
from typing import Any

import jax
from jaxtyping import Array, Int


class Bar:
    """A bar with the time left on standard error. It appears when a loop lasts over two seconds.

    A compiled loop keeps its bar, and starts it anew when it is run again.
    """

    def __init__(self, name: str, steps: int):
        self.name, self.steps = name, steps
        self.every = max(1, steps // 100)  # so many calls back cost nothing
        self.began = 0.0
        self.shown: Any = None

    def watch(self, step: Int[Array, ""]) -> None:
        """To be called in every step of the loop, with the number of the step."""
        due = (step % self.every == 0) | (step == self.steps - 1)
        tell = lambda: jax.debug.callback(self.tell, step, ordered=False)  # noqa: E731
        jax.lax.cond(due, tell, lambda: None)

    def tell(self, step: Any) -> None:
        """The loop has come to this step."""
        step, now = int(step), time.monotonic()
        if step == 0:
            self.close()
            self.began = now
        if self.shown is None and now - self.began > 2 and step < self.steps - 1:
            self.open()
        if self.shown is not None:
            self.shown.update(self.shown.task_ids[0], completed=step + 1)
        if step == self.steps - 1:
            self.close()

    def open(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self.shown = Progress(console=Console(stderr=True), transient=True)
        self.shown.add_task(self.name, total=self.steps)
        self.shown.start()

    def close(self) -> None:
        if self.shown is not None:
            self.shown.stop()
            self.shown = None


class Generations:
    """A bar with the time left and the best fitness so far, for evolution stretch by stretch.

    It stands on standard error. Only generations of this call count for the time left.
    """

    def __init__(self, name: str, generations: int, *, shown: bool):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        far = TextColumn("{task.description} {task.completed}/{task.total}")
        said = TextColumn("best {task.fields[best]}")
        columns = far, BarColumn(), TimeRemainingColumn(), said
        console, off = Console(stderr=True), not shown
        self.bars = Progress(*columns, console=console, transient=True, disable=off)
        self.task = self.bars.add_task(name, total=generations, best="-")

    def __enter__(self) -> "Generations":
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def tell(self, done: int, best: float) -> None:
        """So many generations are over, and this is the fittest that was ever seen."""
        self.bars.update(self.task, completed=done, best=f"{best:.4g}")
