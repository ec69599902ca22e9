"""What is known about a data set: what it holds, whose it is, and the package that carries it."""

import dataclasses
import hashlib
from collections.abc import Callable

import numpy as np

from .packages import AbstractDownload, Installed
from .repositories import Repository

Files = dict[str, bytes]  # contents, unzipped, by path inside the package


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A named data set. Nothing is read or downloaded before it is asked for."""

    name: str
    holds: str  # arrays with shapes and units
    citation: str
    licence: str
    package: Installed | AbstractDownload | Repository
    files: tuple[str, ...]  # paths inside the package; those ending in .gz are unzipped
    checksum: str  # sha256 of the contents of the files, unzipped, one after another
    size: int  # bytes to download; 0 where nothing is
    read: Callable[[Files], dict[str, np.ndarray]]

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        return str(self.package)

    def open(self, files: Files, given: str = "") -> dict[str, np.ndarray]:
        """Turn the files into arrays. Raises `ValueError` where they are not the known ones.

        `given` names the folder in which the user has them, where they were not downloaded.
        """
        found = hashlib.sha256(b"".join(files[name] for name in self.files)).hexdigest()
        if found != self.checksum:
            raise ValueError(
                f"{self.name} should have the sha256 {self.checksum}, and what came has {found}. "
                f"So these are not the numbers that neurula knows, and nothing was kept. "
                + self._advice(given)
            )
        return self.read(files)

    def _advice(self, given: str) -> str:
        if given:
            return f"Compare the files in {given} with those of {self.source}: copy them again."
        return f"Try again; if it stays so, {self.source} has changed: please report it."
