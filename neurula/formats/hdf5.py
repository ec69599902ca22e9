"""What holds for every HDF5 file of others: it may be missing, broken, or something else."""

import os
from pathlib import Path

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def check_hdf5(path: str | os.PathLike) -> None:
    """Refuse what is not there, and what does not begin like an HDF5 file."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(
            f"{path} should be one HDF5 file, but is a folder, perhaps a Zarr store, which is not "
            "read here. Export it to HDF5 first: `hdmf_zarr.NWBZarrIO`, then `NWBHDF5IO.export`."
        )
    if not path.exists():
        raise FileNotFoundError(
            f"{path} should be a file, but there is none (looked from {Path.cwd()}). Give a path "
            "that exists: `pathlib.Path(folder).glob('*')` lists what is there."
        )
    with path.open("rb") as file:
        head = file.read(1 << 16)
    places = [0, *(512 * 2**i for i in range(7))]  # a block of the user's may come before
    if not any(head[place:].startswith(SIGNATURE) for place in places):
        raise ValueError(
            f"{path} should be an HDF5 file, but its {path.stat().st_size:,} bytes begin with "
            f"{head[:8]!r} instead of {SIGNATURE!r}: it is of another kind, or its download broke "
            "off at the start. Look at it with a text editor: it may be an error page."
        )
