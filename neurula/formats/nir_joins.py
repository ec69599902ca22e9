"""Several ways from one population to another, as the one projection that may join them."""

import dataclasses
import graphlib
import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..populations import Projection
from .nir_paths import Way


def joined(
    name: str, ways: list[Way], shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Weights, delays and places of ways side by side, if no connection needs two delays."""
    weight, steps, used = np.zeros(shape), np.zeros(shape, int), np.zeros(shape, bool)
    for way in ways:
        value = _square(np.ones(shape[0]) if way.weight is None else way.weight)
        there = _square(way.about["exists"]) if "exists" in way.about else value != 0
        late = np.broadcast_to(way.steps, shape)
        if clash := int((there & used & (steps != late)).sum()):
            raise ValueError(
                f"A connection has one delay here, but {clash} of those from {name} have two: "
                "there are several ways between the same cells. Put a `nir.Scale` by one with the "
                'metadata {"population": 1} into one of them: it becomes a population.'
            )
        weight, steps, used = weight + value, np.where(there, late, steps), used | there
    least = int(steps[used].min()) if used.any() else 0
    if least == 0 and steps.max() > 0:
        raise ValueError(
            f"Connections with a delay take a step or more here, but of those from {name} some "
            f"take none and others up to {steps.max()}. Give all of them one, or none."
        )
    noted = all("exists" in way.about for way in ways) and not used.all()
    return weight, np.where(used, steps, least), jnp.asarray(used) if noted else None


def _square(values: np.ndarray) -> np.ndarray:
    return np.diag(values) if values.ndim == 1 else values


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
