"""Several ways from one population to another, as the one projection that may join them."""

import dataclasses
import graphlib
import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..populations import Projection
from .nir_paths import Way


def existing(ways: list[Way]) -> Any:
    """Where connections are, if the writer noted it for all ways."""
    noted = [way.about["exists"] for way in ways if "exists" in way.about]
    if len(noted) < len(ways):
        return None
    everywhere = np.logical_or.reduce(noted)
    return None if everywhere.all() else jnp.asarray(everywhere, bool)


def joined(name: str, ways: list[Way]) -> tuple[np.ndarray, np.ndarray]:
    """Weights and delays of ways side by side, if no connection needs two delays."""
    shape = next(way.weight.shape for way in ways if np.ndim(way.weight) == 2)  # ty: ignore
    weight, steps = np.zeros(shape), np.zeros(shape, int)
    for way in ways:
        value = np.ones(shape[0]) if way.weight is None else way.weight
        value = np.diag(value) if value.ndim == 1 else value
        there = way.about.get("exists", value != 0).astype(bool)
        late = np.broadcast_to(way.steps, shape)
        if clash := int((there & (weight != 0) & (steps != late)).sum()):
            raise ValueError(
                f"A connection has one delay here, but {clash} of those from {name} have two: "
                "there are several ways between the same cells. Put a `nir.Scale` by one with the "
                'metadata {"population": 1} into one of them: it becomes a population.'
            )
        weight, steps = weight + value, np.where(there, late, steps)
    used = np.logical_or.reduce([way.about.get("exists", way.weight != 0) for way in ways])
    least = steps[used].min() if used.any() else 0
    if least == 0 and steps.max() > 0:
        raise ValueError(
            f"Connections with a delay take a step or more here, but of those from {name} some "
            f"take none and others up to {steps.max()}. Give all of them one, or none."
        )
    return weight, np.where(used, steps, least)


def loosened(projections: list[Projection], senses: list[str]) -> list[Projection]:
    """The projections with one step of delay wherever a loop has none."""
    depth = dict.fromkeys(senses, 0)
    for name in (queue := list(senses)):
        for p in projections:
            if p.source == name and p.target not in depth:
                depth[p.target] = depth[name] + 1
                queue.append(p.target)
    while True:
        before: dict[str, set[str]] = {}
        for p in projections:
            if p.delay == 0:
                before.setdefault(p.target, set()).add(p.source)
        try:
            list(graphlib.TopologicalSorter(before).static_order())
            return projections
        except graphlib.CycleError as error:
            loop = error.args[1]
            links = itertools.pairwise(loop)
            back = max(links, key=lambda ab: depth.get(ab[0], 0) - depth.get(ab[1], 0))
            projections = [
                dataclasses.replace(p, delay=1) if (p.source, p.target) == back else p
                for p in projections
            ]
