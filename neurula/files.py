"""Files that are there in full or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

from .mistake import Mistake


@contextlib.contextmanager
def whole(path: str | os.PathLike) -> Generator[Path, None, None]:
    """A place for a file that takes its name once it is complete; after an error nothing is new.

    The place keeps the ending of the name, by which writers choose a format.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part" + path.suffix)
    os.close(handle)
    try:
        yield Path(name)
        with open(name, "rb") as file:
            os.fsync(file.fileno())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


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
