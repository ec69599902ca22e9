"""Writes a comparison down as one offline page: what may be said, scores, matrices, the command."""

import re
from pathlib import Path
from typing import NamedTuple

from . import likeness_words as words, pictures
from .files import write_whole
from .likeness import Likeness
from .pages import Drawing, drawn, render
from .pictures import theme
from .report_numbers import number
from .report_tables import Table, table

LARGEST = 200  # stimuli of a matrix on the page
MATRICES = 8  # of layers; the best ones


class Section(NamedTuple):
    """One area."""

    name: str  # of its element
    area: str
    may: list[str]
    may_not: list[str]
    drawing: Drawing
    table: Table
    method: str
    notes: tuple[str, ...]


def write_page(
    found: Likeness, path: Path, *, title: str, command: str, versions: dict[str, str]
) -> Path:
    """Write the page, in full or not at all. Raises `Mistake` if it cannot be written."""
    page = render(
        "compare.html",
        title=title,
        found=found,
        overview=_overview(found),
        sections=[_section(found, area) for area in found.scores],
        matrices=_matrices(found),
        command=command,
        versions=", ".join(f"{name} {version}" for name, version in versions.items()),
    )
    write_whole(path, page.encode())
    return path


def _section(found: Likeness, area: str) -> Section:
    name = "area-" + re.sub(r"[^a-z0-9]+", "-", area.lower()).strip("-")
    scores = found.scores[area]
    figure = pictures.likeness(
        scores.models,
        scores.score,
        scores.low,
        scores.high,
        nulls=len(found.nulls),
        raw=scores.raw,
        ceiling=scores.ceiling,
        chance=found.chance[area].best,
        x_title=scores.comparison,
    )
    told = "; ".join(
        f"{model}: {number(score)} ({number(low)} to {number(high)})"
        for model, score, low, high in zip(
            scores.models, scores.score, scores.low, scores.high, strict=True
        )
    )
    title = "Score with interval; thin: each subject; band: noise ceiling; dots: chance of the best"
    rows = [list(row.values()) for row in scores.rows()]
    for row, p in zip(rows, found.chance[area].p, strict=False):
        row.append(float(p))
    heads = [*scores.rows()[0], "p of shuffles, best layer"]
    rows = [row + [None] * (len(heads) - len(row)) for row in rows]
    return Section(
        name,
        area,
        words.may_be_said(found, area),
        words.may_not_be_said(found, area),
        drawn(f"{name}--scores", title, told, figure),
        table(f"Scores for {area}", heads, rows),
        scores.method,
        scores.notes,
    )


def _overview(found: Likeness) -> Drawing | None:
    """Layer by area, if there are several of both or either."""
    if len(found.layers) < 2 and len(found.scores) < 2:
        return None
    values, areas = words.matrix(found), [*found.scores]
    figure = pictures.maps(
        values, rows=found.layers, columns=areas, numbers=True, diverging=True,
        unit=next(iter(found.scores.values())).comparison,
    )  # fmt: skip
    figure.update_yaxes(ticktext=[theme.short(layer) for layer in found.layers])
    best = "; ".join(f"{area}: best {found.layers[found.best(area)]}" for area in areas)
    return drawn("overview", "Score of each layer for each area", best, figure)


def _matrices(found: Likeness) -> Drawing | None:
    """The areas, mean over subjects, and the layers that score highest."""
    if found.of_layers is None or len(found.stimuli) > LARGEST:
        return None
    pairs = {area: each.values.mean((0, 1)) for area, each in found.of_areas.items()}
    order = words.matrix(found).max(1).argsort()[::-1][:MATRICES]
    for k in sorted(order):
        pairs[found.layers[k]] = found.of_layers.values[k].mean(0)
    figure = pictures.rdms(pairs, found.stimuli)
    title = "Dissimilarities as ranks, of areas and of layers"
    return drawn("matrices--drawing", title, f"Matrices of {', '.join(pairs)}", figure)
