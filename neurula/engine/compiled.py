"""Loops, compiled once: kept as files so that the next process finds them."""

import functools
import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..cache import cache_folder
from ..files import whole


@functools.cache
def load(source: str) -> Callable[..., Any]:
    """The `run` of a module's source, compiled when it is first called."""
    name = "neurula_loop_" + hashlib.sha256(source.encode()).hexdigest()[:16]
    path = cache_folder() / "loops" / f"{name}.py"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            with whole(path) as part:
                part.write_text(source)
        return _module(name, path).run
    except OSError:  # nowhere to keep it: compile for this process alone
        module = ModuleType(name)
        exec(compile(source.replace("cache=True", "cache=False"), name, "exec"), vars(module))
        return module.run


def _module(name: str, path: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module
