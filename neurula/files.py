"""Files that are there in full or not at all."""

import contextlib
import os
import uuid
from collections.abc import Generator
from pathlib import Path

from .mistake import Mistake


@contextlib.contextmanager
def whole(path: str | os.PathLike) -> Generator[Path, None, None]:
    """A place for a file that takes its name once it is complete; after an error nothing is new.

    The place keeps the ending of the name, by which writers choose a format.
    """
    path = Path(path)
    part = path.parent / f".{uuid.uuid4().hex}.part{path.suffix}"
    part.open("xb").close()  # readable by others as any file is; a temporary one would not be
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(file: Path, content: bytes) -> None:
    """Write a file and the folders above it. Raises `Mistake` if it cannot."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole(file) as part:
            part.write_bytes(content)
    except OSError as error:
        raise Mistake(
            f"Expected to write {file}, and could not: {error.strerror or error}. What was "
            f"finished before is kept. Free some space, or name another folder: "
            f"--results FOLDER, or the environment variable NEURULA_RESULTS."
        ) from error
