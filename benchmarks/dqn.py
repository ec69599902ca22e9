"""DQN with the settings of RL Baselines3 Zoo on cart-pole, against Stable-Baselines3; and Breakout.

Cart-pole: 50,000 steps, evaluated ten times by 100 greedy episodes, whose seconds do not count.
Theirs runs from fewer seeds, counted up; NEURULA_SEEDS=3,2: three seeds of ours, two of theirs.
MinAtar's Breakout: seconds of a stretch of learning; theirs plays MinAtar's own, ours pgx's.
"""

import os
import statistics
from functools import cache
from typing import Any

import equinox as eqx
import jax
import numpy as np
import optax

from neurula import act, evaluate
from neurula.agents import DQN
from neurula.agents.brains import Perceptron
from neurula.environments import CartPole, PgxGame, TimeLimit
from neurula.memories import Replay

from .peers.asking import MISSING, ask
from .stopwatch import seconds

SEEDS, FEW = map(int, os.environ.get("NEURULA_SEEDS", "10,5").split(","))  # ours, theirs
TIMED = 2  # seeds of ours, the rest is counted up: they run one after another
STEPS, PROBES, EPISODES, SOLVED = 50_000, 10, 100, 475.0
WIDTHS = [256, 256]
SETTINGS = {
    "learning_rate": 2.3e-3,
    "batch_size": 64,
    "buffer_size": 100_000,
    "learning_starts": 1_000,
    "gamma": 0.99,
    "target_update_interval": 10,
    "train_freq": 256,
    "gradient_steps": 128,
    "exploration_fraction": 0.16,
    "exploration_final_eps": 0.04,
}
STRETCH = 5_000  # steps of Breakout
BREAKOUT = {  # the classic: one update every four steps
    "learning_rate": 2.5e-4,
    "batch_size": 32,
    "buffer_size": 100_000,
    "learning_starts": 1_000,
    "gamma": 0.99,
    "target_update_interval": 1_000,
    "train_freq": 4,
    "gradient_steps": 1,
    "exploration_fraction": 0.1,
    "exploration_final_eps": 0.1,
}


def agent(settings: dict[str, Any], steps: int) -> DQN:
    """Ours with the settings of theirs.

    Theirs renews its target every so many steps, which for steps without updates is once a bout.
    """
    every, bout = settings["train_freq"], settings["gradient_steps"]
    clipped = optax.clip_by_global_norm(10.0)  # theirs does so unasked
    return DQN(
        brain=Perceptron(tuple(WIDTHS)),
        optimiser=optax.chain(clipped, optax.adam(settings["learning_rate"])),
        memory=Replay(settings["buffer_size"]),
        batch=settings["batch_size"],
        every=every,
        updates=bout,
        learning_starts=settings["learning_starts"],
        target=max(bout, settings["target_update_interval"] * bout // every),
        discount=settings["gamma"],
        end=settings["exploration_final_eps"],
        exploring=int(settings["exploration_fraction"] * steps),
    )


def lives(probes: int) -> Any:
    """Returns (seed, probe) of greedy episodes during all lives, which are one program."""
    learner, world = agent(SETTINGS, STEPS), TimeLimit(CartPole(), 500)

    def examine(state: Any) -> dict[str, Any]:
        key = jax.random.fold_in(jax.random.key(99), state.steps)
        found = evaluate(learner, world, state, episodes=EPISODES, key=key)
        return {"returns": found.mean()}

    def life(key: Any) -> Any:
        lived = act(learner, world, steps=STEPS, probe=examine, probes=probes, key=key)
        return lived.curves["returns"] if probes else lived.rewards.sum()

    return eqx.filter_jit(lambda keys: jax.lax.map(life, keys))


def stretch(probes: int = 0) -> Any:
    """A stretch of Breakout, learning."""
    learner, world = agent(BREAKOUT, STRETCH), PgxGame("minatar-breakout")
    return eqx.filter_jit(lambda key: act(learner, world, steps=STRETCH, key=key).rewards.sum())


def iqm(scores: np.ndarray) -> tuple[float, list[float]]:
    """The mean of the middle half, and its bootstrap interval (95 %) over seeds."""

    def middle(x: np.ndarray) -> np.ndarray:
        x = np.sort(x, axis=-1)
        cut = x.shape[-1] // 4
        return x[..., cut : x.shape[-1] - cut].mean(-1)

    rng = np.random.default_rng(0)
    again = middle(scores[rng.integers(0, len(scores), (5_000, len(scores)))])
    return float(middle(scores)), [float(q) for q in np.quantile(again, [0.025, 0.975])]


def _solved(curves: np.ndarray) -> np.ndarray:
    """Steps until the first evaluation of at least 475; NaN where there was none."""
    there = curves >= SOLVED
    first = (there.argmax(1) + 1) * (STEPS // PROBES)
    return np.where(there.any(1), first, np.nan)


@cache
def _peer(world: str, seeds: int) -> dict | None:
    pole = world == "cart-pole"
    given = {
        "world": world,
        "seeds": list(range(seeds)),
        "steps": STEPS if pole else STRETCH,
        "every": STEPS // PROBES if pole else 0,
        "episodes": EPISODES,
        "widths": WIDTHS,
        "settings": SETTINGS if pole else BREAKOUT,
    }
    return ask("sb3", "on_sb3.py", given)


def cart_pole() -> dict:
    """Seconds of all lives, and how well they end."""
    theirs = _peer("cart-pole", FEW)
    if theirs is None:
        return MISSING
    keys = jax.random.split(jax.random.key(0), SEEDS)
    ours, other = np.asarray(lives(PROBES)(keys)), np.array(theirs["curves"])
    assert len({tuple(curve) for curve in ours.tolist()}) == SEEDS, "all lives differ"
    plain = lives(0)
    cold = seconds(lambda: plain(keys[:TIMED]))
    warm = SEEDS / TIMED * seconds(lambda: plain(keys[:TIMED]))
    result: dict[str, Any] = {"version": theirs["version"], "seeds, theirs": len(other)}
    result["seeds, ours"] = SEEDS
    low, high = [], []
    for who, curves in (("ours", ours), ("theirs", other)):
        for what, scores in (("last", curves[:, -1]), ("mean", curves.mean(1))):
            middle, interval = iqm(scores)
            result[f"{what} return, {who}"] = middle
            result[f"{what} return, {who}, 95 % from"] = interval[0]
            result[f"{what} return, {who}, to"] = interval[1]
            low.append(interval[0])
            high.append(interval[1])
        first = _solved(curves)
        result[f"seeds that reached 475, {who}"] = (
            f"{int(np.isfinite(first).sum())} of {len(first)}"
        )
        if np.isfinite(first).any():
            result[f"steps to 475, median, {who}"] = float(np.nanmedian(first))
    for i in range(2):  # intervals of both overlap
        assert low[i] <= high[i + 2], (low, high)
        assert low[i + 2] <= high[i], (low, high)
    each = [SEEDS * s for s in theirs["seconds"]]
    return result | {
        "cold_seconds": {"ours": cold * SEEDS / TIMED},
        "warm_seconds": {"ours": warm, "theirs": statistics.mean(each)},
        "ratio": statistics.mean(each) / warm,
        "ratio_range": [min(each) / warm, max(each) / warm],
    }


def breakout() -> dict:
    """Seconds of 5,000 steps of MinAtar's Breakout with learning."""
    theirs = _peer("breakout", 3)
    if theirs is None:
        return MISSING
    ours, keys = stretch(), jax.random.split(jax.random.key(1), 4)
    cold = seconds(lambda: ours(keys[0]))
    warm = [seconds(lambda k=k: ours(k)) for k in keys[1:]]
    other = theirs["seconds"]
    return {
        "version": theirs["version"],
        "steps a second, ours": STRETCH / statistics.median(warm),
        "steps a second, theirs": STRETCH / statistics.median(other),
        "cold_seconds": {"ours": cold},
        "warm_seconds": {"ours": statistics.median(warm), "theirs": statistics.median(other)},
        "ratio": statistics.median(other) / statistics.median(warm),
        "ratio_range": [min(other) / max(warm), max(other) / min(warm)],
    }
