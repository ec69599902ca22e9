"""A run in a folder is the run in memory; it survives being killed, and refuses what is not its."""

import os
import signal
import subprocess
import sys
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.checkpoints import alone, read_checkpoint, write_checkpoint
from neurula.evolvers import SNES, NeatSearch
from neurula.genomes import Neat, Weights
from neurula.settings import differences, settings_of

KEY = jax.random.key(3)
GENOME = Weights(nl.layered([2, 3, 1], key=jax.random.key(0)))
FILE = "evolution.safetensors"


def noisy_sphere(network, *, key):
    weight = jnp.concatenate([jnp.ravel(p.weight) for p in network.projections])
    return -jnp.sum((weight - 1.0) ** 2) + 0.1 * jax.random.normal(key)


def seen(state, genes, lives):
    return {"first": genes[0], "behaved": lives.fitness}


def run(folder, generations=9, evolver=None, genome=GENOME, **settings):
    settings = {"every": 3, "progress": False, "watch": seen, "key": KEY} | settings
    fitness = settings.pop("fitness", noisy_sphere)
    evolver = evolver or SNES(16)
    return nl.evolve_on_disk(folder, genome, evolver, fitness, generations=generations, **settings)


def same(one, other):
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("run"))


def test_stretch_by_stretch_is_all_at_once(uninterrupted):
    whole = eqx.filter_jit(
        lambda key: nl.evolve(GENOME, SNES(16), noisy_sphere, generations=9, watch=seen, key=key)
    )(KEY)
    for one, other in zip(jax.tree.leaves(uninterrupted), jax.tree.leaves(whole), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)  # two programs


def test_a_run_that_stopped_goes_on_as_if_it_never_had(uninterrupted, tmp_path):
    first = run(tmp_path, 6)
    assert first.curves["best"].shape == (6,)
    assert same(run(tmp_path), uninterrupted)
    assert same(run(tmp_path), uninterrupted)  # nothing is left to do
    page = (tmp_path / "champion.html").read_text()
    assert "plotly.min.js" in page
    assert (tmp_path / "plotly.min.js").exists()


def test_it_stops_at_a_target_and_goes_on_to_a_higher_one(uninterrupted, tmp_path):
    best = np.maximum.accumulate(uninterrupted.curves["best"])
    found = run(tmp_path, target=float(best[4]))
    assert found.solved
    assert found.generations == 1 + np.argmax(best >= best[4])
    assert np.isnan(found.curves["best"][int(found.generations) :]).all()
    assert found.evaluations < found.generations * 16 + 1
    on = run(tmp_path)
    assert on.evaluations == 9 * 16
    np.testing.assert_allclose(on.genes, uninterrupted.genes, atol=1e-4)


SCRIPT = """
import sys, jax
sys.path.insert(0, sys.argv[1])
import test_evolution_on_disk as those
those.run(sys.argv[2], 3000, every=1, draw=lambda developed: those.nl.pictures.species(
    those.np.zeros((1, 1), int)))
"""


@pytest.mark.slow
def test_a_killed_process_loses_nothing_that_was_saved(tmp_path):
    """Killed in whatever it was doing; what it left is the beginning of a run without a kill."""
    here = os.path.dirname(__file__)
    child = subprocess.Popen([sys.executable, "-c", SCRIPT, here, str(tmp_path)])
    try:
        limit = time.monotonic() + 100
        while not (tmp_path / "champion.html").exists() and time.monotonic() < limit:
            time.sleep(0.05)
        with pytest.raises(ValueError, match="another one is running"):
            run(tmp_path, 3000, every=1)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    notes = []
    with pytest.raises(LookupError):
        read_checkpoint(tmp_path / FILE, lambda found: notes.append(found) or {}["stop"])
    done = notes[0]["done"]
    assert 0 < done < 3000
    went_on = run(tmp_path, done + 2, every=1, draw=draw_nothing)
    assert same(went_on, run(tmp_path / "other", done + 2, every=1, draw=draw_nothing))


def draw_nothing(developed):
    return nl.pictures.species(np.zeros((1, 1), int))


def test_an_interrupt_says_what_is_kept(tmp_path, capsys):
    drawn = []

    def stop(developed):
        drawn.append(developed)
        if len(drawn) == 2:
            raise KeyboardInterrupt
        return draw_nothing(developed)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, draw=stop)
    assert "6 generations are kept" in capsys.readouterr().err


def test_another_run_is_refused(tmp_path):
    run(tmp_path, 3)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(ValueError, match=r"evolver\.population was 16 and is 32"):
        run(tmp_path, evolver=SNES(32))
    with pytest.raises(ValueError, match=r"genome\.scale was 1\.0 and is 2\.0"):
        run(tmp_path, genome=Weights(GENOME.brain, scale=2.0))
    with pytest.raises(ValueError, match="key was"):
        run(tmp_path, key=jax.random.key(4))
    with pytest.raises(ValueError, match=r"fitness was .*noisy_sphere and is .*lambda"):
        run(tmp_path, fitness=lambda network, *, key: jnp.zeros(()))
    with pytest.raises(ValueError, match="holds 3 generations, but got generations=2"):
        run(tmp_path, 2)
    with pytest.raises(ValueError, match="every=0"):
        run(tmp_path, every=0)
    assert (tmp_path / FILE).read_bytes() == before


def test_damage_is_said_in_one_sentence(tmp_path):
    file, never = tmp_path / FILE, lambda notes: pytest.fail("it was taken for a good one")
    write_checkpoint(file, {"weights": jnp.ones(4)}, {})
    good = file.read_bytes()
    flipped = bytearray(good)
    flipped[-5] ^= 1
    for bad in (good[:-10], bytes(flipped), b"", b"{}", good[:8] + b"x" + good[9:]):
        file.write_bytes(bad)
        with pytest.raises(ValueError, match="cannot be read as one"):
            read_checkpoint(file, never)
    file.write_bytes(good.replace(b'format\\": 1', b'format\\": 7'))
    with pytest.raises(ValueError, match="has format 7, but this neurula goes on from format 1"):
        run(tmp_path)


def test_broken_fitness_is_said_at_the_end(tmp_path):
    def sometimes(network, *, key):
        return jnp.where(jax.random.bernoulli(key), jnp.nan, noisy_sphere(network, key=key))

    with pytest.warns(UserWarning, match=r"of 48 lives \(.*%\) had a fitness that was NaN"):
        run(tmp_path, 3, fitness=sometimes)


def test_keys_and_what_is_no_array_come_back(tmp_path):
    tree = {"key": jax.random.key(1), "word": "here", "number": jnp.arange(3), "none": None}
    write_checkpoint(tmp_path / "x.safetensors", tree, {"a": 1})
    blank = tree | {"key": jax.random.key(9), "number": jnp.zeros(3, jnp.int32)}
    back = read_checkpoint(tmp_path / "x.safetensors", lambda notes: blank)
    assert jax.random.key_data(back["key"]).tolist() == jax.random.key_data(tree["key"]).tolist()
    assert back["number"].tolist() == [0, 1, 2]
    assert back["word"] == "here"
    with pytest.raises(ValueError, match="another version of a part"):
        read_checkpoint(tmp_path / "x.safetensors", lambda notes: {"number": jnp.zeros(4)})


def test_two_holders_of_a_folder(tmp_path):
    with alone(tmp_path), pytest.raises(ValueError, match="one run at a time"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_settings_are_told_apart():
    def with_rate(rate):
        return lambda x: rate * x

    one = settings_of({"f": with_rate(0.1), "a": np.arange(3)}, "x")
    assert differences(one, settings_of({"f": with_rate(0.1), "a": np.arange(3)}, "x")) == []
    assert differences(one, settings_of({"f": with_rate(0.2), "a": np.arange(3)}, "x")) == [
        "x.f.rate was 0.1 and is 0.2"
    ]
    (found,) = differences(one, settings_of({"f": with_rate(0.1), "a": np.arange(1, 4)}, "x"))
    assert found.startswith("x.a was int64 (3,)")
    assert not any(" at 0x" in said for said in settings_of(GENOME, "genome").values())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*wanted to grow beyond")
def test_a_graph_that_grows_goes_on_too_and_says_where_it_found_no_room(tmp_path):
    neat = Neat(2, 1, cells=1, connections=3, add_cell=0.5)

    def first_weight(network, *, key):
        return jnp.sum(network.projections[1].weight)

    def grow(folder, generations):
        return nl.evolve_on_disk(
            folder, neat, NeatSearch(20), first_weight, generations=generations, every=10,
            progress=False, draw=draw_nothing, key=KEY,
        )  # fmt: skip

    grow(tmp_path / "stopped", 10)
    stopped = grow(tmp_path / "stopped", 20)
    with pytest.warns(UserWarning, match=r"wanted to grow beyond (cells=1|connections=3)"):
        assert same(stopped, grow(tmp_path / "whole", 20))
