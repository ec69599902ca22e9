"""The figures of a report, each with a text for those who do not see it."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from . import pictures, report_words as words
from .pictures import theme
from .report_tables import array, scores
from .report_words import Record


class Drawing(NamedTuple):
    """A figure on the page."""

    name: str  # of its element, and of the file that a reader saves
    title: str
    words: str  # what it shows
    figure: dict[str, Any]

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.figure["layout"].get("height") or 450)

    @property
    def json(self) -> Markup:
        """JSON that cannot end the script element that it stands in."""
        return embedded(self.figure)


def embedded(value: Any) -> Markup:
    """JSON for a script element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def look() -> dict[str, Any]:
    """What all figures of a page share; it is there once."""
    return json.loads(go.Figure(layout={"template": theme.template()}).to_json())["layout"][
        "template"
    ]


def drawings(name: str, record: Record, points: int, *, shown: bool) -> Iterator[Drawing]:
    """Raw values, learning curves of at most `points` points, and the claim's own picture."""
    values = scores(record)
    if values:
        numbers = record["run"]["seeds"]
        strip = pictures.seeds(
            values, x_title="score (higher is better)", numbers=numbers, paired=True
        )
        title = "Score of every seed: one mark each, the bar is the mean, a line joins a seed"
        yield _drawing(f"{name}--scores", title, words.scores_in_words(values), strip)
    curves = {arm: about["curves"] for arm, about in record["arms"].items()}
    kinds = list(dict.fromkeys(kind for found in curves.values() for kind in found))
    for index, kind in enumerate(kinds):
        found = {arm: array(each[kind]) for arm, each in curves.items() if kind in each}
        yield _curve(f"{name}--curve-{index}", kind, found, record, points)
    if record["figure"] is not None and shown:
        told = words.picture_in_words(record["figure"])
        yield _drawing(f"{name}--picture", "The claim's own picture", told, record["figure"])


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
    return _drawing("overview", "Effects of all rulings, in units of their margins", told, figure)


def _curve(
    name: str, kind: str, found: dict[str, np.ndarray], record: Record, points: int
) -> Drawing:
    """Curves over recorded points; a strip where a seed has one number; parts are averaged."""
    if all(value.ndim == 1 for value in found.values()):
        numbers = record["run"]["seeds"]
        strip = pictures.seeds(found, x_title=kind, numbers=numbers)
        return _drawing(name, f"{kind}, one number per seed", words.scores_in_words(found), strip)
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
    return _drawing(name, title, words.curves_in_words(lines), figure)


def _drawing(name: str, title: str, told: str, figure: go.Figure | dict[str, Any]) -> Drawing:
    """A figure as wide as the page, its look left to the page."""
    known = json.loads(figure.to_json()) if isinstance(figure, go.Figure) else figure
    layout = {
        part: value
        for part, value in known.get("layout", {}).items()
        if part not in ("template", "width")
    }
    return Drawing(name, title, told, {"data": known.get("data", []), "layout": layout})
