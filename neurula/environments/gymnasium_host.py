"""What runs in Python beside a compiled program: copies of a Gymnasium environment."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..extras import needed

Answer = tuple[Any, ...]  # episode, step, observation, reward, terminated, truncated


class Host:
    """Keeps episodes, the one that nobody has asked for longest goes first.

    Arguments and answers have any number of leading axes, all the same: lives side by side.
    """

    def __init__(self, make: Any, copies: int):
        gymnasium = needed("gymnasium", "environments")
        if copies < 1:
            raise ValueError(
                f"An episode needs a copy of the environment, got {copies=}. Leave it out, or use "
                "for example GymnasiumEnvironment('CartPole-v1', copies=8)."
            )
        if not (isinstance(make, str) or callable(make)):
            raise TypeError(
                f"Every episode needs a copy of its own, but {make!r} is one that is made already. "
                "Give its name, or who makes it: GymnasiumEnvironment(lambda: gymnasium.make(...))."
            )
        self.make = (lambda: gymnasium.make(make)) if isinstance(make, str) else make
        self.copies, self.widest = copies, 1
        first = self.make()
        if not isinstance(first, gymnasium.Env):
            raise TypeError(
                f"`make` gives a {type(first).__name__}, expected a gymnasium.Env: there would be "
                "nothing to act on. Write GymnasiumEnvironment(lambda: MyEnv())."
            )
        self.name = str(first.spec.id) if first.spec else type(first.unwrapped).__name__
        self.action_space, self.observation_space = first.action_space, first.observation_space
        self.free = [first]
        self.open: dict[int, list] = {}  # episode: its copy, steps, last answer; oldest use first
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()

    def reset(self, seed: Any) -> Answer:
        """Begin an episode for every seed."""
        return self._each(self._reset, np.asarray(seed))

    def step(self, episode: Any, step: Any, action: Any) -> Answer:
        """One step in every episode; the last answer again where it is over."""
        return self._each(self._step, np.asarray(episode), np.asarray(step), np.asarray(action))

    def _each(self, function: Callable, first: np.ndarray, *more: np.ndarray) -> Answer:
        lives = first.shape
        given = [x.reshape((first.size, *x.shape[first.ndim :])) for x in (first, *more)]
        with self.lock:
            self.widest = max(self.widest, first.size)
            answers = [function(*row) for row in zip(*given, strict=True)]
        stacked = (np.stack(part) for part in zip(*answers, strict=True))
        return tuple(part.reshape((*lives, *part.shape[1:])) for part in stacked)

    def _reset(self, seed: Any) -> Answer:
        if not self.free and len(self.open) >= max(self.copies, 4 * self.widest):
            self.free.append(self.open.pop(next(iter(self.open)))[0])
        copy = self.free.pop() if self.free else self.make()
        number = next(self.numbers)
        seen, _ = self._told("reset", copy.reset(seed=int(seed)), "observation, info")
        answer = self._answer(number, 0, seen, 0.0, False, False)
        self.open[number] = [copy, 0, answer]
        return answer

    def _step(self, episode: Any, step: Any, action: Any) -> Answer:
        number, now = int(episode), int(step)
        if number not in self.open:
            raise ValueError(
                f"Episode {number} of {self.name} should go on, but its copy was needed for a "
                f"later one: {len(self.open)} are open at once. Keep more: "
                f"GymnasiumEnvironment(..., copies={4 * len(self.open)})."
            )
        copy, steps, last = self.open[number]
        if last[4] or last[5]:
            self.open[number] = self.open.pop(number)
            return (*last[:3], np.float32(0), *last[4:])
        if now != steps:
            raise ValueError(
                f"Step {now} of episode {number} of {self.name} should be taken, but the episode "
                f"is at step {steps}: it runs in Python and cannot go back, or be two at once. Use "
                "every state once, and reset with different keys."
            )
        discrete = type(self.action_space).__name__ == "Discrete"
        told = copy.step(int(action) if discrete else action)
        wanted = "observation, reward, terminated, truncated, info"
        seen, reward, terminated, truncated, _ = self._told("step", told, wanted)
        answer = self._answer(number, now + 1, seen, reward, terminated, truncated)
        del self.open[number]
        self.open[number] = [copy, now + 1, answer]
        return answer

    def _told(self, moment: str, told: Any, wanted: str) -> tuple:
        """What reset or step gave, if it is as many things as it should."""
        if not isinstance(told, tuple) or len(told) != len(wanted.split(", ")):
            found = f"{len(told)} things" if isinstance(told, tuple) else f"a {type(told).__name__}"
            raise ValueError(
                f"{self.name}.{moment} gives {found}, expected ({wanted}): others are not "
                "understood, as of Gym before 0.26. Bring it up to date, or wrap it."
            )
        return told

    def _answer(
        self, number: int, step: int, seen: Any, reward: Any, terminated: Any, truncated: Any
    ) -> Answer:
        space = self.observation_space
        discrete = type(space).__name__ == "Discrete"
        try:
            seen = np.asarray(seen, np.int32 if discrete else np.float32)
            reward = float(reward)
        except (TypeError, ValueError):
            raise ValueError(
                f"{self.name} shows a {type(seen).__name__} and gives a reward of "
                f"{type(reward).__name__} at step {step}, expected numbers as in its "
                "`observation_space`, and one number. Mend one of them in a wrapper."
            ) from None
        if discrete:
            seen = seen - np.int32(space.start)
        if seen.shape != tuple(space.shape):
            raise ValueError(
                f"{self.name} shows something of shape {seen.shape} at step {step}, expected "
                f"{tuple(space.shape)} as in its `observation_space`: compiled programs keep "
                "their shapes. Mend one of them, or pad in a wrapper."
            )
        if np.isnan(seen).any() or not np.isfinite(reward):
            raise ValueError(
                f"{self.name} shows {int(np.isnan(seen).sum())} NaN and gives the reward {reward} "
                f"at step {step}, expected numbers: nothing can be learned from others. Look for a "
                "division by zero, or replace them in a wrapper (numpy.nan_to_num)."
            )
        return (
            np.int32(number), np.int32(step), seen, np.float32(reward),
            np.bool_(terminated), np.bool_(truncated),
        )  # fmt: skip
