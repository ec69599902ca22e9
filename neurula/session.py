"""One run of `neurula run`, from the first line on the screen to the report."""

import collections
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from .cache import use_cache
from .judging import BATCH, Request, judging
from .mistake import Mistake
from .progress import Board, duration, number, pace
from .requests import requests
from .results import Record, Store, dump, latest, results_folder, shipped_records
from .runner import conduct, processes

_SIGNS = {
    "supported": "[green]supported[/]         ",
    "refuted": "[red]refuted[/]           ",
    "inconclusive": "[yellow]inconclusive[/]      ",
    "not testable here": "[dim]not testable here[/] ",
}

_PROBLEMS = 4  # of a claim, on the screen


def run(command: Any) -> int:
    """Judge what is asked for; 0, or 1 where something broke."""
    out, console = sys.stdout, Console(stderr=command.json, soft_wrap=True)
    with contextlib.redirect_stdout(sys.stderr) if command.json else contextlib.nullcontext():
        use_cache()
        asked = requests(command)
        store = Store(results_folder(command.results), lambda line: console.print(escape(line)))
        store.check()
        records, broke = _judge(asked, store, console, command)
        page = _page(records, store.folder / "run.html", store) if records else None
    if len(records) > 1:
        rulings = collections.Counter(record["verdict"]["ruling"] for record in records)
        console.print(", ".join(f"{count} {ruling}" for ruling, count in rulings.most_common()))
    if page:
        console.print(f"Report: {page}")
    if page and command.open:
        _open(page)
    if command.json:
        document = {"records": records, "broke": broke, "report": str(page) if page else None}
        out.write(dump(document) + "\n")
    failed = any(arm["failed"] for record in records for arm in record["arms"].values())
    return 1 if broke or failed else 0


def report(command: Any) -> int:
    """Write one page with all rulings, the user's or those that come with neurula."""
    folder = results_folder(command.results)
    store = Store(folder, lambda line: print(line, file=sys.stderr))
    if command.shipped:
        records, page = shipped_records(), folder / "shipped.html"
    else:
        records, page = store.records(), folder / "report.html"
    if not records:
        raise Mistake(
            f"Expected rulings to report on, and found none in {folder}. Judge some claims first: "
            f"neurula run. Or see those that come with neurula: neurula report --shipped"
        )
    print(f"Report: {_page(records, page, store)}")
    if command.open:
        _open(page)
    return 0


def line(record: Record) -> str:
    """A ruling in one line: effect, interval, margin, seeds."""
    verdict, run = record["verdict"], record["run"]
    words = f"{_SIGNS[verdict['ruling']]} [bold]{record['claim']}[/]"
    if run["changed"]:
        words += f" (variant: {escape(_changes(run['changed']))})"
    if found := verdict["finding"]:
        words += (
            f"  {number(found['estimate'])} \\[{number(found['low'])}, {number(found['high'])}]"
            f" {escape(record['card']['unit'])}, margin {number(found['margin'])},"
            f" {len(run['seeds'])} seeds, {duration(run['seconds'])} of work"
        )
    problems = [escape(problem) for problem in verdict["problems"]]
    if len(problems) > _PROBLEMS:
        problems[_PROBLEMS:] = [f"and {len(problems) - _PROBLEMS} more problems, in the report"]
    return "\n    ".join([words, *problems])


def _judge(
    asked: list[Request], store: Store, console: Console, command: Any
) -> tuple[list[Record], dict[str, str]]:
    workers = processes(command.workers)
    known = pace([*shipped_records(), *store.records()], asked[0].budget)
    if len(asked) > 1:
        console.print(_forecast(asked, known, max(workers, 1)))
    records, broke = [], {}
    jobs = {request.name: judging(request) for request in asked}
    with Board(console, known, workers) as board:
        for name, result in conduct(jobs, store, board, workers=workers, fresh=command.fresh):
            if isinstance(result, Exception):
                broke[name] = f"{type(result).__name__}: {result}"
                board.rule(name, f"[red]broke[/]              {name}: {escape(broke[name])}")
                continue
            store.keep(result)
            records.append(result)
            board.rule(name, line(result))
    order = list(jobs)
    return sorted(records, key=lambda record: order.index(record["claim"])), broke


def _forecast(asked: list[Request], known: dict[tuple[str, str], float], workers: int) -> str:
    """How long it will take, before it starts."""
    seconds, pieces, new = 0.0, 0, 0
    for request in asked:
        arms = [known.get((request.name, arm)) for arm in request.claim.arms]
        size = BATCH if request.claim.batched else 1
        pieces += len(arms) * -(-request.seeds // size)
        new += None in arms
        seconds += sum(pace for pace in arms if pace) * request.seeds
    words = f"{len(asked)} claims, {pieces} pieces of work, {workers} at once"
    if new < len(asked):
        words += f": about {duration(seconds / workers)}, going by earlier runs"
    if new:
        words += f" ({new} of them without an earlier run)"
    return words


def _page(records: list[Record], page: Path, store: Store) -> Path:
    """Write the report."""
    from .report import write_report

    plain = json.loads(dump({"records": records}))["records"]
    return write_report(plain, page, adjusted=_adjusted(records, store))


def _adjusted(records: list[Record], store: Store) -> dict[str, float | None]:
    """p-values after Holm over all claims of neurula, whichever happened to run together."""
    from .lookup import shipped
    from .verdict import holm

    known = latest(shipped_records()) | latest(store.records()) | latest(records)
    found = {
        name: known[name]["verdict"]["finding"] if name in known else None for name in shipped()
    }
    return holm({name: finding.get("p") if finding else None for name, finding in found.items()})


def _open(page: Path) -> None:
    import webbrowser

    webbrowser.open(page.as_uri())


def _changes(changed: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in changed.items())
