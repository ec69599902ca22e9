"""Packages that few need come with extras: import them, or say how to get them."""

import importlib
from typing import Any


def needed(package: str, extra: str) -> Any:
    """Import an optional package, or raise `ImportError` that names the extra it comes with."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise ImportError(
            f"Expected the package {package!r}, which is not installed: it comes with an extra, "
            f"because few need it. Install it: `pip install 'neurula[{extra}]'`."
        ) from None
