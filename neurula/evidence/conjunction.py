"""A sentence of several parts: as true as its weakest part, or true of at least some of them.

Berger (1982), Technometrics 24:295 (intersection-union tests need no correction); Benjamini &
Heller (2008), Biometrics 64:1215 (of partial conjunctions, that at least some of all hold).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from ..experiment import AbstractTest, Finding

_FIRM = ("refuted", "inconclusive", "supported")


def weakest(*parts: AbstractTest) -> AbstractTest:
    """The part with the weakest ruling, of equals the first: a primary test for all of them.

    A second look never makes a ruling firmer, so the choice holds for one look and for two.
    """
    return min(parts, key=lambda part: [_FIRM.index(part.decide(looks=n).ruling) for n in (1, 2)])


@dataclasses.dataclass(frozen=True, eq=False)
class AtLeast(AbstractTest):
    """At least `least` of several sentences hold, each of which holds if all its tests do.

    Of n sentences each is asked at 1 - 0.05 / (n - least + 1), Bonferroni's correction for partial
    conjunctions, and is as firm as its weakest test. The ruling is that of the sentence that comes
    at place `least` when the firmest comes first (of equals the larger effect); its effect and
    interval are those that are told.
    """

    kind: ClassVar[str] = "at least"
    sentences: Mapping[str, tuple[AbstractTest, ...]]
    least: int

    def __post_init__(self):
        if not 1 <= self.least <= len(self.sentences) or not all(self.sentences.values()):
            raise ValueError(
                f"At least {self.least} of {len(self.sentences)} sentences cannot be asked, nor "
                "one without a test. Name 1 to all of them: `AtLeast({'maze': (test,)}, 1)`."
            )

    @property
    def correction(self) -> int:
        """By how much the error of each sentence is smaller than that of all."""
        return len(self.sentences) - self.least + 1

    def decide(self, *, looks: int = 1) -> Finding:
        return self._middle(looks)[1]

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        test, _ = self._middle(looks)
        ruled = [self._each(tests, looks)[1].ruling for tests in self.sentences.values()]
        found = test.describe(looks=looks * self.correction)
        told = {f"sentences {r}": float(ruled.count(r)) for r in _FIRM}
        return found | {"detail": told | found.get("detail", {})}

    def _each(self, tests: tuple[AbstractTest, ...], looks: int) -> tuple[AbstractTest, Finding]:
        """The weakest test of a sentence."""
        found = [(test, test.decide(looks=looks * self.correction)) for test in tests]
        return min(found, key=lambda pair: _firmness(pair[1]))

    def _middle(self, looks: int) -> tuple[AbstractTest, Finding]:
        found = [self._each(tests, looks) for tests in self.sentences.values()]
        return sorted(found, key=lambda pair: _firmness(pair[1]), reverse=True)[self.least - 1]

    def rule_in_words(self) -> str:
        one = next(iter(self.sentences.values()))[0].rule_in_words()
        return (
            f"Of {', '.join(self.sentences)} at least {self.least} have to be supported, at "
            f"{1 - 0.05 / self.correction:.1%} each; refuted if so many are refuted that fewer are "
            "left. Each is as firm as the weakest of its comparisons, which are ruled, with that "
            f"level for 95 %, by: {one}"
        )


def _firmness(finding: Finding) -> tuple[int, float]:
    return _FIRM.index(finding.ruling), finding.estimate
