"""A film of growth shows the cells that are there, where they come from, and their connections."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.genomes import Development
from neurula.pictures import growth, growth_strip
from neurula.pictures.growth import BETWEEN, FADING, bent, hues


@pytest.fixture(scope="module")
def embryo():
    genome = Development(3, 2, capacity=16, steps=5, founders=2)
    genes = np.asarray(genome.sample(key=jax.random.key(8))).copy()
    said = sum(genome.programme.answers.values())
    genes[genome.programme.state - said] = 30.0  # all divide
    stages, network = eqx.filter_jit(genome.stages)(jnp.asarray(genes), key=jax.random.key(0))
    assert int(np.asarray(stages.alive[-1]).sum()) == 16
    return genome, stages, network


def test_the_film_shows_every_stage_and_then_the_connections(embryo):
    genome, stages, network = embryo
    film = growth(stages, network, radius=genome.radius)
    assert len(film.frames) == 1 + 5 * BETWEEN + FADING
    whole = [frame for frame in film.frames if frame.name.startswith("step")]
    assert [step.label for step in film.layout.sliders[0].steps] == [*"012345", "connected"]
    for stage, frame in enumerate(whole):
        there = np.asarray(stages.alive[stage])
        body = frame.data[1]
        places = np.asarray(stages.places[stage])[there]
        np.testing.assert_allclose(np.stack([body.x, body.y], 1), places, atol=1e-4)
    before, after = film.frames[BETWEEN * 5], film.frames[-1]
    assert not any(len(trace.x) for trace in before.data[3:])
    assert all(trace.opacity == 0.5 for trace in after.data[3:])
    strong = sum(int((np.asarray(p.weight) != 0).sum()) for p in network.projections)
    drawn = sum(np.isnan(np.asarray(t.x, float)).sum() for t in after.data[3:])
    assert 0 < drawn <= min(strong, 260)


def test_daughters_begin_where_their_mothers_are(embryo):
    genome, stages, _ = embryo
    film = growth(stages, radius=genome.radius)
    first = film.frames[1]  # the first moment after the founders
    born = np.asarray(stages.born[-1]) == 1
    mothers = np.asarray(stages.places[0])[np.asarray(stages.parent[-1])[born]]
    there = np.flatnonzero(np.asarray(stages.alive[1]))
    shown = np.stack([first.data[1].x, first.data[1].y], 1)[born[there]]
    assert np.linalg.norm(shown - mothers, axis=1).max() < 0.4 * genome.radius
    assert np.isnan(np.asarray(first.data[0].x, float)).sum() == born.sum()  # a line a couple


def test_sisters_have_nearer_colours_than_cousins(embryo):
    _, stages, _ = embryo
    hue = (hues(stages) - 190) % 360
    alive, parent = np.asarray(stages.alive[-1]), np.asarray(stages.parent[-1])
    founder = np.arange(len(parent))
    for _ in range(8):
        founder = parent[founder]
    assert alive.all()
    assert hue[founder == 0].max() < hue[founder == 1].min()
    assert len(np.unique(hue.round(6))) == 16
    assert hue.min() >= 0
    assert hue.max() <= 300


def test_the_strip_has_a_panel_for_every_chosen_stage_and_one_connected(embryo):
    genome, stages, network = embryo
    values = np.asarray(stages.state[..., 0])
    strip = growth_strip(stages, network, radius=genome.radius, values=values, panels=3)
    words = [note.text for note in strip.layout.annotations]
    assert words[0] == "step 0: 2 cells"
    assert words[-2:] == ["step 5: 16 cells", "connected"]
    np.testing.assert_allclose(strip.data[1].marker.color, values[0][:2])


def test_arcs_begin_and_end_at_their_cells():
    ends = np.random.default_rng(0).random((4, 2, 2))
    arcs = bent(ends)
    np.testing.assert_allclose(arcs[:, [0, -1]], ends)
    straight = ends.mean(axis=1)
    off = np.linalg.norm(arcs[:, 4] - straight, axis=1)
    np.testing.assert_allclose(off, np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) / 8)
