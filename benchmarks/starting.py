"""What a newcomer waits for: imports, help, the list of claims."""

import statistics
import subprocess
import sys
import time


def _median(arguments: list[str], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])  # the first one warms the disk


def waits() -> dict:
    """Whole-process seconds."""
    base = _median(["-c", "import jax, equinox, optax"])
    ours = "import jax, equinox, optax, neurula; neurula.layered, neurula.learn, neurula.rules"
    return {
        "import jax, equinox, optax": base,
        "neurula adds": _median(["-c", ours]) - base,
        "neurula --help": _median(["-m", "neurula", "--help"]),
        "neurula list": _median(["-m", "neurula", "list"]),
    }
