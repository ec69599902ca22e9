"""The successor representation of CoBeL-RL: answers on a given walk, and seconds of its own."""

import json
import sys
import time
from importlib.metadata import version

import numpy as np
from cobel.agent import SR
from cobel.interface import Gridworld
from cobel.misc.gridworld_tools import make_empty_field
from cobel.policy import EpsilonGreedy


def agent(world: Gridworld, rate: float, discount: float) -> SR:
    """An agent that walks at random."""
    policy = EpsilonGreedy(1.0)
    return SR(
        world.observation_space, world.action_space, policy, learning_rate=rate, gamma=discount
    )


def follow(side: int, walk: np.ndarray, rate: float, discount: float) -> np.ndarray:
    """The map after a walk that somebody else made: (step, [state, action, next state])."""
    learner = agent(Gridworld(make_empty_field(side, side)), rate, discount)
    for state, action, next_state in walk.tolist():
        step = {"state": state, "action": action, "reward": 0.0}
        learner.update(step | {"next_state": next_state, "terminal": 1})  # 1: it goes on
    return learner.SR


def main() -> None:
    given, answers = np.load(sys.argv[1]), {}
    rate, discount = float(given["rate"]), float(given["discount"])
    seconds = {}
    for side, steps in zip(given["sides"].tolist(), given["steps"].tolist(), strict=True):
        answers[str(side)] = follow(side, given[f"walk{side}"], rate, discount)
        world = Gridworld(make_empty_field(side, side))
        learner = agent(world, rate, discount)
        began = time.perf_counter()
        learner.train(world, 1, steps)
        seconds[side] = (time.perf_counter() - began) / steps
    np.savez(sys.argv[2], **answers)
    print(json.dumps({"version": version("cobel"), "seconds a step": seconds}))


if __name__ == "__main__":
    main()
