"""The command line. Nothing heavy is imported before a command needs it."""

import contextlib
import dataclasses
import functools
import operator
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg, create_mutex_group

from .mistake import Mistake

_Budget = create_mutex_group(required=False, title="budget: how much time to spend, quick if none")


def _number(least: int, default: str) -> tuple[Any, Any]:
    """An optional whole number, and the words for its default."""

    def parse(words: list[str]) -> int:
        if not words[0].isdecimal() or int(words[0]) < least:
            raise ValueError(f"expected a whole number of at least {least}, got {words[0]!r}")
        return int(words[0])

    spec = tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="N",
        instance_from_str=parse,
        is_instance=lambda value: value is None or isinstance(value, int),
        str_from_instance=lambda value: [str(value)],
    )
    return spec, arg(help_behavior_hint=f"(default: {default})")


_Seeds = Annotated[int | None, *_number(2, "the budget's")]
_Workers = Annotated[int | None, *_number(1, "one per core; on a GPU, none but this process")]
_Folder = Annotated[
    str | None,
    arg(metavar="DIR", help_behavior_hint="(default: NEURULA_RESULTS, or a user folder)"),
]


@dataclasses.dataclass
class Run:
    """Judge claims on this computer: the tour, or those that are named.

    What was finished before is not computed again, so a run that was stopped goes on. When one
    claim is named, its settings are flags too; they stand behind it. A run with changed settings
    is a variant: kept and shown apart.

    For example:

    neurula run

    neurula run feedback-alignment free-graph --full

    neurula run feedback-alignment --width 32

    neurula run my_claims.py:MyClaim
    """

    claims: Annotated[Positional[tuple[str, ...]], arg(metavar="[CLAIM ...]")] = ()
    """Ids, package.module:Class or path/to/file.py[:Class]. None: the tour."""
    all: bool = False
    """Every claim that comes with neurula."""
    smoke: Annotated[bool, _Budget] = False
    """Seconds: tries the machinery, proves nothing."""
    quick: Annotated[bool, _Budget] = False
    """1 to 5 minutes a claim."""
    full: Annotated[bool, _Budget] = False
    """30 to 60 minutes a claim; seeds are doubled once if they do not decide."""
    seeds: _Seeds = None
    """How many seeds every arm gets."""
    tune: bool = False
    """Search hyper-parameters anew instead of using the frozen ones."""
    fresh: bool = False
    """Compute again what is already there."""
    workers: _Workers = None
    """How many processes work at once."""
    results: _Folder = None
    """Where results are kept."""
    open: bool = False
    """Open the report in a browser."""
    json: bool = False
    """One JSON document on standard output, nothing else there."""


@dataclasses.dataclass
class List:
    """List all claims with their last rulings.

    For example: neurula list --json
    """

    json: bool = False
    """One JSON document."""
    results: _Folder = None
    """Where results are kept."""


@dataclasses.dataclass
class Show:
    """Show the whole card of a claim.

    For example: neurula show feedback-alignment
    """

    claim: Annotated[Positional[str], arg(metavar="CLAIM")]
    """An id, package.module:Class or path/to/file.py[:Class]."""
    results: _Folder = None
    """Where results are kept."""


@dataclasses.dataclass
class Report:
    """Write one page with all rulings.

    For example: neurula report --shipped --open
    """

    shipped: bool = False
    """The rulings of our own runs, which come with neurula, instead of yours."""
    open: bool = False
    """Open it in a browser."""
    results: _Folder = None
    """Where results are kept."""


@dataclasses.dataclass
class Data:
    """List data sets, get one, or print where it lies.

    For example:

    neurula data get NAME

    neurula data get NAME --from FOLDER
    """

    action: Positional[Literal["list", "get", "path"]]
    """What to do."""
    name: Annotated[Positional[str | None], arg(metavar="[NAME]")] = None
    """A data set; see: neurula data list"""
    source: Annotated[str | None, arg(name="from", metavar="FOLDER")] = None
    """Where get finds the files of the set, instead of downloading them."""


@dataclasses.dataclass
class Doctor:
    """Check this computer and this installation, in 30 seconds at most.

    For example: neurula doctor --json
    """

    json: bool = False
    """One JSON document."""
    results: _Folder = None
    """Where results are kept."""


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 something broke, 2 bad input, 130 stopped."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # XLA's remarks about its own cache
    with contextlib.suppress(BrokenPipeError):  # `neurula list | head`
        sys.exit(_main(list(sys.argv[1:] if words is None else words)))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _main(words: list[str]) -> int:
    try:
        return _carry_out(_understand(words))
    except Mistake as mistake:
        print(f"neurula: {mistake}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        again = " ".join(["neurula", *words])
        print(f"\nStopped. What was finished is kept; to go on: {again}", file=sys.stderr)
        return 130


def _understand(words: list[str]) -> Any:
    """The command as an object. Leaves with exit code 2 where tyro cannot make sense of it."""
    run: Any = Run
    if words[:1] == ["run"] and len(named := _named(words[1:])) == 1:
        from .requests import run_with_settings

        run = run_with_settings(Run, named[0], words)
    commands: list[Any] = [run, List, Show, Report, Data, Doctor]
    return tyro.cli(
        functools.reduce(operator.or_, commands),
        args=words,
        prog="neurula",
        description="Judges claims about brains and AI on this computer. Start with: neurula run",
        config=(FlagCreatePairsOff, OmitArgPrefixes),
    )


def _named(words: list[str]) -> list[str]:
    """The claims among the words; a claim's own settings stand behind it."""
    kinds = {f"--{field.name}": field.type is bool for field in dataclasses.fields(Run)}
    flags = {name for name in kinds if name in ("--all", "--tune", "--fresh", "--open", "--json")}
    flags |= {"--smoke", "--quick", "--full", "-h", "--help"}
    named, words = [], list(words)
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            named.append(word)
        elif word in kinds and word not in flags:
            words[:1] = []
        elif word.partition("=")[0] not in {*kinds, *flags}:
            break
    return named


def _carry_out(command: Any) -> int:
    match command:
        case Run():
            from .session import run

            return run(command)
        case List():
            from .cards import list_claims

            return list_claims(command)
        case Show():
            from .cards import show

            return show(command)
        case Report():
            from .session import report

            return report(command)
        case Data():
            from .datasets import data

            return data(command)
        case _:
            from .doctor import doctor

            return doctor(command)
