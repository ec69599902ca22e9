"""A sentence of several parts is as true as its weakest part.

Berger (1982), Technometrics 24:295 (intersection-union tests need no correction).
"""

from ..experiment import AbstractTest

_FIRM = ("refuted", "inconclusive", "supported")


def weakest(*parts: AbstractTest) -> AbstractTest:
    """The part with the weakest ruling, of equals the first: a primary test for all of them.

    A second look never makes a ruling firmer, so the choice holds for one look and for two.
    """
    return min(parts, key=lambda part: [_FIRM.index(part.decide(looks=n).ruling) for n in (1, 2)])
