"""`neurula doctor`: what is installed, what this computer is, and whether it computes rightly."""

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .cache import cache_folder, use_cache
from .files import write_whole
from .keys import versions
from .mistake import Mistake
from .records import cores
from .results import results_folder

# jax 0.11.0 computes rightly where the canary looks, and crashes on some reductions.
_CRASHES = "0.11.0"
_MEND_JAX = 'pip install "jax>=0.10.1,!=0.10.2,!=0.11.0"'
_MEND_ENGINE = (
    "reinstall neurula and jax; if it stays, report it with the output of neurula doctor --json"
)


def doctor(command: Any) -> int:
    """Check and print; 1 where something is wrong."""
    use_cache()
    machine = _machine(results_folder(command.results))
    checks = [_check(*each) for each in _checks(results_folder(command.results))]
    wrong = any(not check["right"] for check in checks)
    if command.json:
        print(json.dumps({"machine": machine, "checks": checks, "right": not wrong}))
        return int(wrong)
    for name, value in machine.items():
        print(f"{name:12} {value}")
    for check in checks:
        print(f"{'right' if check['right'] else 'WRONG':6} {check['name']}: {check['found']}")
        if not check["right"]:
            print(f"       To mend it: {check['mend']}.")
    print("Something is wrong: see above." if wrong else "All is well.")
    return int(wrong)


def _machine(results: Path) -> dict[str, str]:
    import jax

    known = {name: version for name, version in versions().items() if name != "neurula"}
    gigabytes = _memory() / 2**30
    return {
        "neurula": versions()["neurula"],
        "versions": ", ".join(f"{name} {version}" for name, version in known.items()),
        "computer": platform.platform(),
        "cores": str(cores()),
        "memory": f"{gigabytes:.1f} GB" if gigabytes else "unknown",
        "devices": ", ".join(device.device_kind for device in jax.devices()),
        "engine": f"JAX on {jax.default_backend()}, "
        + ("one process per core" if jax.default_backend() == "cpu" else "in one process"),
        "cache": str(jax.config.values["jax_compilation_cache_dir"]),
        "results": str(results),
    }


def _memory() -> int:
    """Bytes of main memory; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _checks(results: Path) -> list[tuple[str, Callable[[], tuple[bool, str]], str]]:
    """Name, check, and what mends it."""
    from . import oracles

    return [
        ("sums of short vectors (jax canary)", oracles.canary, _MEND_JAX),
        ("this jax does not crash on reductions", _jax_version, _MEND_JAX),
        ("firing rate against its formula", oracles.firing_rate, _MEND_ENGINE),
        ("gradient against differences", oracles.gradient, _MEND_ENGINE),
        ("Oja's rule finds the first component", oracles.first_component, _MEND_ENGINE),
        ("dense and sparse wiring agree", oracles.wirings, _MEND_ENGINE),
        ("worker processes start", oracles.workers, "close other programs, or use --workers 1"),
        ("results can be written", lambda: _writable(results), "set NEURULA_RESULTS to a folder"),
        ("compiled programs can be kept", lambda: _writable(cache_folder()),
         "set NEURULA_CACHE to a folder"),
    ]  # fmt: skip


def _check(name: str, check: Callable[[], tuple[bool, str]], mend: str) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        right, found = check()
    except Exception as error:  # a check that crashes is an answer too
        right, found = False, f"{type(error).__name__}: {error}"
    seconds = round(time.perf_counter() - start, 2)
    return {"name": name, "right": right, "found": found, "mend": mend, "seconds": seconds}


def _jax_version() -> tuple[bool, str]:
    return versions()["jax"] != _CRASHES, f"jax {versions()['jax']}"


def _writable(folder: Path) -> tuple[bool, str]:
    probe = folder / f".neurula-doctor-{os.getpid()}"
    try:
        write_whole(probe, b"")
    except Mistake as mistake:
        return False, str(mistake)
    probe.unlink(missing_ok=True)
    return True, str(folder)
