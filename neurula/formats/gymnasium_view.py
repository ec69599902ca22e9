"""Environments of ours for the agents of others, who expect Gymnasium's.

Towers et al. (2024), arXiv:2407.17032.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from ..behaviour import AbstractEnvironment, Box, Space
from ..extras import needed


def to_gymnasium(
    environment: AbstractEnvironment, *, render: Callable[[Any], str | np.ndarray] | None = None
) -> Any:
    """A `gymnasium.Env` of an environment; its steps are compiled.

    Spaces are the same, with Gymnasium's types: numbered things are its integers, arrays NumPy's
    float32. All chance follows from `reset(seed=...)`. Terminated and truncated come apart, and an
    episode goes on only after a reset. `render(world)` draws a state of the world: a text
    (`render_mode` "ansi") or an array (y, x, colour) of bytes ("rgb_array"). The world's state is
    `.world`.

    Raises `ImportError` without the extra `environments`, `ValueError` for a drawing that is
    neither and, in `step`, for actions outside the space.
    """
    if not isinstance(environment, AbstractEnvironment):
        raise TypeError(
            f"Expected an environment of neurula's, got {environment!r}: there is nothing to "
            "translate. Write for example to_gymnasium(maze())."
        )
    needed("gymnasium", "environments")
    return _view()(environment, render)


@functools.cache
def _view() -> type:
    """The class, made where Gymnasium is there."""
    import gymnasium

    class View(gymnasium.Env):
        """One of neurula's environments, as Gymnasium has them."""

        metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 30}  # noqa: RUF012

        def __init__(self, environment: AbstractEnvironment, draw: Any):
            self.environment, self.draw, self.world = environment, draw, None
            sees, does = environment.observations, environment.actions
            self.observation_space, self.action_space = _space(sees), _space(does)
            self._deed, self._boxed = np.dtype(does.dtype), isinstance(sees, Box)
            self.render_mode = None if draw is None else _mode(environment, draw)

            def shown(world: Any, event: Any) -> tuple:
                return world, event.observation, event.reward, event.terminated, event.truncated

            def begin(key: Any) -> tuple:
                return shown(*environment.reset(key=jax.random.wrap_key_data(key)))

            def step(world: Any, action: Any, key: Any, number: Any) -> tuple:
                # chance follows from the episode's key and the number of the step
                moved = jax.random.fold_in(jax.random.wrap_key_data(key), number)
                return shown(*environment.step(world, action, key=moved))

            self._begin, self._next = jax.jit(begin), jax.jit(step)

        def reset(self, *, seed: int | None = None, options: dict | None = None) -> Any:
            super().reset(seed=seed)
            key = jax.random.key(self.np_random.integers(2**31))
            first, self._key = np.asarray(jax.random.key_data(jax.random.split(key)))
            self.world, seen, *_ = self._begin(first)
            self._number = np.int32(0)
            return self._seen(seen), {}

        def step(self, action: Any) -> Any:
            if self.world is None:
                raise ValueError(
                    "An episode begins with a reset, and `step` came first: there is nothing yet "
                    "to act on. Call `reset(seed=0)` before."
                )
            deed = np.asarray(action)
            if np.can_cast(deed.dtype, self._deed, "same_kind"):
                deed = deed.astype(self._deed)
            if not self.action_space.contains(deed):
                raise ValueError(
                    f"The action {action!r} lies outside {self.action_space}: what the world does "
                    "with it would mean nothing. Clip or round it, or draw one by "
                    "`action_space.sample()`."
                )
            found = self._next(self.world, deed, self._key, self._number)
            self.world, seen, reward, ended, late = found
            self._number += np.int32(1)
            return self._seen(seen), float(reward), bool(ended), bool(late), {}

        def render(self) -> Any:
            return None if self.draw is None or self.world is None else self.draw(self.world)

        def _seen(self, seen: Any) -> Any:
            seen = np.array(seen)  # a copy, that others may write to
            return seen if self._boxed else np.int64(seen)

    return View


def _space(ours: Space) -> Any:
    from gymnasium import spaces

    if isinstance(ours, Box):
        return spaces.Box(ours.low, ours.high, ours.shape, np.float32)
    return spaces.Discrete(ours.size)


def _mode(environment: AbstractEnvironment, draw: Callable) -> str:
    """Texts or pictures, as the first drawing says."""
    drawn = draw(environment.reset(key=jax.random.key(0))[0])
    if isinstance(drawn, str):
        return "ansi"
    shape = getattr(drawn, "shape", ())
    if len(shape) != 3 or shape[2] != 3 or drawn.dtype != np.uint8:
        found = f"{type(drawn).__name__} {getattr(drawn, 'dtype', '')} {list(shape)}".strip()
        raise ValueError(
            f"`render` gives {found}, expected a text or an array of bytes (y, x, 3): Gymnasium "
            "shows nothing else. For example render=lambda world: str(world)."
        )
    return "rgb_array"
