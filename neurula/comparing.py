"""`neurula compare`: scores a model against a brain, says what that allows to say, draws it."""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from .activations import Stimuli, chosen, read_model, read_stimuli
from .contracts import Recording
from .formats.responses import Contents, read_responses
from .likeness import Likeness, compare as score
from .likeness_page import write_page
from .likeness_words import screen
from .mistake import Mistake

PROJECTIONS = 512  # random weighted sums of pixels


def compare(command: Any) -> int:
    """Read, score, print, and write the page; 0. Raises `Mistake` for what does not fit."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from .keys import versions
    from .results import dump, results_folder

    out, console = sys.stdout, Console(stderr=True, soft_wrap=True)
    look = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with contextlib.redirect_stdout(sys.stderr):  # the user's model may print
        try:
            with Progress(*look, console=console, transient=True) as bar:
                job = bar.add_task("reading", total=None)
                model, brain, nulls = _read(command)
                bar.update(job, description="scoring")

                def tell(done: int, many: int) -> None:
                    bar.update(job, description="shuffling", completed=done, total=many)

                found = score(
                    model,
                    brain,
                    nulls,
                    measure=command.measure,
                    regression=command.regression,
                    dissimilarity=command.dissimilarity,
                    comparison=command.comparison,
                    sessions=command.sessions,
                    resamples=command.resamples,
                    shuffles=command.shuffles,
                    common=command.common,
                    seed=command.seed,
                    tell=tell,
                )
        except (ValueError, OSError, MemoryError, ImportError) as error:  # they say what to do
            raise Mistake(str(error)) from error
        page = write_page(
            found,
            Path(command.page) if command.page else results_folder(None) / "compare.html",
            title=f"{_short(command.model)} and {_short(command.brain)}",
            command=_again(command),
            versions=versions(),
        )
    _show(found, page, command, out, dump)
    return 0


def _short(where: str) -> str:
    """A model or brain without its folders."""
    return where.replace("\\", "/").rpartition("/")[2]


def _read(command: Any) -> tuple[Contents, Contents, dict[str, tuple[str, Contents]]]:
    """Model, brain, and the controls that can be had."""
    brain = chosen(read_responses(command.brain), tuple(command.areas), command.brain)
    stimuli = read_stimuli(command.stimuli) if command.stimuli else None
    layers = tuple(command.layers)
    model = read_model(command.model, stimuli, layers)
    nulls: dict[str, tuple[str, Contents]] = {}
    if command.untrained:
        what = f"the same layers of a network that learned nothing: {command.untrained}"
        nulls["untrained"] = (what, read_model(command.untrained, stimuli, layers))
    if stimuli is not None:
        nulls |= _of_stimuli(stimuli, command.seed)
    return model, brain, nulls


def _of_stimuli(stimuli: Stimuli, seed: int) -> dict[str, tuple[str, Contents]]:
    """What the stimuli themselves give: their pixels, and random weighted sums of these."""
    pixels = np.asarray(stimuli.shown, float).reshape(len(stimuli.shown), -1)
    weights = np.random.default_rng(seed).normal(size=(pixels.shape[1], PROJECTIONS))
    random = np.maximum((pixels - pixels.mean(0)) @ weights, 0)
    labels = {} if stimuli.names is None else {"stimulus": stimuli.names}

    def held(name: str, values: np.ndarray) -> Contents:
        one = Recording(values, name, labels=labels)
        return Contents({name: (one,)}, {}, stimuli.names is not None)

    return {
        "pixels": ("the stimuli as they are shown, without a network", held("raw", pixels)),
        "random projection": (
            f"{PROJECTIONS} rectified random sums of pixels: a layer that learned nothing",
            held("one layer", random),
        ),
    }


def _again(command: Any) -> str:
    """The command that does the same."""
    import dataclasses
    import shlex

    words = ["neurula", "compare", command.model, command.brain]
    for field in dataclasses.fields(command):
        value = getattr(command, field.name)
        if field.name in ("model", "brain", "open", "json", "page"):
            continue
        if value in (field.default, ()):
            continue
        flag = f"--{field.name.replace('_', '-')}"
        many = value if isinstance(value, tuple) else (() if value is True else (value,))
        words += [flag, *map(str, many)]
    return shlex.join(words)


def _show(found: Likeness, page: Path, command: Any, out: Any, dump: Any) -> None:
    if command.json:
        document = found.to_json() | {
            "model": command.model, "brain": command.brain, "page": str(page)
        }  # fmt: skip
        out.write(dump(json.loads(json.dumps(document))) + "\n")
    else:
        out.write(f"{screen(found)}\n\nPage: {page}\n")
    if command.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
