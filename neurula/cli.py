"""The command line. Nothing heavy is imported before a command needs it."""

import contextlib
import dataclasses
import functools
import operator
import os
import sys
from collections.abc import Sequence
from typing import Any

import tyro
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes

from .commands import Compare, Data, Doctor, List, Report, Run, Show
from .mistake import Mistake


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
    commands: list[Any] = [run, List, Show, Report, Compare, Data, Doctor]
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
        case Compare():
            from .comparing import compare

            return compare(command)
        case Data():
            from .datasets import data

            return data(command)
        case _:
            from .doctor import doctor

            return doctor(command)
