"""Keys of pieces: a digest of everything that determines their numbers."""

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from .lookup import Claim, find
from .piece import Piece

HERE = Path(__file__).parent
# What only hands out, writes down or shows. The rest of the package computes.
_BYSTANDERS = frozenset({
    "__init__", "__main__", "bar", "block_checks", "cache", "cards", "cli", "datasets", "doctor",
    "judging", "keys", "lookup", "mistake", "oracles", "pool", "progress", "records", "report",
    "report_drawings", "report_numbers", "report_tables", "report_words", "requests", "results",
    "runner", "session", "shipping", "storage", "testing", "tuning",
})  # fmt: skip
_PACKAGES = ("jax", "jaxlib", "equinox", "optax", "numpy", "scipy", "scikit-learn")


def piece_key(piece: Piece) -> str:
    """The key of a piece on this computer."""
    import jax

    known = {
        "claim": find(piece.claim).__qualname__,
        "sources": claim_digest(find(piece.claim)),
        "neurula": [versions()["neurula"], package_digest()],
        "versions": {name: versions().get(name) for name in _PACKAGES},
        "device": jax.devices()[0].device_kind,
        "x64": jax.config.values["jax_enable_x64"],
        "fields": piece.fields,
        "arm": piece.arm,
        "seeds": piece.seeds,
        "tuned": piece.tuned,
        "search": piece.search,
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=repr).encode()).hexdigest()


@functools.cache
def versions() -> dict[str, str]:
    """Versions of neurula, of Python and of what computes."""
    found = {"neurula": importlib.metadata.version("neurula"), "python": platform.python_version()}
    for name in _PACKAGES:
        found[name] = importlib.metadata.version(name)
    return found


@functools.cache
def package_digest() -> str:
    """A digest of the package's computing sources; those of claims stand in `claim_digest`."""
    files = [
        file
        for file in sorted(HERE.rglob("*.py"))
        if not (file.parent == HERE and file.stem in _BYSTANDERS)
        and file.relative_to(HERE).parts[0] not in ("claims", "pictures")
    ]
    return _digest(files)


@functools.cache
def claim_digest(claim: Claim) -> str:
    """A digest of the claim's file and of the user's own modules that it imports, and so on."""
    found: dict[str, Path] = {}
    waiting = [claim.__module__]
    while waiting:
        name = waiting.pop()
        if name not in found and (file := _own_file(name, claim)):
            found[name] = file
            waiting += _imports(name, file)
    return _digest([found[name] for name in sorted(found)])


def _own_file(name: str, claim: Claim) -> Path | None:
    """The source of a module, unless it is installed, Python's own, or neurula's machinery."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or (top == "neurula" and "neurula.claims." not in name):
        return None
    file = _file(name)
    if file is None or file.suffix != ".py":
        return None
    paths = sysconfig.get_paths()
    installed = any(file.is_relative_to(paths[place]) for place in ("purelib", "platlib"))
    return None if installed and top != claim.__module__.partition(".")[0] else file


def _file(name: str) -> Path | None:
    if (module := sys.modules.get(name)) is not None:
        where = getattr(module, "__file__", None)
    else:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):  # an attribute, no module
            return None
        where = spec.origin if spec else None
    return Path(where) if where else None


def _imports(name: str, file: Path) -> Iterator[str]:
    """Names of modules that a file may import; some of them are attributes of modules."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _digest(files: list[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
