"""What a comparison allows one to say, and what not: made from its numbers, so it cannot drift."""

import numpy as np

from .likeness import Likeness
from .report_numbers import alike, number, p_value

LEVEL = 0.05  # of the tests behind the sentences; after correction for all models
NEVER = (
    "That it works as the brain does: two systems can put the same pairs of stimuli far apart for "
    "other reasons, and with other stimuli they may part.",
    "A share of variance explained: scores are neither squared nor divided by the ceiling.",
)


def may_be_said(found: Likeness, area: str) -> list[str]:
    """Sentences that the numbers of an area bear."""
    scores, chance, k = found.scores[area], found.chance[area], found.best(area)
    score, low, high = alike(scores.score[k], scores.low[k], scores.high[k])
    told = f"{scores.comparison} {score}, {scores.level:.0%} interval {low} to {high}"
    level = f"{number(chance.best)}, which 95 % of {chance.shuffles} shuffles stay below"
    if chance.p[k] >= LEVEL:
        return [
            f"No layer is more like {area} than shuffled stimuli make the best layer (chance: "
            f"{level}). The best is {scores.models[k]}: {told}; p = {p_value(chance.p[k])}."
        ]
    several = f"Of {len(found.layers)} layers, {scores.models[k]}" if len(found.layers) > 1 else (
        scores.models[k]
    )  # fmt: skip
    lines = [
        f"{several} is most like {area}, and more than chance: {told}; the best layer reaches "
        f"{level}; p = {p_value(chance.p[k])}, the choice of the layer included."
    ]
    if scores.low[k] <= 0:
        lines.append(
            "The interval includes 0: these subjects and stimuli agree more than by chance, others "
            "need not."
        )
    lines += [_against(found, area, k, other) for other in found.nulls]
    if scores.ceiling is not None and scores.from_ceiling is not None:
        ends = " to ".join(alike(*scores.ceiling))
        p = scores.from_ceiling.holm[k]
        short = scores.score[k] < scores.ceiling[0] and p < LEVEL
        place = "It stays below that" if short else "The data cannot tell it from the lower end"
        lines.append(
            f"The best possible model would reach {ends} (noise ceiling). {place}, p = "
            f"{p_value(p)} after Holm."
        )
    elif scores.ceiling is not None:
        lines.append(
            f"The responses themselves have a reliability of {number(scores.ceiling[0])} (split "
            "halves), which stands beside the score and is no bound to it."
        )
    return lines


def _against(found: Likeness, area: str, k: int, other: str) -> str:
    """The best layer against a null."""
    scores = found.scores[area]
    at = scores.models.index(other)
    p, gap = scores.differ.holm[k, at], scores.score[k] - scores.score[at]
    verdict = "It beats" if gap > 0 and p < LEVEL else "It is not shown to beat"
    return f"{verdict} {other} ({number(scores.score[at])}), p = {p_value(p)} after Holm."


def may_not_be_said(found: Likeness, area: str) -> list[str]:
    """Sentences that people are tempted to write, and why these numbers do not bear them."""
    scores, k = found.scores[area], found.best(area)
    lines = [*NEVER]
    if not any(name.startswith("untrained") for name in found.nulls):
        lines.append(
            "That training made it alike: no untrained network was compared (--untrained)."
        )
    if not any(name.startswith("pixels") for name in found.nulls):
        lines.append("That it goes beyond the pixels: no stimuli were given (--stimuli).")
    for other in found.nulls:
        at = scores.models.index(other)
        if not (scores.score[k] > scores.score[at] and scores.differ.holm[k, at] < LEVEL):
            lines.append(
                f"That it explains more than {other} does: the data do not tell them apart."
            )
    if len(scores.subjects) == 1:
        lines.append("That it holds for other subjects: there is one. Nor is there a ceiling.")
    if len(found.layers) > 1 and not (found.order and found.order.found):
        asked = "" if found.order else " (--measure layers)"
        lines.append(
            f"That {scores.models[k]} is the counterpart of {area}: some layer is always the best. "
            f"Whether layers map in order onto areas is another test{asked}."
        )
    return lines


def screen(found: Likeness) -> str:
    """Everything in a few lines for a terminal."""
    lines = [*found.notes]
    for area, scores in found.scores.items():
        lines += [f"\n{area}, {len(scores.subjects)} subject(s), {scores.stimuli} stimuli"]
        lines += [scores.table(), "", "It may be said:"]
        lines += [f"  - {line}" for line in may_be_said(found, area)]
        lines += ["It may not be said:"]
        lines += [f"  - {line}" for line in may_not_be_said(found, area)]
    if found.order is not None:
        lines += ["\nOrder of layers along areas", found.order.words]
    return "\n".join(lines).strip("\n")


def matrix(found: Likeness) -> np.ndarray:
    """Scores, layer by area."""
    return np.stack([s.score[: len(found.layers)] for s in found.scores.values()], axis=1)
