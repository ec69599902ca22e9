"""Shows how far a run has come: live bars on a terminal, plain lines elsewhere."""

import dataclasses
import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from .piece import Done, Piece

_PAUSE = 5.0  # seconds between plain lines
Pace = dict[tuple[str, str], float]  # seconds of one seed, by claim and arm


def pace(records: Iterable[Mapping[str, Any]], budget: str) -> Pace:
    """How long a seed of each arm took in earlier runs of that budget."""
    known: Pace = {}
    for record in records:
        if record["run"]["budget"] == budget and not record["run"]["variant"]:
            for arm, about in record["arms"].items():
                if about["seconds"] and about["score"]:
                    known[record["claim"], arm] = about["seconds"] / len(about["score"])
    return known


def duration(seconds: float) -> str:
    """Seconds in words: `40 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def number(value: float | None) -> str:
    """Three significant digits; what is not finite is a dash."""
    return "-" if value is None else f"{value:.3g}"


@dataclasses.dataclass
class _Claim:
    """The pieces of a claim: those that are waiting or running, and how many ended."""

    name: str
    open: dict[int, Piece] = dataclasses.field(default_factory=dict)  # by id
    began: dict[int, float] = dataclasses.field(default_factory=dict)  # by id
    spent: float = 0.0  # seconds of pieces that ended
    ended: int = 0
    bar: Any = None


class Board:
    """The state of a run on a screen. `known` says how long seeds took before."""

    def __init__(self, console: Console, known: Pace, workers: int):
        self.console, self.pace, self.workers = console, dict(known), max(workers, 1)
        self.claims: dict[str, _Claim] = {}
        self.owners: dict[int, _Claim] = {}
        self.told = -_PAUSE  # when the last plain line was printed
        self.bars = _Bars(self, console) if console.is_terminal else None

    def __enter__(self) -> "Board":
        if self.bars:
            self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bars:
            self.bars.stop()

    def expect(self, name: str, pieces: list[Piece], missing: list[Piece]) -> None:
        """A claim waits for pieces, of which some are missing and others were found on disk."""
        claim = self.claims.setdefault(name, _Claim(name))
        claim.ended += len(pieces) - len(missing)
        claim.open |= {id(piece): piece for piece in missing}
        self.owners |= {id(piece): claim for piece in missing}
        if len(missing) < len(pieces):
            self.say(f"{name}: resumed {len(pieces) - len(missing)} of {len(pieces)} pieces")

    def begin(self, piece: Piece) -> None:
        """A worker starts on a piece."""
        claim = self.owners[id(piece)]
        claim.began[id(piece)] = time.monotonic()
        if self.bars and claim.bar is None:
            claim.bar = self.bars.add_task(claim.name, total=None, left="")

    def end(self, piece: Piece, done: Done) -> None:
        """A piece came back."""
        claim = self.owners.pop(id(piece))
        del claim.open[id(piece)]
        seconds = time.monotonic() - claim.began.pop(id(piece))
        claim.spent += seconds
        claim.ended += 1
        if not done.failed:  # without the start of the worker, which happens once
            self.pace[claim.name, piece.arm] = (done.seconds + done.compiling) / len(piece.seeds)
        now = time.monotonic()
        if not self.bars and (now - self.told > _PAUSE or not claim.open):
            self.told = now
            left = self.left(claim)
            self.say(
                f"{claim.name}: {claim.ended} of {claim.ended + len(claim.open)} pieces "
                f"({'tuning ' if piece.search else ''}{piece.arm}, {duration(seconds)})"
                + (f", about {duration(left)} left" if left and left >= 1 else "")
            )

    def rule(self, name: str, line: str) -> None:
        """A claim has its ruling."""
        claim = self.claims.get(name)
        if self.bars and claim and claim.bar is not None:
            self.bars.remove_task(claim.bar)
            claim.bar = None
        self.say(line)

    def say(self, line: str) -> None:
        """A line that stays."""
        self.console.print(line, highlight=False, soft_wrap=True)

    def longest_first(self, pieces: Iterable[Piece]) -> list[Piece]:
        """Claim by claim, the longest claims and arms first, as far as that is known.

        Later batches of an arm come after the first ones of all arms: then its program is compiled.
        """

        def rank(piece: Piece) -> tuple[float, str, int, float]:
            claim = self.owners[id(piece)]
            ahead, _ = self.open_seconds(claim)
            return -ahead, claim.name, piece.seeds[0], -self._guess(claim, piece)

        return sorted(pieces, key=rank)

    def left(self, claim: _Claim) -> float | None:
        """Seconds until a claim has all its pieces, if nothing else ran; `None`: unknown."""
        seconds, known = self.open_seconds(claim)
        return seconds / min(self.workers, len(claim.open)) if known and claim.open else None

    def open_seconds(self, claim: _Claim) -> tuple[float, bool]:
        """Seconds of work ahead, and whether anything is known about it."""
        now, ahead = time.monotonic(), 0.0
        for key, piece in claim.open.items():
            guess = self._guess(claim, piece)
            passed = now - claim.began[key] if key in claim.began else 0.0
            ahead += max(guess - passed, 0.05 * guess)
        return ahead, ahead > 0 or not claim.open

    def _guess(self, claim: _Claim, piece: Piece) -> float:
        """Seconds of a piece: its arm's pace, else that of the claim's other arms, else 0."""
        if (claim.name, piece.arm) in self.pace:
            return self.pace[claim.name, piece.arm] * len(piece.seeds)
        others = [seconds for (name, _), seconds in self.pace.items() if name == claim.name]
        return sum(others) / len(others) * len(piece.seeds) if others else 0.0


class _Bars(Progress):
    """Live bars, moved on by the clock between pieces."""

    def __init__(self, board: Board, console: Console):
        self.board = board
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            _Left(),
        ]
        super().__init__(*columns, console=console, transient=True)

    def get_renderables(self) -> Iterable[Any]:
        for claim in list(self.board.claims.values()):
            if claim.bar is None:
                continue
            ahead, known = self.board.open_seconds(claim)
            running = sum(time.monotonic() - began for began in list(claim.began.values()))
            left = self.board.left(claim)
            self.update(
                claim.bar,
                total=claim.spent + running + ahead if known else None,
                completed=claim.spent + running,
                left=f"about {duration(left)} left" if left is not None else "",
                pieces=f"{claim.ended}/{claim.ended + len(claim.open)}",
            )
        yield from super().get_renderables()


class _Left(ProgressColumn):
    """Pieces, and the time left."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.fields.get('pieces', '')}  {task.fields['left']}")
