"""Memories against their equations written out in NumPy, and what they cannot hold."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from neurula import free_memory, learn
from neurula.live import examine, parameters
from neurula.matched import cells_for
from neurula.memories import GRU, LSTM, Elman, LeakyStore, SelfAttention, Window
from neurula.response import respond
from neurula.rules import Backprop
from neurula.tasks import Recall

KEY = jax.random.key(0)
STIMULI = np.asarray(jax.random.normal(jax.random.key(1), (9, 3)))
KINDS = {
    "Elman": lambda cells: Elman(4, cells, 4, key=KEY),
    "GRU": lambda cells: GRU(4, cells, 4, key=KEY),
    "LSTM": lambda cells: LSTM(4, cells, 4, key=KEY),
    "LeakyStore": lambda cells: LeakyStore(4, cells, 4, slowest=5.0, key=KEY),
    "SelfAttention": lambda cells: SelfAttention(4, cells, 4, capacity=9, key=KEY),
    "Window": lambda cells: Window(4, cells, 4, length=3, key=KEY),
}


def logistic(x):
    return 1 / (1 + np.exp(-x))


def played(block):
    return np.asarray(jax.jit(lambda x: respond(block, x))(STIMULI))


def told(layer, x):
    return np.asarray(layer.weight) @ x + (0 if layer.bias is None else np.asarray(layer.bias))


def test_lstm_is_its_equations():
    block = LSTM(3, 4, 2, keep=0.5, key=KEY)
    cells, c, h = block.cells, np.zeros(4), np.zeros(4)
    for now, said in zip(STIMULI, played(block), strict=True):
        total = np.asarray(cells.weight_ih) @ now + np.asarray(cells.weight_hh) @ h + cells.bias
        enter, forget, new, leave = np.split(total, 4)
        c = logistic(forget) * c + logistic(enter) * np.tanh(new)
        h = logistic(leave) * np.tanh(c)
        np.testing.assert_allclose(said, told(block.readout, h), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(block.cells.bias, np.repeat([0, 0.5, 0, 0], 4))


def test_gru_is_its_equations():
    block = GRU(3, 4, 2, keep=0.5, key=KEY)
    cells, h = block.cells, np.zeros(4)
    for now, said in zip(STIMULI, played(block), strict=True):
        reset, keep, new = np.split(np.asarray(cells.weight_ih) @ now + cells.bias, 3)
        heard = np.split(np.asarray(cells.weight_hh) @ h, 3)
        reset, keep = logistic(reset + heard[0]), logistic(keep + heard[1])
        h = keep * h + (1 - keep) * np.tanh(new + reset * (heard[2] + np.asarray(cells.bias_n)))
        np.testing.assert_allclose(said, told(block.readout, h), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(block.cells.bias, np.repeat([0, 0.5, 0], 4))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_elman_is_its_equations(activation):
    block = Elman(3, 4, 2, activation=activation, key=KEY)
    rate = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}[activation]
    h = np.zeros(4)
    for now, said in zip(STIMULI, played(block), strict=True):
        h = rate(told(block.enter, now) + np.asarray(block.loops) @ h)
        np.testing.assert_allclose(said, told(block.readout, h), rtol=1e-4, atol=1e-5)


def test_elman_starts_as_it_is_told():
    turned = np.asarray(Elman(3, 8, 2, start="orthogonal", gain=0.5, key=KEY).loops)
    np.testing.assert_allclose(turned @ turned.T, 0.25 * np.eye(8), atol=1e-6)
    same = Elman(3, 8, 2, start="identity", enter=0.1, key=KEY)
    np.testing.assert_array_equal(same.loops, np.eye(8))
    assert np.abs(same.enter.weight).max() <= 0.1 / 3**0.5
    random = np.asarray(Elman(3, 100, 2, key=KEY).loops)
    assert random.var() == pytest.approx(1 / 100, rel=0.05)


def test_what_a_pulse_leaves_in_a_leaky_store_is_an_exponential():
    block = LeakyStore(1, 5, 5, slowest=30.0, key=KEY)
    bare = eqx.tree_at(
        lambda b: (b.readout.weight, b.readout.bias), block, (jnp.eye(5), jnp.zeros(5))
    )
    pulse = jnp.zeros((40, 1)).at[0].set(1.0)
    left = np.asarray(jax.jit(lambda x: respond(bare, x))(pulse))
    tau = 30.0 ** np.linspace(0, 1, 5)
    first = np.tanh(np.asarray(block.enter.weight)[:, 0])
    np.testing.assert_allclose(left, first * np.exp(-np.arange(40)[:, None] / tau), rtol=1e-4)


def test_loops_of_a_leaky_store_are_its_equation():
    block = LeakyStore(3, 4, 2, loops=True, gain=0.7, key=KEY)
    s, keep = np.zeros(4), np.exp(-1 / np.exp(np.asarray(block.log_tau)))
    for now, said in zip(STIMULI, played(block), strict=True):
        s = keep * s + np.tanh(told(block.enter, now) + np.asarray(block.loops) @ s)
        np.testing.assert_allclose(said, told(block.readout, s), rtol=1e-4, atol=1e-5)


def test_a_window_is_a_network_of_the_shifted_inputs():
    block = Window(3, 6, 2, length=4, key=KEY)
    padded = np.concatenate([np.zeros((3, 3)), STIMULI])
    for t, said in enumerate(played(block)):
        line = padded[t : t + 4][::-1].ravel()
        hidden = np.maximum(told(block.hidden, line), 0)
        np.testing.assert_allclose(said, told(block.readout, hidden), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("capacity", [9, 4])
def test_attention_is_a_dense_softmax_over_what_is_kept(capacity):
    """All steps at once in NumPy; a memory of 4 sees the last 4 and nothing older."""
    block = SelfAttention(3, 8, 2, capacity=capacity, heads=2, key=KEY)
    steps, frequencies = np.arange(9), np.exp(np.linspace(0, -np.log(10_000), 4))
    phase = steps[:, None] * frequencies
    here = np.stack([told(block.embed, x) for x in STIMULI])
    here = here + np.concatenate([np.sin(phase), np.cos(phase)], axis=1)
    query, key, value = np.split(here @ np.asarray(block.ask.weight).T, 3, axis=1)
    age = steps[:, None] - steps[None]
    seen = []
    for head in (slice(0, 4), slice(4, 8)):
        fit = np.exp(query[:, head] @ key[:, head].T / 2) * ((age >= 0) & (age < capacity))
        seen.append(fit / fit.sum(1, keepdims=True) @ value[:, head])
    here = here + np.concatenate(seen, axis=1) @ np.asarray(block.gather.weight).T
    for h, said in zip(here, played(block), strict=True):
        h = h + told(block.narrow, np.maximum(told(block.widen, h), 0))
        np.testing.assert_allclose(said, told(block.readout, h), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_memory_learns_to_say_what_was_shown_before(kind):
    task, block = Recall(length=8, back=1, exam_size=200), KINDS[kind](16)

    @eqx.filter_jit
    def taught(block):
        life = learn(block, Backprop(), task, optax.adam(0.02), steps=600, batch=16, key=KEY)
        return examine(life.brain, task, "test", key=KEY)

    assert float(taught(block)) > 0.9  # chance: 0.25


@pytest.mark.parametrize("kind", KINDS)
def test_controls_have_the_fewest_cells_with_enough_parameters(kind):
    multiple = 4 if kind == "SelfAttention" else 1
    cells = cells_for(KINDS[kind], 300, multiple=multiple)
    assert float(parameters(KINDS[kind](cells))) >= 300
    assert cells == multiple or float(parameters(KINDS[kind](cells - multiple))) < 300


def test_a_size_that_cells_do_not_change_is_refused():
    with pytest.raises(ValueError, match="Expected a block of 10000 parameters, and with"):
        cells_for(lambda _: KINDS["LSTM"](2), 10_000)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LSTM(0, 4, 2, key=KEY), "LSTM expects inputs of 1 or more, got 0"),
        (lambda: GRU(3, 0, 2, key=KEY), "GRU expects cells of 1 or more, got 0"),
        (lambda: Elman(3, 4, 0, key=KEY), "Elman expects outputs of 1 or more, got 0"),
        (lambda: Window(3, 4, 2, length=0, key=KEY), "Window expects length of 1 or more"),
        (lambda: SelfAttention(3, 6, 2, key=KEY), r"each of its 2 heads, got 6 cells.*cells=8"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LSTM(2, 100, 1, key=KEY), "The weights of an LSTM of 100 cells need"),
        (lambda: GRU(2, 100, 1, key=KEY), "The weights of a GRU of 100 cells need .* GiB"),
        (lambda: Elman(2, 200, 1, key=KEY), "Elman network of 200 cells need .* fewer cells"),
        (lambda: LeakyStore(2, 200, 1, loops=True, key=KEY), "leaky store of 200 cells need"),
        (lambda: Window(2, 9, 1, length=5000, key=KEY), "A window of 5000 inputs and 9 cells need"),
        (lambda: SelfAttention(2, 4, 1, capacity=5000, key=KEY), "A memory of 5000 steps in 4"),
    ],
)
def test_a_memory_larger_than_the_computer_is_refused(make, words, monkeypatch):
    monkeypatch.setattr(free_memory, "available", lambda: 100_000)
    with pytest.raises(MemoryError, match=words):
        make()
