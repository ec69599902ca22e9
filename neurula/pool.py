"""Hands out pieces of work: the one place to change when a distributed engine takes over.

Standard library only, so that a worker can set its environment before NumPy and JAX are loaded.
"""

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

# One thread a worker: the cores are shared by pieces, not within one. Optimisation level 1 halves
# the time that XLA compiles, or better, and small training loops run as fast as with level 3.
# What the user sets in XLA_FLAGS comes last and wins.
_FLAGS = "--xla_cpu_multi_thread_eigen=false --xla_backend_optimization_level=1"
_THREADS = ("PJRT_NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclasses.dataclass(frozen=True)
class Lost:
    """A piece that came to nothing, and why."""

    why: str


def hand_out(
    pieces: deque[Any],
    work: Callable[[Any], Any],
    workers: int,
    *,
    begun: Callable[[Any], None] = lambda piece: None,
) -> Iterator[tuple[Any, Any]]:
    """Yield each piece with `work(piece)`, or with `Lost`, in the order in which they end.

    The caller may append to `pieces` between two results. With 0 workers all happens in this
    process, else in as many fresh ones; `work` and pieces must then be picklable. A worker that
    dies costs only the piece that it was at.
    """
    crew: list[_Worker] = []
    try:
        while pieces or any(worker.busy for worker in crew):
            if workers == 0:
                begun(piece := pieces.popleft())
                yield piece, _attempt(work, piece)
                continue
            while pieces and (free := _free(crew, work, workers)):
                begun(piece := pieces.popleft())
                free.give(piece)
            for line in wait([worker.line for worker in crew if worker.busy]):
                worker = next(worker for worker in crew if worker.line is line)
                piece, result = worker.take()
                if not worker.alive:
                    crew.remove(worker)
                yield piece, result
    finally:
        for worker in crew:
            worker.process.kill()


def _free(crew: list["_Worker"], work: Callable[[Any], Any], workers: int) -> "_Worker | None":
    """A worker with nothing to do, a new one where there is room; `None`: all are busy."""
    for worker in crew:
        if not worker.busy:
            return worker
    if len(crew) < workers:
        crew.append(_Worker(work))
        return crew[-1]
    return None


class _Worker:
    """A process that does one piece after another."""

    def __init__(self, work: Callable[[Any], Any]):
        spawn = multiprocessing.get_context("spawn")  # JAX does not survive a fork
        self.line, other = spawn.Pipe()
        self.process = spawn.Process(target=_serve, args=(other,), daemon=True)
        with _deaf():
            self.process.start()
        other.close()  # else the line would not end when the process does
        self.busy, self.alive, self.piece = False, True, None
        self._send(work)

    def give(self, piece: Any) -> None:
        """Start on a piece."""
        self.busy, self.piece = True, piece
        self._send(piece)

    def take(self) -> tuple[Any, Any]:
        """The piece and what came of it."""
        self.busy = False
        try:
            return self.piece, self.line.recv()
        except (EOFError, OSError):
            self.process.join()
            self.alive = False
            return self.piece, Lost(_death(self.process.exitcode))

    def _send(self, what: Any) -> None:
        with contextlib.suppress(OSError):  # it died: `take` finds out
            self.line.send(what)


@contextlib.contextmanager
def _deaf() -> Generator[None, None, None]:
    """Ignore Ctrl-C. Processes that start meanwhile do so from their first moment on."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not in the main thread, which alone hears it
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _death(code: int | None) -> str:
    """Why a process ended, in words."""
    if code is None or code >= 0:
        return f"its process ended by itself with exit code {code}"
    name = signal.Signals(-code).name
    hint = ", perhaps because memory ran out" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{hint}"


def _attempt(work: Callable[[Any], Any], piece: Any) -> Any:
    try:
        return work(piece)
    except Exception as error:  # whatever a piece raises must not take the others along
        return Lost(f"{type(error).__name__}: {error}")


def _serve(line: Connection) -> None:
    """The life of a worker, which does not outlive its parent."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(2, 1)  # standard output belongs to the parent
    os.environ["XLA_FLAGS"] = f"{_FLAGS} {os.environ.get('XLA_FLAGS', '')}"
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    with contextlib.suppress(EOFError):
        work = line.recv()
        while True:
            result = _attempt(work, line.recv())
            try:
                line.send(result)
            except Exception as error:  # a result that cannot travel
                line.send(Lost(f"{type(error).__name__}: {error}"))


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
