"""Networks survive the disk; whatever else lies there is refused in one clear sentence."""

import functools
import tempfile
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies

import neurula as nl
from neurula.contracts import AbstractRateNeuron


def networks(key):
    loop = nl.wirings.random(7, 0.4, seed=0)
    sign = jnp.array([1, 1, 1, 1, -1, -1, -1], jnp.int8)
    places = np.arange(14.0).reshape(7, 2)
    sheet = nl.wirings.Grid(3, 4, 8, periodic=True)
    cells = nl.Population(12, nl.neurons.LIF(refractory=2.0))
    return {
        "layered": nl.layered([4, 5, 3], key=key),
        "free": nl.free(loop, inputs=4, outputs=3, sign=sign, positions=places, key=key),
        "spiking sheet": nl.Network(
            {"sheet": cells},
            [nl.Projection("sheet", "sheet", sheet, sheet.fill(0.2), delay=3)],
            senses=["sheet"],
            voices=["sheet"],
            dt=0.5,
        ),
    }


@pytest.mark.parametrize("name", ["layered", "free", "spiking sheet"])
def test_what_was_saved_is_loaded(name, key, tmp_path):
    network = networks(key)[name]
    again = nl.load(nl.save(network, tmp_path / "net.safetensors"))
    assert eqx.tree_equal(network, again)
    stimuli = jax.random.normal(key, (6, sum(network.inputs.values())))
    assert (nl.respond(network, stimuli) == nl.respond(again, stimuli)).all()


class Mine(AbstractRateNeuron[None]):
    """A part that is on no shelf."""

    emits, ports, noisy = "rates", ("current",), False

    def init(self, size):
        return None

    def activation(self, potential):
        return potential

    def step(self, state, drive, noise, *, dt):
        return None, drive[0]


def test_parts_of_ones_own_have_to_be_named(key, tmp_path):
    network = nl.layered([2, 3, 2], neuron=lambda size: Mine(), key=key)
    path = nl.save(network, tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match=r"uses the part 'Mine'.*parts=\[Mine\]"):
        nl.load(path)
    assert eqx.tree_equal(nl.load(path, parts=[Mine]), network)


def test_a_failed_save_leaves_the_old_file(key, tmp_path, monkeypatch):
    path = nl.save(networks(key)["layered"], tmp_path / "net.safetensors")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        nl.save(networks(key)["free"], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@settings(max_examples=60, deadline=None)
@given(cut=strategies.integers(0, 4000), junk=strategies.binary(max_size=64))
def test_corrupt_files_are_refused(cut, junk, tmp_path_factory):
    whole = _bytes()
    path = tmp_path_factory.mktemp("corrupt") / "net.safetensors"
    path.write_bytes(whole[: cut % len(whole)] + junk)
    with pytest.raises(ValueError, match="cannot be read as one"):
        nl.load(path)


@functools.cache
def _bytes():
    with tempfile.TemporaryDirectory() as folder:
        network = nl.layered([4, 5, 3], key=jax.random.key(0))
        return nl.save(network, Path(folder) / "net.safetensors").read_bytes()


@pytest.mark.parametrize("header", ["{}", '{"format": 1}', '{"format": 1, "network": {"odd": 1}}'])
def test_headers_that_make_no_sense_are_refused(header, tmp_path):
    import safetensors.numpy

    path = tmp_path / "net.safetensors"
    safetensors.numpy.save_file({"x": np.zeros(1)}, path, {"neurula": header})
    with pytest.raises(ValueError, match="cannot be read as one"):
        nl.load(path)


def test_other_formats_are_named(tmp_path):
    import safetensors.numpy

    path = tmp_path / "net.safetensors"
    safetensors.numpy.save_file({"x": np.zeros(1)}, path, {"neurula": '{"format": 99}'})
    with pytest.raises(ValueError, match="has format 99, but this neurula reads 1"):
        nl.load(path)
