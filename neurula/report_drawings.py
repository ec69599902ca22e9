"""The figures of a report, each with a text for those who do not see it."""

from collections.abc import Iterator

import numpy as np

from . import pictures, report_words as words
from .pages import Drawing, drawn
from .report_tables import array, scores
from .report_words import Record


def drawings(name: str, record: Record, points: int, *, shown: bool) -> Iterator[Drawing]:
    """Raw values, learning curves of at most `points` points, and the claim's own picture."""
    values = scores(record)
    if values:
        numbers = record["run"]["seeds"]
        strip = pictures.seeds(
            values, x_title="score (higher is better)", numbers=numbers, paired=True
        )
        title = "Score of every seed: one mark each, the bar is the mean, a line joins a seed"
        yield drawn(f"{name}--scores", title, words.scores_in_words(values), strip)
    curves = {arm: about["curves"] for arm, about in record["arms"].items()}
    kinds = list(dict.fromkeys(kind for found in curves.values() for kind in found))
    for index, kind in enumerate(kinds):
        found = {arm: array(each[kind]) for arm, each in curves.items() if kind in each}
        yield _curve(f"{name}--curve-{index}", kind, found, record, points)
    if record["figure"] is not None and shown:
        told = words.picture_in_words(record["figure"])
        yield drawn(f"{name}--picture", "The claim's own picture", told, record["figure"])


def overview(records: list[Record], names: list[str]) -> Drawing | None:
    """The forest plot of all rulings; `None` without any."""
    if not records:
        return None
    found = [record["verdict"]["finding"] or {} for record in records]
    parts = {
        part: np.array([np.nan if one.get(part) is None else one[part] for one in found], float)
        for part in ("estimate", "low", "high", "margin")
    }
    rulings = [record["verdict"]["ruling"] for record in records]
    both = [record["verdict"]["kind"] in words.BOTH_SIDES for record in records]
    figure = pictures.forest(
        names, **parts, rulings=rulings, both_sides=both, x_title="effect, in margins"
    )
    told = " ".join(
        f"{name}: {record['verdict']['ruling']}. {words.effect(record)}"
        for name, record in zip(names, records, strict=True)
    )
    return drawn("overview", "Effects of all rulings, in units of their margins", told, figure)


def _curve(
    name: str, kind: str, found: dict[str, np.ndarray], record: Record, points: int
) -> Drawing:
    """Curves over recorded points; a strip where a seed has one number; parts are averaged."""
    if all(value.ndim == 1 for value in found.values()):
        numbers = record["run"]["seeds"]
        strip = pictures.seeds(found, x_title=kind, numbers=numbers)
        return drawn(name, f"{kind}, one number per seed", words.scores_in_words(found), strip)
    flat = {arm: value.reshape(len(value), -1, value.shape[-1]) for arm, value in found.items()}
    parts = max((value.shape[1] for value in flat.values()), default=1)
    longest = max(value.shape[-1] for value in flat.values())
    kept = np.unique(np.linspace(0, longest - 1, min(points, longest)).round().astype(int))
    lines = {
        arm: np.pad(
            value.mean(1), ((0, 0), (0, longest - value.shape[-1])), constant_values=np.nan
        )[:, kept]
        for arm, value in flat.items()
    }
    figure = pictures.curves(kept, lines, x_title="recorded point", y_title=kind)
    title = f"{kind}: every seed thin, their mean thick"
    title += f"; each the average of {parts} parts" if parts > 1 else ""
    return drawn(name, title, words.curves_in_words(lines), figure)
