"""What is worked out before time passes changes nothing."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.front import behind_the_front
from neurula.neurons import LIF, Leaky, Poisson
from neurula.wirings import random

KEY = jax.random.key(0)


def step_by_step(network, stimuli):
    return jax.lax.scan(lambda s, now: network.step(s, now), network.init(), stimuli)[1]


@pytest.mark.parametrize("make", [Leaky, lambda: LIF(tau=5.0)])
def test_a_network_answers_the_same_with_its_front_worked_out_at_once(make):
    network = nl.free(random(12, 0.3, seed=1), inputs=5, outputs=3, neuron=make(), key=KEY)
    stimuli = 3 * jax.random.normal(KEY, (20, 5))
    behind, drives = behind_the_front(network, stimuli)
    assert "input" not in behind.populations
    assert drives.shape == (20, 12)
    np.testing.assert_allclose(
        eqx.filter_jit(nl.respond)(network, stimuli),
        step_by_step(network, stimuli),
        rtol=1e-4,
        atol=1e-5,
    )


def test_gradients_are_the_same_too():
    network = nl.free(random(12, 0.3, seed=1), inputs=5, outputs=3, neuron=Leaky(), key=KEY)
    stimuli = jax.random.normal(KEY, (7, 5))
    slope = lambda play: eqx.filter_grad(lambda net: jnp.sum(play(net, stimuli) ** 2))(network)  # noqa: E731
    pair = (jax.tree.leaves(slope(play)) for play in (nl.respond, step_by_step))
    for one, other in zip(*pair, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_holding_a_stimulus_is_showing_it_again():
    network = nl.free(random(12, 0.3, seed=1), inputs=5, outputs=3, neuron=Leaky(), key=KEY)
    stimuli = jax.random.normal(KEY, (2, 5))
    again = jnp.repeat(stimuli, 4, axis=0)
    np.testing.assert_allclose(
        nl.respond(network, stimuli, hold=4), nl.respond(network, again), rtol=1e-4, atol=1e-6
    )


def test_networks_without_such_a_front_stay_as_they_are():
    heard = nl.layered([4, 3, 2], delay=1, key=KEY)  # heard one step late
    drawing = nl.Network({"a": nl.Population(2, Poisson())}, [], senses=["a"], voices=["a"])
    for network, size in ((heard, 4), (drawing, 2)):
        stimuli = jnp.ones((3, size))
        behind, drives = behind_the_front(network, stimuli)
        assert behind is network
        assert drives is stimuli
