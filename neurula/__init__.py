"""Build neural networks that are closer to animal brains, and measure whether that helps.

General layout: a plural folder is a shelf of interchangeable parts, a singular file is machinery.
Names are looked up when they are first used, so that `neurula --help` need not import JAX.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        agents as agents,
        cells as cells,
        claims as claims,
        data as data,
        environments as environments,
        evidence as evidence,
        evolvers as evolvers,
        genomes as genomes,
        measures as measures,
        memories as memories,
        neurons as neurons,
        pictures as pictures,
        rules as rules,
        synapses as synapses,
        tasks as tasks,
        testing as testing,
        wirings as wirings,
    )
    from .aligned import Aligned as Aligned, alignments as alignments
    from .automaton import Automaton as Automaton
    from .builders import (
        free as free,
        from_networkx as from_networkx,
        layered as layered,
        looped as looped,
        to_networkx as to_networkx,
    )
    from .contracts import (
        Dissimilarities as Dissimilarities,
        Recording as Recording,
        Sample as Sample,
    )
    from .cortex import cortical as cortical
    from .device import closed_loop as closed_loop
    from .evolution import Evolved as Evolved, evolve as evolve
    from .evolution_on_disk import evolve_on_disk as evolve_on_disk
    from .formats import (
        Recorded as Recorded,
        Series as Series,
        from_nir as from_nir,
        from_nwb as from_nwb,
        to_gymnasium as to_gymnasium,
        to_nir as to_nir,
        to_nwb as to_nwb,
    )
    from .heredity import Life as Life
    from .lifetime import Lived as Lived, act as act, evaluate as evaluate
    from .live import Learned as Learned, examine as examine, learn as learn, many as many
    from .lives import (
        Connected as Connected,
        InWorld as InWorld,
        OnTask as OnTask,
        SharedWeights as SharedWeights,
    )
    from .network import (
        Network as Network,
        Population as Population,
        Projection as Projection,
        lesion as lesion,
        record as record,
        trainable as trainable,
    )
    from .plastic import Plastic as Plastic
    from .response import respond as respond
    from .sample_pool import learn_from_pool as learn_from_pool
    from .simulation import (
        Simulated as Simulated,
        simulate as simulate,
        simulate_many as simulate_many,
    )
    from .storage import load as load, save as save
    from .symmetric import (
        autoencoder as autoencoder,
        boltzmann as boltzmann,
        relaxing as relaxing,
        two_way as two_way,
    )

__version__ = version("neurula")

_SHELVES = (
    "agents", "cells", "claims", "data", "environments", "evidence", "evolvers", "genomes",
    "measures", "memories", "neurons", "pictures", "rules", "synapses", "tasks", "testing",
    "wirings",
)  # fmt: skip
_HOMES = {
    "automaton": ("Automaton",),
    "builders": ("free", "from_networkx", "layered", "looped", "to_networkx"),
    "device": ("closed_loop",),
    "contracts": ("Dissimilarities", "Recording", "Sample"),
    "cortex": ("cortical",),
    "aligned": ("Aligned", "alignments"),
    "evolution": ("Evolved", "evolve"),
    "evolution_on_disk": ("evolve_on_disk",),
    "formats": ("Recorded", "Series", "from_nir", "from_nwb", "to_gymnasium", "to_nir", "to_nwb"),
    "heredity": ("Life",),
    "lifetime": ("Lived", "act", "evaluate"),
    "live": ("Learned", "examine", "learn", "many"),
    "lives": ("Connected", "InWorld", "OnTask", "SharedWeights"),
    "network": (
        "Network", "Population", "Projection", "lesion", "record", "trainable",
    ),
    "plastic": ("Plastic",),
    "response": ("respond",),
    "sample_pool": ("learn_from_pool",),
    "simulation": ("Simulated", "simulate", "simulate_many"),
    "storage": ("load", "save"),
    "symmetric": ("autoencoder", "boltzmann", "relaxing", "two_way"),
}  # fmt: skip
_WHERE = {name: home for home, names in _HOMES.items() for name in names}
__all__ = ["__version__", *_SHELVES, *_WHERE]


def __getattr__(name: str) -> Any:
    if name in _SHELVES:
        return importlib.import_module(f".{name}", __name__)
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"neurula has no {name!r}. It has: {', '.join(sorted(__all__))}.")


def __dir__() -> list[str]:
    return sorted(__all__)
