"""Lives as fitness: steps are counted, learning happens, what does not fit is refused."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import neurula as nl
from neurula.agents import Controller
from neurula.behaviour import Box, Discrete
from neurula.environments import CartPole
from neurula.evolvers import SNES
from neurula.genomes import Weights
from neurula.rules import Backprop
from neurula.tasks import Digits

KEY = jax.random.key(0)


def test_snes_balances_the_pole():
    genome = Weights(nl.layered([4, 4, 1], key=KEY))
    life = nl.InWorld(CartPole(), limit=500, episodes=2)
    run = eqx.filter_jit(
        lambda key: nl.evolve(
            genome, SNES(32), life, generations=40, target=500.0, key=key,
            watch=lambda state, genes, lives: (lives.fitness, lives.steps),
        )
    )  # fmt: skip
    found = run(jax.random.key(1))
    assert found.solved
    returns, steps = found.watched
    np.testing.assert_allclose(2 * returns, steps)  # the reward is 1 for every step of 2 episodes
    again = life(genome.develop(found.genes, key=KEY), key=jax.random.key(2))
    assert again.fitness > 300


def test_a_life_on_a_task_learns():
    born = nl.layered([64, 16, 10], key=KEY)
    learned = nl.OnTask(Digits(), Backprop(), optax.adam(1e-2), steps=100)(born, key=KEY)
    idle = nl.OnTask(Digits())(born, key=KEY)
    assert idle.fitness < 0.3 < 0.8 < learned.fitness
    assert (float(learned.steps), float(idle.steps)) == (100, 0)
    assert not jnp.array_equal(learned.learned.projections[0].weight, born.projections[0].weight)
    with pytest.raises(ValueError, match="needs a rule and an optimiser"):
        nl.OnTask(Digits(), steps=3)


def test_a_controller_fits_its_world():
    seen = Box((3,))
    with pytest.raises(ValueError, match="gives 2 or 1, but its brain takes 4 and gives 1"):
        Controller(nl.layered([4, 1], key=KEY), Discrete(2), seen)
    wide = Controller(nl.layered([3, 2], key=KEY), Box((2,), -1.0, 3.0), seen)
    _, action = wide.act(wide.begin(None), jnp.full(3, 1e6), key=KEY)
    assert set(np.round(np.asarray(action), 4).tolist()) <= {-1.0, 3.0}
