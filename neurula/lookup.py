"""Finds claims: our own by their id, the user's by module or by file."""

import difflib
import functools
import re
from pathlib import Path
from types import ModuleType

from .experiment import AbstractClaim
from .importing import import_by_name, load_file
from .mistake import Mistake

Claim = type[AbstractClaim]


@functools.cache
def shipped() -> dict[str, Claim]:
    """The claims that come with neurula, by id, in the order of their shelf."""
    from . import claims

    return {each.name(): each for each in vars(claims).values() if _is_claim(each)}


@functools.cache
def find(name: str) -> Claim:
    """The claim of an id, a `package.module:Class` or a `path/to/file.py[:Class]`.

    Raises `Mistake` where there is none, or where its module does not import.
    """
    if name in shipped():
        return shipped()[name]
    if file := re.fullmatch(r"(.+\.py)(?::(\w+))?", name):
        claim = _pick(load_file(Path(file[1])), file[2], file[1])
    elif module := re.fullmatch(r"(\w+(?:\.\w+)*):(\w+)", name):
        claim = _pick(import_by_name(module[1]), module[2], module[1])
    else:
        raise _unknown(name)
    if claim.name() in shipped() and shipped()[claim.name()] is not claim:
        raise Mistake(
            f"{name} is a claim called {claim.name()!r}, and neurula has one of that name. Their "
            f"rulings would be mixed up. Rename the class {claim.__name__}."
        )
    try:
        claim()
    except Exception as error:
        raise Mistake(
            f"The claim {name} should be complete without arguments, and it is not: "
            f"{type(error).__name__}: {error}. Give every field a default and write every method "
            f"that AbstractClaim asks for."
        ) from error
    return claim


def address(name: str) -> str:
    """What finds the same claim from another folder: paths in full, with the class."""
    claim = find(name)
    if file := re.fullmatch(r"(.+\.py)(?::(\w+))?", name):
        return f"{Path(file[1]).resolve()}:{claim.__name__}"
    return name


def _is_claim(thing: object) -> bool:
    return (
        isinstance(thing, type)
        and issubclass(thing, AbstractClaim)
        and not thing.__name__.startswith("Abstract")
    )


def _unknown(name: str) -> Mistake:
    near = difflib.get_close_matches(name.lower(), shipped(), n=3, cutoff=0.4)
    nearest = f"Nearest: {', '.join(near)}. " if near else ""
    return Mistake(
        f"Expected the id of a claim, and got {name!r}. There is no such claim. {nearest}All of "
        f"them: neurula list. One of your own: package.module:Class or path/to/file.py:Class"
    )


def _pick(module: ModuleType, wanted: str | None, where: str) -> Claim:
    """The claim of that name; without a name, the only one that the module defines."""
    own = [
        name
        for name, thing in vars(module).items()
        if _is_claim(thing) and thing.__module__ == module.__name__
    ]
    claims = f"Its claims: {', '.join(own)}." if own else "It defines no claim."
    if wanted is None:
        if len(own) == 1:
            return getattr(module, own[0])
        raise Mistake(
            f"Expected one claim in {where}, and found {len(own)}. {claims} Name one: "
            f"neurula run {where}:{own[0] if own else 'MyClaim'}"
        )
    if not hasattr(module, wanted):
        raise Mistake(f"Expected a class {wanted} in {where}, and there is none. {claims}")
    if not _is_claim(thing := getattr(module, wanted)):
        raise Mistake(
            f"Expected a claim, and {wanted} in {where} is none: it does not derive from "
            f"AbstractClaim. {claims} Write: class {wanted}(neurula.experiment.AbstractClaim)"
        )
    return thing
