"""The tables of a report, as values: a page shows them, and a spreadsheet takes them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .report_numbers import alike, number, p_value, seconds
from .report_words import ROLES, Record, settings, status


class Cell(NamedTuple):
    """What a reader sees, and the whole number that a spreadsheet gets."""

    text: str
    value: int | float | None = None
    link: str = ""
    look: str = ""


class Table(NamedTuple):
    """A caption, the heads of the columns, and rows whose first cell is their head."""

    caption: str
    heads: list[str]
    rows: list[list[Cell]]


def cell(value: Any) -> Cell:
    """A cell from a text or a number."""
    if isinstance(value, Cell):
        return value
    numeric = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    return quantity(number(value), value) if numeric else Cell(number(value))


def quantity(text: str, value: int | float | None) -> Cell:
    """A number that somebody has put into words already."""
    return Cell(text, value, look="number")


def table(caption: str, heads: list[str], rows: list[list[Any]]) -> Table:
    """A table from texts and numbers."""
    return Table(caption, heads, [[cell(value) for value in row] for row in rows])


def array(rows: list[Any]) -> np.ndarray:
    """Numbers per seed as an array of floats; NaN for `None`, be it a number or a whole row."""
    shape = next((np.shape(row) for row in rows if row is not None), ())
    lost = np.full(shape, np.nan)
    return np.array([lost if row is None else np.asarray(row, float) for row in rows], float)


def scores(record: Record) -> dict[str, np.ndarray]:
    """One number per seed and arm; several scores of a seed are averaged."""
    found = {arm: array(about["score"]) for arm, about in record["arms"].items()}
    return {
        arm: value if value.ndim == 1 else value.reshape(len(value), -1).mean(1)
        for arm, value in found.items()
    }


def rulings_table(
    records: list[Record], links: list[str], adjusted: Mapping[str, float | None] | None, name: str
) -> Table:
    """One row per record; `adjusted` p-values stand in a column of their own, if there are any."""
    heads = ["claim", "ruling", "sentence", "effect", "low", "high", "unit", "margin", "seeds", "p"]
    heads += [*(["p (Holm)"] if adjusted else []), "budget", "work"]
    rows = []
    for record, link in zip(records, links, strict=True):
        card, run, verdict = record["card"], record["run"], record["verdict"]
        found = verdict["finding"] or {}
        effects = [found.get(part) for part in ("estimate", "low", "high")]
        ends = [quantity(*pair) for pair in zip(alike(*effects), effects, strict=True)]
        state = status(record)
        ruling = {"smoke": "smoke: not a ruling", "variant": f"variant: {verdict['ruling']}"}
        row = [
            Cell(record["claim"], link=link),
            Cell(ruling.get(state, verdict["ruling"]), look=state or verdict["ruling"]),
            card["statement"],
            *ends,
            card["unit"],
            found.get("margin", card["margin"]),
            len(run["seeds"]),
            quantity(p_value(found.get("p")), found.get("p")),
        ]
        if adjusted:
            p = adjusted.get(record["claim"])
            row.append(quantity(p_value(p), p))
        changed = f"; {settings(run['changed'])}" if run["changed"] else ""
        row += [f"{run['budget']}{changed}", quantity(seconds(run["seconds"]), run["seconds"])]
        rows.append(row)
    return table(name, heads, rows)


def arms_table(record: Record) -> Table:
    """The arms in words, with what was tuned for them."""
    rows = [
        [arm, ROLES.get(about["role"], about["role"]), about["says"],
         settings(record["arms"].get(arm, {}).get("settings", {}))]
        for arm, about in record["card"]["arms"].items()
    ]  # fmt: skip
    return table("Arms", ["arm", "role", "what it does", "tuned settings"], rows)


def scores_table(record: Record) -> Table:
    """Raw values, one row per seed; a seed that failed says why."""
    seeds, found = record["run"]["seeds"], scores(record)
    rows: list[list[Any]] = [[Cell(f"seed {seed}", seed)] for seed in seeds]
    for arm, values in found.items():
        failed = record["arms"][arm]["failed"]
        for row, seed, value in zip(rows, seeds, values.tolist(), strict=False):
            lost = Cell(failed.get(str(seed), "missing"), look="missing")
            row.append(value if np.isfinite(value) else lost)
    means = [float(np.nanmean(v)) if np.isfinite(v).any() else None for v in found.values()]
    return table("Score by seed and arm", ["seed", *found], [*rows, ["mean", *means]])


def costs_table(record: Record) -> Table:
    """What each arm cost; counts are means per seed."""
    arms = record["arms"]
    names = list(dict.fromkeys(name for about in arms.values() for name in about["costs"]))
    heads = ["arm", *(f"{name} per seed" if name == "seconds" else name for name in names)]
    rows = [
        [arm, *(about["costs"].get(name) for name in names), about["seconds"]]
        for arm, about in arms.items()
    ]
    return table("Costs by arm", [*heads, "seconds, all seeds and compilation"], rows)


def secondary_table(record: Record) -> Table:
    """Findings that describe, and rule nothing."""
    heads = ["finding", "kind", "effect", "low", "high", "coverage", "margin", "n", "p"]
    rows = []
    for name, found in record["verdict"]["secondary"].items():
        effects = [found[part] for part in ("estimate", "low", "high")]
        ends = [quantity(*pair) for pair in zip(alike(*effects), effects, strict=True)]
        coverage = quantity(f"{100 * found['level']:g} %", found["level"])
        p = quantity(p_value(found["p"]), found["p"])
        rows.append([name, found["kind"], *ends, coverage, found["margin"], found["n"], p])
    return table("Secondary findings", heads, rows)


def gates_table(record: Record) -> Table:
    """Conditions without which the experiment says nothing."""
    outcomes = {True: Cell("held"), False: Cell("failed", look="bad")}
    gates = record["verdict"]["gates"]
    rows = [[gate["says"], outcomes[gate["held"]], gate["found"]] for gate in gates]
    return table("Gates", ["condition", "outcome", "found"], rows)


def detail_table(record: Record) -> Table:
    """What the test says beside its interval."""
    found = record["verdict"]["finding"] or {"detail": {}}
    known = {"effect size": found.get("effect_size"), **found["detail"]}
    rows = [[name, value] for name, value in known.items() if value is not None]
    return table("Beside the interval, descriptive", ["quantity", "value"], rows)


def tuning_table(record: Record) -> Table:
    """Every trial of the search for settings."""
    log = (record["tuning"] or {"log": []})["log"]
    rows = [[trial["arm"], settings(trial["settings"]), trial["score"]] for trial in log]
    return table("Tuning log", ["arm", "settings", "score on tuning data"], rows)
