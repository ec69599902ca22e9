"""Evolution that lives in a folder: saved as it goes, and going on as if it had never stopped."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from .bar import Generations
from .checkpoints import alone
from .evolution import Evolved, Watch, evolve
from .evolvable import Fitness, check_evolution
from .files import whole
from .heredity import AbstractEvolver, AbstractGenome
from .history import History
from .network import Network
from .settings import settings_of

Draw = Callable[[Any], Any]  # draw(developed) -> a Plotly figure


def evolve_on_disk(
    folder: str | os.PathLike,
    genome: AbstractGenome,
    evolver: AbstractEvolver,
    fitness: Fitness,
    *,
    generations: int,
    every: int = 10,
    target: float | None = None,
    lamarck: bool = False,
    common_random_numbers: bool = False,
    watch: Watch | None = None,
    draw: Draw | None = None,
    progress: bool = True,
    key: PRNGKeyArray,
) -> Evolved:
    """`evolve`, saved to `folder` every so many generations; the same call goes on after a stop.

    A run that was killed and called again gives the very numbers of one that never stopped, and
    may be called again with more `generations` or another `target`. After each stretch the champion
    is drawn into champion.html (`draw(developed)` gives the figure; networks need none). Settings
    are compared with those on disk, functions by their name and by what they hold, not by their
    code. One seed at a time: not for `jax.vmap`.

    Warns at the end of broken fitness and of a full capacity. Raises `ValueError` for a folder
    that holds a longer run, or one of other settings or another version, or damage, and while
    another process runs in it.
    """
    check_evolution(genome, evolver, fitness, generations, lamarck=lamarck)
    ways = {"lamarck": lamarck, "common_random_numbers": common_random_numbers, "watch": watch}
    made_of = {"genome": genome, "evolver": evolver, "fitness": fitness, "key": key, **ways}
    settings = {k: v for name, part in made_of.items() for k, v in settings_of(part, name).items()}

    def stretch(state: Any, first: Array, count: int) -> Evolved:
        run: dict[str, Any] = {"generations": count, "state": state, "first": first, **ways}
        return evolve(genome, evolver, fitness, target=target, key=key, **run)

    folder, shown = Path(folder), Generations(type(evolver).__name__, generations, shown=progress)
    with alone(folder):
        begin = evolver.init(genome, key=jax.random.split(key)[0])  # as `evolve` begins
        shapes = eqx.filter_eval_shape(stretch, begin, jnp.zeros((), jnp.int32), 1)
        file = folder / "evolution.safetensors"
        history = History(file, settings, begin, shapes, evolver.population)
        _check_lengths(history, generations, every)
        picture = lambda: _draw(folder, genome, history, draw, key)  # noqa: E731
        with shown:
            _go_on(history, eqx.filter_jit(stretch), generations, every, target, shown, picture)
    history.warn(genome)
    return history.evolved(generations, target)


def _go_on(
    history: History,
    stretch: Callable[..., Evolved],
    generations: int,
    every: int,
    target: float | None,
    shown: Generations,
    picture: Callable[[], None],
) -> None:
    """Stretch after stretch, each of them saved."""
    try:
        while history.done < generations and not history.reached(target):
            shown.tell(history.done, history.best)
            count = min(every, generations - history.done)
            history.take(stretch(history.state, jnp.asarray(history.done, jnp.int32), count))
            history.save()
            picture()
    except KeyboardInterrupt:
        print(f"\nStopped: {history.what_is_kept}. The same call goes on.", file=sys.stderr)
        raise
    except OSError as error:
        raise OSError(
            error.errno,
            f"Expected to write to {history.file.parent}, and could not ({error.strerror}): "
            f"{history.what_is_kept}. Free some space, and the same call goes on.",
        ) from error


def _draw(
    folder: Path, genome: AbstractGenome, history: History, draw: Draw | None, key: PRNGKeyArray
) -> None:
    """The champion as a page that needs no connection to the internet."""
    developed = genome.develop(history.champion, key=key)
    if draw is None and not isinstance(developed, Network):
        return
    from . import pictures

    figure = pictures.network(developed) if draw is None else draw(developed)
    if not hasattr(figure, "write_html"):
        raise ValueError(
            f"`draw(developed)` should give a Plotly figure, but gave {type(figure).__name__}, of "
            "which no page can be made. Return for example `pictures.network(developed)`."
        )
    with whole(folder / "champion.html") as part:
        figure.write_html(part, include_plotlyjs="directory")


def _check_lengths(history: History, generations: int, every: int) -> None:
    if every < 1:
        raise ValueError(
            f"A run is saved after every so many generations, but got every={every}. Use for "
            "example `every=10`."
        )
    if history.done > generations:
        raise ValueError(
            f"{history.file} holds {history.done} generations, but got generations={generations}: "
            f"what has happened cannot be undone. Use `generations={history.done}` or more, or "
            "name another folder."
        )
