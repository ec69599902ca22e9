"""Make an environment for every peer: `python -m benchmarks.peers FOLDER`.

Afterwards `NEURULA_PEERS=FOLDER python -m benchmarks spiking` runs side by side.
"""

import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = {
    "brian2": ["brian2==2.9.0", "numpy<2.4", "setuptools"],  # and a C++ compiler
    "evosax": ["evosax==0.3.2", "gymnax==1.0.1", "six", "jax==0.10.1"],
    "flashbax": ["flashbax==0.1.3", "jax==0.10.1"],
    "cobel": ["cobel==3.0.1", "PyQt6", "pyqtgraph"],
    "neat": ["neat-python==2.0.0"],
    "nest": ["nest-simulator==3.10.0", "numpy", "scipy"],
    "opexebo": ["opexebo==0.7.2", "numpy==2.2.*"],
    "sb3": ["stable-baselines3==2.9.2", "minatar==1.0.15"],  # brings torch
    "ratinabox": ["ratinabox==1.15.3"],
    "spatial_maps": ["spatial-maps==0.2.1", "scikit-image", "colorama", "pyyaml"],
    "tensorneat": ["jax==0.10.1", "networkx", "matplotlib", "sympy"],
    "torch": ["torch", "snntorch==1.0.0", "spikingjelly==2.0.0"],
}
ALONE = {  # without what they depend on; TensorNEAT is only in its repository
    "spatial_maps": ["neuralplayground==0.0.9"],
    "tensorneat": [
        "git+https://github.com/EMI-Group/tensorneat@ee204900e8e55ffe0ed756651ea871c70230dd34"
    ],
}


def python_of(folder: Path, peer: str) -> Path:
    """The interpreter of a peer's environment."""
    return folder / peer / "bin" / "python"


def main() -> None:
    """Make what is missing."""
    folder = Path(sys.argv[1])
    for peer, packages in PACKAGES.items():
        if python_of(folder, peer).exists():
            continue
        venv.create(folder / peer, with_pip=True)
        command = [str(python_of(folder, peer)), "-m", "pip", "install", "-q", *packages]
        subprocess.run(command, check=True)
        if peer in ALONE:
            subprocess.run([*command[:4], "-q", "--no-deps", *ALONE[peer]], check=True)


if __name__ == "__main__":
    main()
