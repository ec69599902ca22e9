"""Say at a call which symbol was shown before a delay.

Bellec, Salaj, Subramoney, Legenstein & Maass 2018, NeurIPS 31, 787 (store and recall).
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Integer, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, require, require_exam, split_key
from .marking import accuracy, cross_entropy


class StoreRecall(AbstractTask):
    """A symbol for `cue` steps, a delay, and for `call` steps a call to name the symbol.

    One line for every symbol and one for the call, 1 while it lasts and 0 otherwise, all behind
    Gaussian noise that is new in every step. The delay runs from the end of the symbol to the
    beginning of the call and is one of `delays`; the call ends the example, noise alone fills its
    beginning. The answer is the mean output during the call. An exam goes through symbols and
    delays in turn: (repeat x delay x symbol).
    """

    delays: tuple[int, ...] = (5, 10, 20, 40)  # time steps
    cue: int = 10  # time steps
    call: int = 5  # time steps
    symbols: int = 2
    noise: float = 0.1  # standard deviation
    exam_size: int = 1000  # examples

    def __check_init__(self):
        require(
            len(self.delays) >= 1 and min(self.delays) >= 0,
            f"StoreRecall expects one or more delays of 0 or more, got {self.delays}",
            "They are time steps between a symbol and the call for it",
            "StoreRecall(delays=(10, 40))",
        )
        require(
            self.cue >= 1 and self.call >= 1 and self.symbols >= 2 and self.noise >= 0,
            "StoreRecall expects cue and call of 1 or more, 2 symbols or more and noise of 0 or "
            f"more, got {self.cue}, {self.call}, {self.symbols} and {self.noise}",
            "Otherwise nothing is shown, asked or to be told apart",
            "StoreRecall(cue=10, call=5, symbols=2, noise=0.1)",
        )
        require_exam(self, self.exam_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.cue + max(self.delays) + self.call, self.symbols + 1, self.symbols

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        which, how = jr.split(split_key(key, split))
        symbol, delay = jr.uniform(which, (2,))
        delays = jnp.array(self.delays)
        return self._show(below(self.symbols, symbol), delays[below(len(delays), delay)], how)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        turn = jnp.arange(self.exam_size)
        delays = jnp.array(self.delays)[turn // self.symbols % len(self.delays)]
        keys = jr.split(split_key(key, split), self.exam_size)
        return jax.vmap(self._show)(turn % self.symbols, delays, keys)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return cross_entropy(*self._answer(outputs, sample))

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return accuracy(*self._answer(outputs, sample))

    def _answer(
        self, outputs: Float[Array, "time out"], sample: Sample
    ) -> tuple[Float[Array, "1 out"], Sample]:
        mean = jnp.mean(outputs[-self.call :], axis=0, keepdims=True)
        target = None if sample.target is None else sample.target[-1:]
        return mean, Sample(sample.stimuli[-1:], target)

    def _show(
        self, symbol: Integer[Array, ""], delay: Integer[Array, ""], key: PRNGKeyArray
    ) -> Sample:
        steps, _, _ = self.shape
        now = jnp.arange(steps)
        begin = steps - self.call - delay - self.cue
        told = jax.nn.one_hot(symbol, self.symbols)
        shown = ((now >= begin) & (now < begin + self.cue)).astype(jnp.float32)
        called = (now >= steps - self.call).astype(jnp.float32)
        lines = jnp.concatenate([shown[:, None] * told[None], called[:, None]], axis=1)
        noise = self.noise * jr.normal(key, lines.shape)
        target = jnp.broadcast_to(told[None], (steps, self.symbols))
        return Sample(lines + noise, target, called)
