"""Say a list again after a delay: as it was, backwards, or with one item replaced.

Forward and backward span: Wechsler (1939), The Measurement of Adult Intelligence; one item
replaced: Yntema & Mueser (1960), J. Exp. Psychol. 60:18; what is kept and worked on: Baddeley
(2003), Nat. Rev. Neurosci. 4:829.
"""

from typing import Literal

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, draw_exam, require, require_exam, split_key
from .marking import accuracy, cross_entropy


class Lists(AbstractTask):
    """A symbol a step, a delay, then a call for one symbol of the list a step.

    Lines: one for every symbol, one for the call (1 while the answer is due), one for every place
    in the list. The delay is one of `delays`, and nothing tells which; the call ends the example,
    steps of silence fill its beginning. In the middle of the delay of an "updated" list one symbol
    is shown together with the line of a place: it replaces the symbol there. The list is wanted
    from the first item to the last, or from the last to the first ("backward").
    """

    order: Literal["forward", "backward", "updated"] = "forward"
    items: int = 4
    delays: tuple[int, ...] = (5, 10, 15)  # time steps
    symbols: int = 4
    exam_size: int = 1000  # examples

    def __check_init__(self):
        require(
            self.items >= 1 and self.symbols >= 2 and min(self.delays, default=0) >= 1,
            "Lists expects items and delays of 1 or more and 2 symbols or more, got "
            f"{self.items}, {self.delays} and {self.symbols}",
            "Otherwise nothing has to be remembered",
            "Lists(items=4, delays=(5, 10), symbols=4)",
        )
        require_exam(self, self.exam_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        lines = self.symbols + 1 + self.items
        return 2 * self.items + max(self.delays), lines, self.symbols

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        draws = jr.uniform(split_key(key, split), (self.items + 3,))
        items = jax.nn.one_hot(below(self.symbols, draws[: self.items]), self.symbols)
        place = jax.nn.one_hot(below(self.items, draws[-3]), self.items)
        new = jax.nn.one_hot(below(self.symbols, draws[-2]), self.symbols)
        delay = jnp.array(self.delays)[below(len(self.delays), draws[-1])]
        time, _, _ = self.shape
        listed = jnp.pad(items, ((0, time - self.items), (0, 1 + self.items)))
        stimuli = jnp.roll(listed, max(self.delays) - delay, axis=0)
        stimuli = stimuli.at[-self.items :, self.symbols].set(1.0)
        if self.order == "updated":
            news = jnp.concatenate([new, jnp.zeros(1), place])
            stimuli = stimuli.at[time - self.items - (delay + 1) // 2].set(news)
            items = items + place[:, None] * (new[None] - items)
        wanted = items[::-1] if self.order == "backward" else items
        target = jnp.zeros((time, self.symbols)).at[-self.items :].set(wanted)
        return Sample(stimuli, target, stimuli[:, self.symbols])

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return draw_exam(self, split, self.exam_size, key=key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return cross_entropy(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return accuracy(outputs, sample)
