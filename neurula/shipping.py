"""For developers: put rulings of this computer into the package, and their table into the pages.

python -m neurula.shipping ship feedback-alignment ...
python -m neurula.shipping table
"""

import argparse
import gzip
import re
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from .files import write_whole
from .results import Record, Store, dump, latest, results_folder, shipped_records
from .verdict import holm

PAGES = {"README.md": False, "docs/verdicts.md": True}  # with numbers or without
MARKS = re.compile(r"(<!-- verdicts: .*? -->\n).*?(<!-- end of verdicts -->)", re.S)


def ship(claims: list[str], store: Store) -> Iterator[Path]:
    """Copy local rulings into the package, at both budgets; never smoke, never variants."""
    folder = Path(str(resources.files("neurula") / "shipped"))
    for record in store.records():
        run = record["run"]
        if record["claim"] in claims and run["budget"] != "smoke" and not run["variant"]:
            file = folder / f"{record['claim']}.{run['budget']}.json.gz"
            write_whole(file, gzip.compress(dump(record).encode(), mtime=0))
            yield file


def table(records: list[Record], *, numbers: bool = True) -> str:
    """The rulings as a Markdown table; with `numbers`, p-values are adjusted over all claims."""
    rulings = latest(records)
    findings = {name: r["verdict"]["finding"] for name, r in rulings.items()}
    adjusted = holm({name: found and found["p"] for name, found in findings.items()})
    heads = ["claim", "ruling", "effect, interval, margin", "p (Holm)", "seeds", "sentence"]
    lines = [heads, ["---"] * len(heads)]
    for name, record in sorted(rulings.items()):
        card, run = record["card"], record["run"]
        lines.append([
            f"`{name}`",
            f"**{record['verdict']['ruling']}**",
            _effect(findings[name], card["unit"]),
            "" if adjusted[name] is None else f"{adjusted[name]:.2g}",
            f"{len(run['seeds'])} ({run['budget']})",
            card["statement"],
        ])  # fmt: skip
    if not numbers:
        lines = [[*line[:2], line[-1]] for line in lines]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _effect(finding: dict[str, Any] | None, unit: str) -> str:
    if finding is None:
        return ""
    number = "{:.3g}".format
    between = f"{number(finding['low'])} to {number(finding['high'])}"
    return f"{number(finding['estimate'])} ({between}), margin {finding['margin']:g}; {unit}"


def write_tables(root: Path, records: list[Record]) -> list[Path]:
    """Put the table between the marks of README and docs. Run it in the root of the repository."""
    written = []
    for name, numbers in PAGES.items():
        page, lines = root / name, table(records, numbers=numbers)
        made = MARKS.sub(lambda marks, lines=lines: marks[1] + lines + marks[2], page.read_text())
        write_whole(page, made.encode())
        written.append(page)
    return written


def _main() -> None:
    parser = argparse.ArgumentParser("python -m neurula.shipping", description=__doc__)
    parser.add_argument("action", choices=("ship", "table"))
    parser.add_argument("claims", nargs="*")
    asked = parser.parse_args()
    if asked.action == "table":
        print(*write_tables(Path.cwd(), shipped_records()), sep="\n")
        return
    files = list(ship(asked.claims, Store(results_folder(), print)))
    print(*files, sep="\n")
    sys.exit(None if files else f"Expected rulings in {results_folder()}, and found none.")


if __name__ == "__main__":
    _main()
