"""Puts numbers and records into words: what a report says is generated, so that it cannot drift."""

from typing import Any

import numpy as np

from .health import advice
from .report_numbers import MINUS, alike, listed, number, p_value, seconds

Record = dict[str, Any]

ROLES = {
    "brain": "brain-inspired",
    "control": "control",
    "sham": "sham: the mechanism is there, its information destroyed",
    "probe": "probe: it describes, and judges nothing",
}
BOTH_SIDES = ("parity", "identity")  # kinds that are supported between -margin and margin
SAME = 0.01  # costs that differ by less than this share count as matched


def settings(values: dict[str, Any]) -> str:
    """Settings in one line."""
    return ", ".join(f"{name} = {number(value)}" for name, value in values.items()) or "none"


def interval(finding: Record) -> str:
    """What the low and high of a finding are."""
    return (
        "range over seeds"
        if finding["level"] >= 1
        else f"{100 * finding['level']:g}\N{NO-BREAK SPACE}% interval"
    )


def status(record: Record) -> str:
    """`smoke`, `variant`, or nothing for a run that rules."""
    run = record["run"]
    return "smoke" if run["budget"] == "smoke" else "variant" if run["variant"] else ""


def effect(record: Record) -> str:
    """The finding in one sentence of numbers."""
    found = record["verdict"]["finding"]
    if found is None:
        return ""
    estimate, low, high = alike(found["estimate"], found["low"], found["high"])
    words = (
        f"Effect {estimate} {record['card']['unit']}, {interval(found)} {low} to {high}; margin "
        f"{number(found['margin'])}; n = {found['n']}"
    )
    return words + ("." if found["p"] is None else f"; p\N{NO-BREAK SPACE}{p_value(found['p'])}.")


def reason(record: Record) -> str:
    """Why the ruling is what it is."""
    verdict, found = record["verdict"], record["verdict"]["finding"]
    if found is None:
        return " ".join(verdict["problems"]) or "No test could be made."
    failed = [f"{g['says']} (found: {g['found']})" for g in verdict["gates"] if not g["held"]]
    if failed:
        why = f"A gate failed, so the experiment does not bear on the claim: {'; '.join(failed)}."
    elif verdict["ruling"] != found["ruling"]:
        why = f"The numbers alone would say {found['ruling']}, but the problems below weaken it."
    else:
        why = _facts(verdict["kind"], found)
    if verdict["seeds_needed"]:
        why += f" About {verdict['seeds_needed']} seeds would decide it with 80 % power."
    return why


def _facts(kind: str, found: Record) -> str:
    """What the interval does, for the kinds of evidence that rule by one."""
    ruling, margin = found["ruling"], number(found["margin"])
    if kind == "identity":
        return {
            "supported": "Every seed is within the tolerance, and none is without the mechanism.",
            "refuted": "At least one seed is beyond the tolerance.",
            "inconclusive": "The arm without the mechanism passes too, so the test tells nothing.",
        }[ruling]
    if ruling == "inconclusive" and found["n"] < 8:
        return f"Only {found['n']} seeds: fewer than 8 never rule."
    if kind == "parity":
        return {
            "supported": f"The whole interval lies within {margin} of zero on both sides.",
            "refuted": f"The whole interval lies below {MINUS}{margin}.",
            "inconclusive": f"The interval reaches beyond {margin} from zero, but not wholly.",
        }[ruling]
    known = found["low"] is not None and found["estimate"] is not None
    short = (
        "The interval lies above zero, but the estimate stays below the margin of"
        if known and found["low"] > 0 > found["estimate"] - found["margin"]
        else "The interval includes zero, and reaches the margin of"
    )
    return {
        "supported": f"The interval lies above zero, and the estimate reaches the margin {margin}.",
        "refuted": f"The whole interval lies below {margin}, the smallest effect that matters.",
        "inconclusive": f"{short} {margin}: the data do not decide.",
    }[ruling]


def activity(record: Record) -> list[str]:
    """What looks wrong with the spikes of an arm: in how many seeds, and the worst of them."""
    lines = []
    for arm, about in record["arms"].items():
        shares = about.get("health") or {}
        for name in shares:
            values = [0.0 if value is None else value for value in shares[name]]
            alone = {"silent": 0.0, "saturated": 0.0, name: max(values)}
            told = advice(alone["silent"], alone["saturated"], "cells")
            seed = record["run"]["seeds"][int(np.argmax(values))]
            lines += [f"{arm}, worst in seed {seed}: {words}" for words in told]
    return lines


def protocol(record: Record) -> list[tuple[str, str]]:
    """The experiment in words, from the record alone: (term, what holds)."""
    card, run, verdict = record["card"], record["run"], record["verdict"]
    gates = "; ".join(gate["says"] for gate in verdict["gates"])
    budget = f"{run['budget']}: {seconds(run['seconds'])} of work on {run['device']}"
    found = verdict["finding"] or {}
    lines = [
        ("Seeds", _seeds(record)),
        ("Tuning", _tuning(record)),
        ("Matched", matched(record)),
        ("Effect", f"in {card['unit']}; margin {number(card['margin'])}, fixed beforehand"),
        ("Rule", card["rule"] or "none was applied"),
        ("Looks", f"{verdict['looks']}, at {interval(found)}s" if found else ""),
        ("Refuted if", card["refuted_if"]),
        ("Expected beforehand", card["expected"]),
        ("Gates", gates or "none"),
        ("Data", ", ".join(card["data"]) or "generated, none needed"),
        ("Settings", settings(run["settings"])),
        ("Changed settings", settings(run["changed"]) if run["changed"] else ""),
        ("Budget", f"{budget}, {run['cores']} cores"),
    ]
    return [(term, text) for term, text in lines if text]


def _seeds(record: Record) -> str:
    seeds = record["run"]["seeds"]
    if not seeds or not record["arms"]:
        return ""
    return (
        f"{len(seeds)} ({listed(seeds)}) for every arm. A seed gives all arms the same random key, "
        f"so that results pair up seed by seed."
    )


def _tuning(record: Record) -> str:
    tuning, arms = record["tuning"], record["arms"]
    if tuning:
        return (
            f"{tuning['trials']} trials for every arm on tuning data and seeds "
            f"{listed(tuning['seeds'])}, before the seeds above were touched"
        )
    if any(arm["settings"] for arm in arms.values()):
        return "settings were found earlier and are frozen"
    return "nothing is tuned" if arms else ""


def matched(record: Record) -> str:
    """Which costs are equal in all arms that judge, and which are not."""
    roles = {arm: about["role"] for arm, about in record["card"]["arms"].items()}
    judging = [one["costs"] for arm, one in record["arms"].items() if roles.get(arm) != "probe"]
    same, different = [], []
    for name in dict.fromkeys(name for costs in judging for name in costs if name != "seconds"):
        values = [costs.get(name) for costs in judging]
        if None in values:
            different.append(f"{name} (not counted in every arm)")
        elif max(values) - min(values) <= SAME * abs(max(values)):
            same.append(name)
        else:
            different.append(f"{name} ({number(min(values))} to {number(max(values))})")
    parts = [f"{', '.join(same)} are equal in all arms"] if same else []
    parts += [f"not matched: {', '.join(different)}"] if different else []
    return "; ".join(parts)


def scores_in_words(arms: dict[str, np.ndarray]) -> str:
    """What the picture of raw values shows, for those who cannot see it."""
    return " ".join(f"{arm}: {_spread(values)}." for arm, values in arms.items())


def _spread(values: np.ndarray) -> str:
    there = values[np.isfinite(values)]
    if not len(there):
        return "no value"
    mean, low, high = alike(float(there.mean()), float(there.min()), float(there.max()))
    lost = len(values) - len(there)
    missing = f", {lost} missing" if lost else ""
    return f"mean {mean}, from {low} to {high} over {len(there)} seeds{missing}"


def curves_in_words(arms: dict[str, np.ndarray]) -> str:
    """What learning curves show: where the means begin and end."""
    sentences = []
    for arm, values in arms.items():
        means = [
            column[np.isfinite(column)].mean() for column in values.T if np.isfinite(column).any()
        ]
        told = (
            f"from {number(means[0])} to {number(means[-1])} in the mean" if means else "no value"
        )
        sentences.append(f"{arm}: {told}.")
    return " ".join(sentences)


def picture_in_words(figure: Record) -> str:
    """What a claim's own picture holds, as far as its axes and names tell."""
    layout = figure.get("layout", {})
    titles = [
        text
        for axis in ("xaxis", "yaxis")
        if (text := ((layout.get(axis) or {}).get("title") or {}).get("text"))
    ]
    names = [str(trace["name"]) for trace in figure.get("data", ()) if trace.get("name")]
    kinds = sorted({trace.get("type", "scatter") for trace in figure.get("data", ())})
    parts = [f"A picture of the kind {', '.join(kinds)}" if kinds else "An empty picture"]
    parts += [f"axes: {' and '.join(titles)}"] if titles else []
    parts += [f"showing {', '.join(dict.fromkeys(names))}"] if names else []
    return "; ".join(parts) + "."
