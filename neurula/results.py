"""What runs leave on disk: pieces that can be resumed, and records of rulings.

Files are written beside their place and renamed when whole, so that neither a crash nor a second
run can leave half a file. A damaged file is set aside and made again.
"""

import contextlib
import gzip
import json
import os
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from .files import write_whole
from .piece import Done, pack, unpack

Record = dict[str, Any]
FORMAT = 1
_ARM = {"score": list, "seconds": (int, float), "costs": dict, "failed": dict}
_SHAPE = {  # what every reader of a record relies on
    "format": int,
    "claim": str,
    "card": {"statement": str, "arms": dict},
    "run": {
        "budget": str,
        "seeds": list,
        "changed": dict,
        "variant": bool,
        "seconds": (int, float),
    },
    "arms": dict,
    "verdict": {"ruling": str, "finding": (dict, type(None)), "problems": list},
}


def results_folder(chosen: str | None = None) -> Path:
    """Where results lie: the chosen folder, NEURULA_RESULTS, or the user's data folder."""
    import platformdirs

    chosen = chosen or os.environ.get("NEURULA_RESULTS")
    return Path(chosen).absolute() if chosen else platformdirs.user_data_path("neurula") / "results"


class Store:
    """The results of one folder. `say` hears about damaged files."""

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda line: None):
        self.folder, self.say = folder, say

    def check(self) -> None:
        """Raises `Mistake` where nothing can be written."""
        write_whole(self.folder / ".neurula", b"results of neurula\n")
        for part in self.folder.rglob(".*.part*"):  # left by a run that was killed
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > 3600:
                    part.unlink()

    def load(self, claim: str, key: str) -> Done | None:
        """A finished piece, or `None` where there is none that is whole."""
        file = self._piece(claim, key)
        try:
            return unpack(file.read_bytes(), key)
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever a damaged file may raise
            self._set_aside(file, error)
            return None

    def save(self, claim: str, key: str, done: Done) -> None:
        """Keep a finished piece."""
        write_whole(self._piece(claim, key), pack(done, key))

    def keep(self, record: Record) -> Path:
        """Keep a record: the latest of its claim and budget; every variant has its own place."""
        file = self.folder / "records" / record["claim"] / f"{_kind_of_run(record)}.json"
        write_whole(file, dump(record).encode())
        return file

    def records(self) -> list[Record]:
        """All records, in the order of their names."""
        found = []
        for file in sorted(self.folder.glob("records/*/*.json")):
            try:
                found.append(parse(file.read_bytes()))
            except Exception as error:  # whatever a damaged file may raise
                self._set_aside(file, error)
        return found

    def _piece(self, claim: str, key: str) -> Path:
        return self.folder / "pieces" / claim / f"{key[:40]}.npz"

    def _set_aside(self, file: Path, error: Exception) -> None:
        with contextlib.suppress(OSError):  # a second run may have done it first
            file.replace(file.with_name(file.name + ".corrupt"))
        self.say(f"{file} was damaged ({error}): set aside as .corrupt")


def dump(record: Record, indent: int | None = None) -> str:
    """A record as strict JSON: what is not finite becomes null."""
    return json.dumps(_strict(record), allow_nan=False, indent=indent, default=str)


def parse(content: bytes) -> Record:
    """A record from its bytes. Raises `ValueError` if they hold none."""
    record = json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    odd = _odd(record, _SHAPE, "record")
    for arm in () if odd else record["arms"]:
        odd = odd or _odd(record["arms"][arm], _ARM, f"record.arms.{arm}")
    if odd or record["format"] != FORMAT:
        raise ValueError(f"no record of format {FORMAT}: {odd or record['format']}")
    return record


def _odd(value: Any, shape: Any, where: str) -> str | None:
    """The first place where a value has not the shape."""
    if not isinstance(shape, dict):
        return None if isinstance(value, shape) else f"{where} is {value!r:.40}"
    if not isinstance(value, dict):
        return f"{where} is {value!r:.40}"
    places = ((value.get(name), inner, f"{where}.{name}") for name, inner in shape.items())
    return next((odd for place in places if (odd := _odd(*place))), None)


def shipped_records() -> list[Record]:
    """The records of our own runs that come with the package."""
    folder = resources.files("neurula") / "shipped"
    if not folder.is_dir():
        return []
    files = sorted((file for file in folder.iterdir()), key=lambda file: file.name)
    return [parse(f.read_bytes()) for f in files if f.name.endswith((".json", ".json.gz"))]


def latest(records: list[Record]) -> dict[str, Record]:
    """For each claim the ruling that counts: full before quick, never a variant, never smoke."""
    rank = {"full": 0, "quick": 1}
    kept = [r for r in records if r["run"]["budget"] in rank and not r["run"]["variant"]]
    kept.sort(key=lambda record: rank[record["run"]["budget"]], reverse=True)
    return {record["claim"]: record for record in kept}


def _kind_of_run(record: Record) -> str:
    run = record["run"]
    if not run["variant"]:
        return run["budget"]
    import hashlib

    changed = json.dumps(run["changed"], sort_keys=True, default=str)
    return f"{run['budget']}-{hashlib.sha256(changed.encode()).hexdigest()[:8]}"


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _strict(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _strict(value.tolist())
    return None if isinstance(value, float) and not np.isfinite(value) else value
