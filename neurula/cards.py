"""Shows claims on the terminal: the list, and the whole card of one."""

import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .experiment import AbstractClaim
from .judging import Request
from .lookup import find, shipped
from .progress import duration, number
from .records import card
from .requests import BUDGETS, flag
from .results import Record, Store, dump, latest, results_folder, shipped_records
from .tuning import frozen, frozen_file, has_space


def list_claims(command: Any) -> int:
    """All claims, each with its last ruling: of this computer, else of the package."""
    rulings = _rulings(command.results)
    rows = [_row(claim, rulings) for claim in shipped().values()]
    if command.json:
        print(dump({"claims": rows}))
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("claim", "sentence", "source", "level", "kind", "ruling"):
        table.add_column(title, overflow="fold")
    for row in rows:
        ruling = row["ruling"] or "-"
        if row["from"]:
            ruling += f" ({row['budget']}{', shipped' if row['from'] == 'shipped' else ''})"
        cells = (row["claim"], row["statement"], row["source"], row["level"], row["kind"], ruling)
        table.add_row(*map(escape, cells))
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    return 0


def show(command: Any) -> int:
    """The whole card of a claim."""
    claim = find(command.claim)()
    where, record = _rulings(command.results).get(claim.name(), (None, None))
    known = card(claim) if record is None else record["card"]
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())

    def say(title: str, *lines: str) -> None:
        console.print(f"[bold]{title}[/]", *(f"  {escape(text)}" for text in lines), sep="\n")

    say(claim.name(), claim.statement, f"Source: {claim.source}")
    say("Kind", f"{claim.kind}; Marr's level: {claim.level}")
    for role, title in _ROLES.items():
        arms = [f"{name}: {arm.says}" for name, arm in claim.arms.items() if arm.role == role]
        if arms:
            say(title, *arms)
    rule = known["rule"]
    say("Margin", f"{claim.margin:g} {claim.unit}", *([f"Rule: {rule}"] if rule else []))
    say("Refuted if", claim.refuted_if)
    say("Expected", claim.expected)
    say("Pitfalls", *claim.pitfalls)
    say("Data", *(claim.data or ("none",)))
    say("Settings (as flags, with their defaults)", *_settings(claim))
    say("Budgets", *_budgets(claim))
    say("Tuned settings", *_tuned(claim))
    say("Last ruling", *_last(record, where))
    return 0


_ROLES = {
    "brain": "Arms",
    "control": "Controls",
    "sham": "Shams",
    "probe": "Probes (judge nothing)",
}


def _rulings(folder: str | None) -> dict[str, tuple[str, Record]]:
    """The last ruling of every claim, and whether it is local or shipped."""
    store = Store(results_folder(folder), lambda line: print(line, file=sys.stderr))
    ours = {name: ("shipped", record) for name, record in latest(shipped_records()).items()}
    return ours | {name: ("local", record) for name, record in latest(store.records()).items()}


def _row(claim: type[AbstractClaim], rulings: dict[str, tuple[str, Record]]) -> dict[str, Any]:
    where, record = rulings.get(claim.name(), (None, None))
    return {
        "claim": claim.name(),
        "statement": claim.statement,
        "source": claim.source,
        "level": claim.level,
        "kind": claim.kind,
        "tour": claim.tour,
        "ruling": record["verdict"]["ruling"] if record else None,
        "budget": record["run"]["budget"] if record else None,
        "from": where,
    }


def _settings(claim: AbstractClaim) -> list[str]:
    fields = Request("", claim, "", 0).fields
    return [" ".join(flag(name, value)) for name, value in fields.items()] or ["none"]


def _budgets(claim: AbstractClaim) -> list[str]:
    lines = []
    for name in BUDGETS:
        if budget := claim.budgets.get(name):
            settings = ", ".join(f"{key} = {value}" for key, value in budget.settings.items())
            lines.append(f"{name}: {budget.seeds} seeds" + (f", {settings}" if settings else ""))
    return lines


def _tuned(claim: AbstractClaim) -> list[str]:
    if not has_space(claim):
        return ["none: nothing is tuned"]
    if (found := frozen(claim)) is None:
        return [f"none yet: tuned within the run, or by python -m neurula.tuning {claim.name()}"]
    lines = [
        f"{arm}: " + ", ".join(f"{name} = {value:g}" for name, value in settings.items())
        for arm, settings in found["settings"].items()
        if settings
    ]
    return [*lines, f"{found['trials']} trials each; log: {frozen_file(claim).name}"]


def _last(record: Record | None, where: str | None) -> list[str]:
    """Ruling, numbers and cost of the last run."""
    if record is None:
        return ["none yet"]
    verdict, run, found = record["verdict"], record["run"], record["verdict"]["finding"]
    lines = [f"{verdict['ruling']} ({run['budget']}, {where}, {run['started'][:10]})"]
    if found:
        lines.append(
            f"{number(found['estimate'])} [{number(found['low'])}, {number(found['high'])}], "
            f"{len(run['seeds'])} seeds"
        )
    lines += verdict["problems"]
    lines.append(f"{duration(run['seconds'])} of work; {run['command']}")
    for arm, about in record["arms"].items():
        costs = ", ".join(f"{name} {number(value)}" for name, value in about["costs"].items())
        lines.append(f"{arm}: {costs}")
    return lines
