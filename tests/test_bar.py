"""The bar of a compiled loop: when it appears, how far it says it is, and that it goes away."""

import equinox as eqx
import jax
import optax
import pytest

from neurula import bar, layered, learn
from neurula.rules import Backprop
from neurula.tasks import Parity


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr(bar.time, "monotonic", lambda: now[0])
    return now


def test_a_bar_appears_after_two_seconds_and_goes_with_the_last_step(clock):
    shown = bar.Bar("Backprop", 10)
    for step, second, expected in [(0, 0, None), (1, 1.9, None), (2, 2.1, 3), (8, 9, 9)]:
        clock[0] = second
        shown.tell(step)
        assert (shown.shown and shown.shown.tasks[0].completed) == expected
    shown.tell(9)
    assert shown.shown is None


def test_a_loop_that_starts_again_has_its_bar_anew(clock):
    shown = bar.Bar("Backprop", 10)
    shown.tell(0)
    clock[0] = 3
    shown.tell(5)
    shown.tell(0)
    assert shown.shown is None
    shown.tell(5)
    assert shown.shown is None


@pytest.mark.parametrize("over_keys", [lambda f: f, jax.vmap])
def test_learning_tells_its_bar_about_a_hundred_times(monkeypatch, key, over_keys):
    told = []
    monkeypatch.setattr(bar.Bar, "tell", lambda self, step: told.append(int(step)))
    brain = layered([1, 3, 2], key=key)

    def live(key):
        sgd = optax.sgd(0.1)
        return learn(brain, Backprop(), Parity(4), sgd, steps=250, progress=True, key=key).brain

    keys = jax.random.split(key, 3) if over_keys is jax.vmap else key
    jax.block_until_ready(eqx.filter_jit(over_keys(live))(keys).projections[0].weight)
    jax.effects_barrier()
    assert sorted(told) == [*range(0, 250, 2), 249]
