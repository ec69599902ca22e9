"""Somebody else's agent in a maze of ours: DQN of Stable-Baselines3 finds the short way out."""

import importlib.util
import sys

import neurula as nl

if importlib.util.find_spec("stable_baselines3") is None:
    print(
        "This needs Stable-Baselines3, which brings PyTorch: pip install stable-baselines3==2.9.2"
    )
    sys.exit()

from stable_baselines3 import DQN
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

maze = nl.environments.maze()  # 14 steps from the start to a reward of 1
world = nl.environments.TimeLimit(maze, 300)
view = Monitor(nl.to_gymnasium(world, render=lambda state: f"step {state.step}\n{maze}"))

agent = DQN(
    "MlpPolicy",
    view,
    learning_rate=1e-3,
    gamma=0.95,
    learning_starts=500,
    target_update_interval=200,
    exploration_fraction=0.7,
    seed=0,
    device="cpu",
)
agent.learn(15_000)
reward, steps = evaluate_policy(agent, view, n_eval_episodes=5, return_episode_rewards=True)
print(maze)
print(f"rewards {reward}, steps to the goal {steps} (the shortest way: 14)")
