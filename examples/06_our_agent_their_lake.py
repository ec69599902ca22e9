"""An agent of ours in somebody else's environment: DQN crosses Gymnasium's frozen lake."""

import importlib.util
import sys

import equinox as eqx
import jax

import neurula as nl

if importlib.util.find_spec("gymnasium") is None:
    print("This needs Gymnasium, which comes with an extra: pip install 'neurula[environments]'")
    sys.exit()

import gymnasium

lake = nl.environments.GymnasiumEnvironment(
    lambda: gymnasium.make("FrozenLake-v1", is_slippery=False)
)
agent = nl.agents.DQN(discount=0.95, exploring=3_000, every=2)
key, at_exam = jax.random.split(jax.random.key(0))


@eqx.filter_jit
def live(key):
    """A life of 6,000 steps, most of which take place in Python."""
    return nl.act(agent, lake, steps=6_000, key=key)


lived = live(key)
returns = lived.returns[lived.ended]  # 1: it has crossed the lake; 0: it fell in, or was too late
count = len(returns) // 4
print(f"crossed, first quarter of {len(returns)} episodes: {returns[:count].mean():.2f}")
print(f"crossed, last quarter: {returns[-count:].mean():.2f}")
found = nl.evaluate(agent, lake, lived.agent_state, episodes=5, limit=100, key=at_exam)
print(f"crossed without exploring: {found.mean():.2f}")
