"""DQN of Stable-Baselines3: cart-pole with evaluations, or seconds of a stretch of Breakout.

    python on_sb3.py given.json result.json

pip install stable-baselines3==2.9.2 minatar==1.0.15 (a CPU build of torch is enough)
"""

import json
import sys
import time

import gymnasium
import numpy as np
import stable_baselines3
import torch
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback


def evaluate(model: DQN, episodes: int, seed: int) -> float:
    """The mean return of greedy episodes that end by falling or after 500 steps."""
    worlds = CartPoleVectorEnv(num_envs=episodes, max_episode_steps=10_000)
    seen, _ = worlds.reset(seed=seed)
    alive, returns = np.ones(episodes, bool), np.zeros(episodes)
    for _ in range(500):
        with torch.no_grad():
            actions = model.q_net(torch.as_tensor(seen)).argmax(1).numpy()
        seen, _, fallen, _, _ = worlds.step(actions)
        returns += alive
        alive &= ~fallen
        if not alive.any():
            break
    return float(returns.mean())


class Probes(BaseCallback):
    """Evaluates after every stretch of steps; the clock stands still meanwhile."""

    def __init__(self, every: int, episodes: int):
        super().__init__()
        self.every, self.episodes, self.found, self.paused = every, episodes, [], 0.0

    def _on_step(self) -> bool:
        if self.every and self.num_timesteps % self.every == 0:
            began = time.perf_counter()
            seed = 1000 + self.num_timesteps
            self.found.append(evaluate(self.model, self.episodes, seed))
            self.paused += time.perf_counter() - began
        return True


class Pixels(gymnasium.Env):
    """MinAtar's Breakout, flat, as floats."""

    def __init__(self):
        import minatar

        self.game = minatar.Environment("breakout")
        self.actions = self.game.minimal_action_set()
        size = int(np.prod(self.game.state_shape()))
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (size,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(len(self.actions))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.game.seed(seed)
        self.game.reset()
        return self.game.state().ravel().astype(np.float32), {}

    def step(self, action):
        reward, done = self.game.act(self.actions[int(action)])
        return self.game.state().ravel().astype(np.float32), float(reward), bool(done), False, {}


def main() -> None:
    """Learn with every seed, and write seconds and returns."""
    with open(sys.argv[1]) as file:
        given = json.load(file)
    seconds, curves = [], []
    for seed in given["seeds"]:
        world = Pixels() if given["world"] == "breakout" else gymnasium.make("CartPole-v1")
        settings = dict(given["settings"])
        settings["policy_kwargs"] = {"net_arch": given["widths"]}
        model = DQN("MlpPolicy", world, seed=seed, device="cpu", **settings)
        probes = Probes(given["every"], given["episodes"])
        began = time.perf_counter()
        model.learn(given["steps"], callback=probes)
        seconds.append(time.perf_counter() - began - probes.paused)
        curves.append(probes.found)
    found = {"version": stable_baselines3.__version__, "seconds": seconds, "curves": curves}
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
