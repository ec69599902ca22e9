"""Writes judged claims down as one offline HTML page: every verdict, its evidence, its pictures."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from . import report_tables as tables, report_words as words
from .files import write_whole
from .pages import Drawing, render
from .report_drawings import drawings, overview
from .report_words import Record
from .results import latest

LIMIT = 15_000_000  # bytes of the page
# Points of a curve, and whether the claims' own pictures are shown: tried until the page fits.
SIZES = ((200, True), (80, True), (30, True), (30, False))


class Section(NamedTuple):
    """One judged claim on the page."""

    name: str  # of its element
    record: Record
    drawings: list[Drawing]


def write_report(
    records: list[Record],
    path: Path | str,
    *,
    title: str = "Brains and AI, judged",
    adjusted: Mapping[str, float | None] | None = None,
) -> Path:
    """Write one self-contained page under 15 MB, whole or not at all, and return its path.

    `records` are shown in their order: per claim the ruling that counts (full before quick), then
    apart from these variants, smoke runs and other runs. `adjusted` are p-values by claim after
    Holm's correction, if a column for them is wanted. Raises `ValueError` if the page grows too
    large although its curves are thinned, and `Mistake` if it cannot be written.
    """
    path = Path(path)
    for points, shown in SIZES:
        page = _page(records, title, adjusted, points, shown=shown).encode()
        if len(page) < LIMIT:
            break
    else:
        raise ValueError(
            f"The report of {len(records)} records would have {len(page) / 1e6:.0f} MB, and more "
            f"than {LIMIT / 1e6:.0f} MB is more than browsers and mail bear. Write several: "
            f"write_report(records[:20], 'first.html'); write_report(records[20:], 'second.html')"
        )
    write_whole(path, page)
    return path


def _page(
    records: list[Record],
    title: str,
    adjusted: Mapping[str, float | None] | None,
    points: int,
    *,
    shown: bool,
) -> str:
    """The text of the page."""
    sections = [
        Section(name, record, list(drawings(name, record, points, shown=shown)))
        for name, record in zip(_names(records), records, strict=True)
    ]
    counting = {id(record) for record in latest(records).values()}
    rulings = [one for one in sections if id(one.record) in counting]
    others = [one for one in sections if id(one.record) not in counting]
    return render(
        "report.html",
        title=title,
        rulings=rulings,
        others=others,
        overview=overview(*_unzipped(rulings)),
        rulings_table=_table(rulings, adjusted, "The rulings in numbers"),
        others_table=_table(others, None, "The other runs in numbers"),
        points=points,
        thinned=(points, shown) != SIZES[0],
        shown=shown,
        tables=tables,
        words=words,
        latest=max((record["run"]["started"] for record in records), default=""),
    )


def _unzipped(sections: list[Section]) -> tuple[list[Record], list[str]]:
    return [one.record for one in sections], [one.record["claim"] for one in sections]


def _table(
    sections: list[Section], adjusted: Mapping[str, float | None] | None, caption: str
) -> tables.Table:
    records, links = [one.record for one in sections], [f"#{one.name}" for one in sections]
    return tables.rulings_table(records, links, adjusted, caption)


def _names(records: list[Record]) -> list[str]:
    """Names of elements, made from those of the claims, each once."""
    names: list[str] = []
    for record in records:
        stem = re.sub(r"[^a-z0-9]+", "-", record["claim"].lower()).strip("-")[:60]
        name, again = f"claim-{stem}", 1
        while name in names:
            again += 1
            name = f"claim-{stem}-{again}"
        names.append(name)
    return names
