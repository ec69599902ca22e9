"""Brain data of the data shelf as what measures take."""

from collections.abc import Mapping

import numpy as np

from .recordings import Dissimilarities


def brain92(arrays: Mapping[str, np.ndarray] | None = None) -> dict[str, Dissimilarities]:
    """The dissimilarities of the set `brain92`, by area; "models" has one subject a model.

    Human IT has 4 subjects with 2 sessions each, monkey IT 1 (a pool of two animals), human early
    visual cortex 1 (a group of people). All are 1 - Pearson's r of response patterns.

    Raises `FileNotFoundError` where the set is not on this computer and no arrays are given.

    Source: Kriegeskorte et al. (2008), Neuron 60:1126-1141.
    """
    if arrays is None:
        from .data import load

        arrays = load("brain92")
    stimuli = tuple(str(name) for name in arrays["names"])

    def of(values: np.ndarray, *subjects: str) -> Dissimilarities:
        shape = len(subjects), -1, values.shape[-1]
        return Dissimilarities(
            values.reshape(shape), stimuli, subjects, "1 - Pearson correlation", "brain92"
        )

    return {
        "human IT": of(arrays["human_it"], *map(str, arrays["human_it_subjects"])),
        "monkey IT": of(arrays["monkey_it"], "monkeys"),
        "early visual": of(arrays["early_visual"], "people"),
        "models": of(arrays["models"], *map(str, arrays["model_names"])),
    }
