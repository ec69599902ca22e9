"""Imports what a user wrote, by module or by file; what goes wrong becomes one line."""

import hashlib
import importlib
import importlib.util
import os
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType

from .mistake import Mistake


def load_file(file: Path) -> ModuleType:
    """Import a file. Modules that lie beside it can be imported by it."""
    if not file.is_file():
        raise Mistake(
            f"Expected a Python file at {file}, and there is none. Paths count from {Path.cwd()}. "
            f"Examples to start from: examples/ in neurula's repository."
        )
    file = file.resolve()
    name = file.stem
    if name in sys.modules or name in sys.stdlib_module_names or not name.isidentifier():
        name = f"claims_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs, so that cyclic imports show as such
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _broken(str(file), error) from error
    return module


def import_by_name(name: str) -> ModuleType:
    """Import a module, as Python would from the current folder."""
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise _broken(name, error) from error


def _broken(where: str, error: BaseException) -> Mistake:
    """One line: the exception, and the line of the user's code that raised it."""
    paths = sysconfig.get_paths()
    others = (__file__, "<frozen", paths["stdlib"], paths["purelib"], paths["platlib"])
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(others)]
    place = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    if isinstance(error, SyntaxError) and error.lineno:
        place = f" ({error.filename}, line {error.lineno})"
    said = " ".join(str(getattr(error, "msg", None) or error).split())
    mend = "Mend that line"
    if isinstance(error, ModuleNotFoundError):
        mend = f"Install {error.name}, or run from the folder that holds it (now {Path.cwd()})"
    elif isinstance(error, ImportError) and ("circular" in said or error.name == Path(where).stem):
        mend = "Two modules import each other: move what both need into a third one"
    return Mistake(
        f"Expected {where} to import, and it raised {type(error).__name__}: {said}{place}. {mend}."
    )
