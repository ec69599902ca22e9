"""The results of all rules as a page and as pictures."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measured import BATCH, LOOK, RATES, SEEDS, SETTLE, UPDATES, shelf
from networks import COLUMNS

from neurula.evidence import Superiority
from neurula.pictures import maps

TEMPLATE = Path(__file__).parent / "page.md"
MARKS = {"as it is": "", "two-way": " ⇄", "autoencoder": " ↺", "Boltzmann machine": " ⚄"}
Cell = dict[str, Any]
Kept = dict[str, dict[str, Cell]]


def draw(kept: Kept, docs: Path) -> None:
    """Write the page, and the pictures if Plotly can export them."""
    (docs / "table_of_rules.md").write_text(page(kept))
    for name, figure in figures(kept).items():
        try:
            figure.write_image(docs / f"table_of_rules_{name}.svg", width=640)
        except (ValueError, RuntimeError) as error:  # no kaleido, or no browser for it
            print(f"No picture of {name}: {str(error).splitlines()[0]}")


def page(kept: Kept) -> str:
    """The whole page as Markdown."""

    def by_column(show: Callable[[Cell], str]) -> str:
        shown = {n: [show(kept[n][c]) for c in COLUMNS] for n in ranked(kept)}
        rows = [[f"`{n}`", *row] for n, row in shown.items() if {*row} - {"-", "cannot"}]
        return table(["rule", *COLUMNS], rows)

    refused = [[f"`{n}`", c, cell["cannot"]] for n, c, cell in cells(kept) if "cannot" in cell]
    return TEMPLATE.read_text().format(
        networks="\n".join(f"- **{name}**: {says}" for name, says in COLUMNS.items()),
        deep=table(["rule", "points"], [*beyond_backprop(kept)]),
        cannot=table(["rule", "network", "why"], refused),
        rates=", ".join(f"{rate:g}" for rate in RATES),
        updates=UPDATES,
        batch=BATCH,
        seeds=SEEDS,
        look=LOOK,
        settle=SETTLE,
        **{name: by_column(show) for name, show in SHOWN.items()},
    )


def ranked(kept: Kept) -> list[str]:
    """Rules that are taught labels, best first, then the others."""
    rules = {name: rule for name, rule in shelf().items() if name in kept}

    def place(name: str) -> tuple[bool, float]:
        tests = [np.mean(cell["test"]) for cell in kept[name].values() if "test" in cell]
        return "target" not in rules[name].needs, -float(np.mean(tests or [0.0]))

    return sorted(rules, key=place)


def cells(kept: Kept) -> Iterator[tuple[str, str, Cell]]:
    """Rule, column and what is known of them."""
    return ((name, column, kept[name][column]) for name in ranked(kept) for column in COLUMNS)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def accuracy(cell: Cell) -> str:
    """Mean and standard deviation over seeds, in per cent."""
    test = 100 * np.array(cell["test"])
    edge = "*" if cell["rate"] in (RATES[0], RATES[-1]) else ""
    return f"{test.mean():.1f} ± {test.std(ddof=1):.1f}{edge}{MARKS[cell['network']]}"


def angle(cell: Cell) -> str:
    """Mean over seeds, before and after learning."""
    if "angles" not in cell:
        return "-"
    means = np.mean(np.array(cell["angles"], dtype=float), axis=0)
    return " → ".join("none" if np.isnan(mean) else f"{mean:.0f}°" for mean in means)


def rounded(number: float | None) -> str:
    """Three digits."""
    return "-" if number is None else f"{float(f'{number:.3g}'):,.6g}"


def known(show: Callable[[Cell], str]) -> Callable[[Cell], str]:
    """What to show of a cell, or that there is none."""
    return lambda cell: "cannot" if "cannot" in cell else show(cell)


SHOWN = {
    "accuracy": known(accuracy),
    "angle": known(angle),
    "multiplications": known(lambda cell: rounded(cell["multiplications"] / 1e3)),
    "messages": known(lambda cell: rounded(cell["messages"])),
    "memory": known(lambda cell: rounded(cell["memory"] / 1e3)),
    "residual": known(
        lambda cell: f"{np.mean(cell['residual']):.1g}" if "residual" in cell else "-"
    ),
}


def beyond_backprop(kept: Kept) -> Iterator[list[str]]:
    """Differences to backprop, seed by seed, on the deep network."""
    control = 100 * np.array(kept["Backprop"]["deep"]["test"])
    for name in ranked(kept):
        if name != "Backprop" and "test" in kept[name]["deep"]:
            brain = 100 * np.array(kept[name]["deep"]["test"])
            found = Superiority(brain, control, 0.0).decide()
            yield [f"`{name}`", f"{found.estimate:+.1f} ({found.low:+.1f} to {found.high:+.1f})"]


def figures(kept: Kept) -> dict[str, Any]:
    """Heat maps of accuracy and of angles; what cannot be stays empty and says so."""
    rows = ranked(kept)

    def drawn(show: Callable[[Cell], Any], unit: str, form: str, **limits: float) -> Any:
        mean = lambda cell: np.nan if "cannot" in cell else float(np.mean(show(cell)))  # noqa: E731
        values = np.array([[mean(kept[name][column]) for column in COLUMNS] for name in rows])
        figure = maps(values, rows=rows, columns=[*COLUMNS], unit=unit)
        figure.update_traces(texttemplate=f"%{{z:{form}}}", **limits)
        figure.update_yaxes(ticktext=rows)  # on one line each
        for name, column, cell in cells(kept):
            if np.isnan(mean(cell)):
                text = "cannot" if "cannot" in cell else "none"
                place = {"x": [*COLUMNS].index(column), "y": rows.index(name)}
                figure.add_annotation(text=text, showarrow=False, **place)
        return figure

    right = lambda cell: 100 * np.array(cell["test"])  # noqa: E731
    final = lambda cell: np.array(cell.get("angles", [[None]]), dtype=float)[:, -1]  # noqa: E731
    return {
        "accuracy": drawn(right, "test accuracy, % (darkest: up to 80)", ".1f", zmin=80, zmax=100),
        "angle": drawn(final, "angle to backprop after learning, degrees", ".0f", zmin=0, zmax=120),
    }
