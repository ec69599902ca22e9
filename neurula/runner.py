"""Drives jobs: finds their pieces on disk, hands out the others, and keeps what comes back."""

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from .judging import Job
from .keys import piece_key
from .mistake import Mistake
from .piece import Done, Piece, compute
from .pool import Lost, hand_out
from .progress import Board
from .records import cores
from .results import Store


@dataclasses.dataclass
class _Course:
    """How far a job has come: the pieces that it waits for, and those that are there."""

    name: str
    job: Job
    pieces: list[Piece] = dataclasses.field(default_factory=list)
    done: dict[int, Done] = dataclasses.field(default_factory=dict)  # by id of the piece
    result: Any = None
    began: bool = False
    ended: bool = False

    def proceed(self, store: Store, board: Board, fresh: bool) -> list[Piece]:
        """Go on until pieces have to be computed, which are returned, or until the end."""
        while not (missing := [each for each in self.pieces if id(each) not in self.done]):
            answer = [self.done[id(piece)] for piece in self.pieces]
            try:
                self.pieces = self.job.send(answer) if self.began else next(self.job)
                self.began = True
            except StopIteration as stop:
                self.result, self.ended = stop.value, True
                return []
            except Mistake:
                raise
            except Exception as error:  # one claim that breaks must not take the others along
                self.result, self.ended = error, True
                return []
            self.done = {} if fresh else self._found(store)
            missing = [piece for piece in self.pieces if id(piece) not in self.done]
            board.expect(self.name, self.pieces, missing)
        return missing

    def _found(self, store: Store) -> dict[int, Done]:
        found = {id(piece): store.load(self.name, piece_key(piece)) for piece in self.pieces}
        return {piece: done for piece, done in found.items() if done is not None}


def conduct(
    jobs: Mapping[str, Job], store: Store, board: Board, *, workers: int, fresh: bool = False
) -> Iterator[tuple[str, Any]]:
    """Yield (name, what the job returns), or (name, the exception that broke it), as they end.

    Pieces that `store` has are not computed again, unless `fresh`. `workers` 0: in this process.
    """
    queue: deque[Piece] = deque()
    owners: dict[int, _Course] = {}
    for name, job in jobs.items():
        course = _Course(name, job)
        queue += (missing := course.proceed(store, board, fresh))
        owners |= {id(piece): course for piece in missing}
        if course.ended:
            yield name, course.result
    queue = deque(board.longest_first(queue))
    for piece, result in hand_out(queue, compute, workers, begun=board.begin):
        course, done = owners.pop(id(piece)), _settled(piece, result)
        if not done.failed:
            store.save(course.name, piece_key(piece), done)
        course.done[id(piece)] = done
        board.end(piece, done)
        if len(course.done) == len(course.pieces):
            missing = course.proceed(store, board, fresh)
            owners |= {id(piece): course for piece in missing}
            queue.extendleft(reversed(missing))  # a claim that began should end soon
            if course.ended:
                yield course.name, course.result


def processes(asked: int | None = None) -> int:
    """How many to use: one per core; none on an accelerator, where this process does the work."""
    import jax

    if jax.default_backend() != "cpu":
        return 0
    return asked or cores()


def _settled(piece: Piece, result: Done | Lost) -> Done:
    """What came of a piece; of a lost one, that all its rows failed."""
    if isinstance(result, Lost):
        return Done((), None, dict.fromkeys(range(len(piece.seeds)), result.why), 0.0, 0.0)
    return result
