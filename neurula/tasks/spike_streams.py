"""Streams of spikes that play templates, segment by segment, for circuits that go on living.

Haeusler & Maass (2007), Cereb. Cortex 17:149.
"""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclasses.dataclass(frozen=True)
class SpikeStreams:
    """Two streams of fibres side by side, in segments of equal length.

    Stimuli have the shape (time, fibre) and hold how many spikes a fibre brings in a step. This is
    no task of single examples: a circuit hears one segment after the other and is never reset.
    """

    fibres: int = 40  # of each stream
    rate: float = 20.0  # Hz, of each fibre
    segment: float = 30.0  # ms
    jitter: float = 1.0  # ms, standard deviation
    dt: float = 0.5  # ms

    def patterns(
        self, trials: int, segments: int, rng: np.random.Generator
    ) -> tuple[Float[np.ndarray, "time fibre"], Bool[np.ndarray, "2 trial segment"]]:
        """Trials of `segments` segments, each one of two templates of its stream and place.

        A template is a draw of Poisson trains; each time its spikes are jittered, within the
        segment. Gives the stimuli, and whether they were the second template.
        """
        which = rng.random((2, trials, segments)) < 0.5
        begins = self.segment * np.arange(trials * segments).reshape(trials, -1)
        times, fibres = [], []
        for place, template in np.ndindex(segments, 4):
            number, value = divmod(template, 2)
            spikes = rng.poisson(self.fibres * self.rate * self.segment / 1000)
            when = rng.uniform(0, self.segment, spikes)
            who = number * self.fibres + rng.integers(self.fibres, size=spikes)
            here = begins[which[number, :, place] == value, place]
            late = when + rng.normal(0, self.jitter, (len(here), spikes))
            late = np.clip(late, 0, self.segment - self.dt / 2)
            times.append((here[:, None] + late).ravel())
            fibres.append(np.tile(who, len(here)))
        return self._played(np.concatenate(times), np.concatenate(fibres), trials * segments), which

    def poisson(
        self, segments: int, rates: tuple[float, float], rng: np.random.Generator
    ) -> tuple[Float[np.ndarray, "time fibre"], Int[np.ndarray, "2 segment"]]:
        """Segments without templates, each with a rate drawn for each stream, and their spikes."""
        drawn = rng.uniform(*rates, (2, segments))
        number = rng.poisson(drawn * self.fibres * self.segment / 1000)
        place = np.repeat(np.tile(np.arange(segments), 2), number.ravel())
        times = self.segment * place + rng.uniform(0, self.segment, number.sum())
        fibres = np.repeat([0, self.fibres], number.sum(1))
        fibres = fibres + rng.integers(self.fibres, size=number.sum())
        return self._played(times, fibres, segments), number

    def _played(self, times, fibres, segments: int) -> Float[np.ndarray, "time fibre"]:
        steps = round(segments * self.segment / self.dt)
        stimuli = np.zeros((steps, 2 * self.fibres), np.float32)
        np.add.at(stimuli, (np.minimum((times / self.dt).astype(int), steps - 1), fibres), 1.0)
        return stimuli
