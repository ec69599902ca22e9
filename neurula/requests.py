"""From the command line to requests: which claims, at which budget, with which settings."""

import dataclasses
import shlex
from typing import Any

from .experiment import AbstractClaim
from .judging import Request
from .lookup import address, find, shipped
from .mistake import Mistake

BUDGETS = ("smoke", "quick", "full")


def run_with_settings(run: type[Any], name: str, words: list[str]) -> type:
    """The command `run` with the settings of a claim as further flags.

    Their defaults are those of the budget that the words ask for.
    """
    budget = next((each for each in BUDGETS if f"--{each}" in words), "quick")
    claim = at_budget(find(name), budget)
    taken = {field.name for field in dataclasses.fields(run)}
    if clash := taken & {field.name for field in dataclasses.fields(claim)}:
        raise Mistake(
            f"Expected the settings of {name} to have names of their own, and found "
            f"{', '.join(sorted(clash))}: neurula run has flags of that name. Rename the field."
        )
    settings = ("settings", type(claim), dataclasses.field(default_factory=lambda: claim))
    made = dataclasses.make_dataclass("Run", [settings], bases=(run,))
    made.__doc__ = run.__doc__
    return made


def at_budget(kind: type[AbstractClaim], budget: str) -> AbstractClaim:
    """A claim with the settings of a budget. Raises `Mistake` where it has no such budget."""
    if budget not in kind.budgets:
        raise Mistake(
            f"Expected a budget {budget!r} of {kind.name()}, and it has: "
            f"{', '.join(kind.budgets)}. Without it nobody knows how much to run. Add it: "
            f'budgets = {{"{budget}": Budget(seeds=10), ...}}'
        )
    return kind(**kind.budgets[budget].settings)


def requests(command: Any) -> list[Request]:
    """What the command asks for. Raises `Mistake` where it cannot be had."""
    if command.all and command.claims:
        raise Mistake(
            f"Expected --all or claims, and got both: --all {' '.join(command.claims)}. It is not "
            f"clear which are meant. Leave one of them out."
        )
    budget = next((each for each in BUDGETS if getattr(command, each)), "quick")
    asked = [_request(command, name, budget) for name in _names(command)]
    names = [request.name for request in asked]
    if twice := {name for name in names if names.count(name) > 1}:
        raise Mistake(
            f"Expected claims of different names, and {', '.join(twice)} came twice. Their rulings "
            f"would be mixed up. Rename a class, or judge one after the other in different folders "
            f"(--results DIR)."
        )
    return asked


def _names(command: Any) -> list[str]:
    if command.claims:
        return list(dict.fromkeys(command.claims))
    names = [name for name, claim in shipped().items() if command.all or claim.tour]
    if not names:
        raise Mistake("Expected claims to judge, and none are marked for the tour. Name some.")
    return names


def _request(command: Any, name: str, budget: str) -> Request:
    claim = at_budget(find(name), budget)
    usual = claim.budgets[budget].seeds
    changed: dict[str, Any] = {}
    if (settings := getattr(command, "settings", None)) is not None:
        changed = {
            field.name: getattr(settings, field.name)
            for field in dataclasses.fields(settings)
            if getattr(settings, field.name) != getattr(claim, field.name)
        }
        claim = settings
    words = ["neurula", "run", name, f"--{budget}"]
    for field, value in changed.items():
        words += flag(field, value)
    if command.seeds not in (None, usual):
        changed["seeds"] = command.seeds
        words += ["--seeds", str(command.seeds)]
    if command.tune:
        words.append("--tune")
    return Request(
        address=address(name),
        claim=claim,
        budget=budget,
        seeds=command.seeds or usual,
        changed=changed,
        tune=command.tune,
        command=shlex.join(words),
    )


def flag(field: str, value: Any) -> list[str]:
    """A changed setting as it is written on the command line."""
    flag = field.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{flag}", *map(str, values)]
